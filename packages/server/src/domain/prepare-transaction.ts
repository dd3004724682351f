import { plusMs } from '../core/clock.ts'
import {
  connectorId,
  mintConnectorId,
  mintTransactionId,
  type CollectionId,
  type ConnectorId,
  type ConnectSessionId,
  type ProviderSlug,
  type SpaceId,
} from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import type { Secret } from '../core/secret.ts'
import { findConnector } from '../store/connectors.ts'
import type { ConnectorRow } from '../store/rows.ts'
import { countPendingTransactions } from '../store/find-transactions.ts'
import type { NewTransaction } from '../store/transactions.ts'
import { areOtherValues, connectionValues, keptValues, type UrlValues } from './connection-values.ts'
import type { Context } from './context.ts'
import { isSamePrincipal, requireReach, requireRight, type Principal } from './principal.ts'
import { findUsableApp, forConnection, type ProviderInUse, type UsableApp } from './provider-client.ts'
import { redirectTarget, requireAllowedOrigin } from './redirect-target.ts'
import { transactionPlace } from './transaction-places.ts'

/** An authorization lives at most ten minutes. */
const transactionLifeMs = 10 * 60_000
const pendingPerPrincipal = 20
const pendingPerTenant = 200

/** What a caller asks for when a connection begins. */
export interface ConnectRequest {
  readonly providerSlug: ProviderSlug
  readonly spaceId: SpaceId
  readonly collectionId: CollectionId
  readonly redirectUri?: string | undefined
  readonly connectorId?: ConnectorId | undefined
  /** A `token` that is no ticket: kept for the platform, grants nothing. */
  readonly callerContext?: Secret | undefined
  readonly origin?: string | undefined
  readonly scopes?: readonly string[] | undefined
  readonly loginHint?: string | undefined
  readonly allowAccountChange?: boolean | undefined
  /** Of the hosted page that the attempt is made on. */
  readonly connectSessionId?: ConnectSessionId | undefined
  /** Absent: the caller had no way to name any, as on the authorize endpoint; not the same as none. */
  readonly urlVariables?: UrlValues | undefined
}

type Needs = Pick<Context, 'database' | 'vault' | 'catalog' | 'clock' | 'settings'>

/**
 * Judges a request to connect and draws up its transaction, without storing it.
 *
 * Throws 403, 404 and 409 problems in that order, and 429 `too_many_pending`.
 */
export async function prepareTransaction(
  context: Needs,
  principal: Principal,
  request: ConnectRequest,
): Promise<{ readonly row: Omit<NewTransaction, 'beginning'>; readonly provider: ProviderInUse }> {
  requireRight(principal, 'connectors:connect')
  requireReach(principal, request.spaceId, request.collectionId)
  const { tenantId } = principal
  const app = await findUsableApp(context, tenantId, request.providerSlug)
  const known = await findKnown(context, principal, request)
  const knownValues = known !== undefined && isSamePlace(known, request) ? keptValues(known) : {}
  const values = connectionValues(app, request.urlVariables, knownValues)
  const provider = forConnection(app, values)
  const requestedScopes = chooseScopes(provider, request.scopes)
  const target = await redirectTarget(context, tenantId, request.providerSlug, request.redirectUri)
  if (request.origin !== undefined) await requireAllowedOrigin(context, tenantId, request.origin)
  if (known !== undefined) requireReconnectable(known, app, values, principal, request)
  const now = context.clock.now()
  if (context.settings.limitsPending) await requireRoomForMore(context, principal, now)

  const ids = {
    tenant_id: tenantId,
    transaction_id: mintTransactionId(),
    space_id: request.spaceId,
    collection_id: request.collectionId,
  }
  const row = {
    ...ids,
    provider_slug: request.providerSlug,
    context_id: provider.contextId,
    principal_issuer: principal.issuer,
    principal_subject: principal.subject,
    connector_id: request.connectorId ?? mintConnectorId(),
    connector_named: request.connectorId !== undefined,
    requested_scopes: [...requestedScopes],
    login_hint: request.loginHint ?? null,
    allow_account_change: request.allowAccountChange ?? false,
    url_variables: provider.urlVariables,
    requested_redirect_uri: request.redirectUri ?? null,
    landing_uri: target.landingUri ?? null,
    oauth_redirect_uri: target.oauthRedirectUri,
    origin: request.origin ?? null,
    connect_session_id: request.connectSessionId ?? null,
    caller_context:
      request.callerContext === undefined
        ? null
        : await context.vault.seal(transactionPlace(ids, 'caller_context'), request.callerContext),
    created_at: now,
    expires_at: plusMs(now, transactionLifeMs),
  }
  return { row, provider }
}

function chooseScopes(provider: ProviderInUse, asked: readonly string[] | undefined): readonly string[] {
  if (asked === undefined) return provider.requestedScopes
  const foreign = asked.filter((scope) => !provider.allowedScopes.has(scope))
  if (foreign.length === 0) return asked
  throw new Problem('scope_not_allowed')
}

async function findKnown(
  context: Needs,
  { tenantId }: Principal,
  request: ConnectRequest,
): Promise<ConnectorRow | undefined> {
  if (request.connectorId === undefined) return undefined
  return findConnector(context.database.tenant(tenantId), tenantId, connectorId(request.connectorId))
}

function requireReconnectable(
  known: ConnectorRow,
  app: UsableApp,
  values: UrlValues,
  principal: Principal,
  request: ConnectRequest,
): void {
  // A connector_id that lives elsewhere in the tenant would otherwise be moved, tokens and all.
  if (!isSamePlace(known, request)) throw new Problem('connector_id_taken')
  if (request.allowAccountChange !== true && areOtherValues(app, keptValues(known), values)) throw otherHost()
  requireMayReplace(principal, known, { allow_account_change: request.allowAccountChange === true })
}

/**
 * Another user may renew the same account's consent. To put a different account in its place, or one that cannot be
 * compared, is to change somebody else's connector, which takes `connectors:manage`: at the start, and still at the end.
 */
export function requireMayReplace(
  principal: Principal,
  known: ConnectorRow,
  asked: { readonly allow_account_change: boolean },
): void {
  const mayDiffer = asked.allow_account_change || known.account_id === null
  if (mayDiffer && !isSamePrincipal(principal, known)) requireRight(principal, 'connectors:manage')
}

/** The same account id at another host is another account. */
export function otherHost(): Problem {
  return new Problem('account_changed', {
    detail:
      'This connector belongs to an account at another address; give the same url_variables, or start a session with allow_account_change.',
  })
}

/** Whether a connector belongs to the space, collection and provider of a request. */
export function isSamePlace(
  known: { readonly space_id: string; readonly collection_id: string; readonly provider_slug: string },
  request: Pick<ConnectRequest, 'spaceId' | 'collectionId' | 'providerSlug'>,
): boolean {
  return (
    known.space_id === request.spaceId &&
    known.collection_id === request.collectionId &&
    known.provider_slug === request.providerSlug
  )
}

async function requireRoomForMore(context: Needs, principal: Principal, now: Date): Promise<void> {
  const { tenantId } = principal
  const pending = await countPendingTransactions(context.database.tenant(tenantId), tenantId, principal, now)
  if (pending.ofPrincipal < pendingPerPrincipal && pending.ofTenant < pendingPerTenant) return
  throw new Problem('too_many_pending', { retryAfterSeconds: 60 })
}
