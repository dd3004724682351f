import { plusMs } from '../core/clock.ts'
import {
  connectSessionId,
  handleDigest,
  mintConnectSessionId,
  providerSlug,
  randomHandle,
  type CollectionId,
  type ConnectorId,
  type ConnectSessionId,
  type ProviderSlug,
  type SpaceId,
} from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import { Secret } from '../core/secret.ts'
import { addAuditEntry } from '../store/audit.ts'
import {
  addConnectSession,
  countLiveConnectSessions,
  findConnectSession,
  type ConnectSession,
} from '../store/connect-sessions.ts'
import { findConnector } from '../store/connectors.ts'
import { findNewestAttempt } from '../store/find-transactions.ts'
import { connectSessionStatus, type ConnectSessionStatus } from './connect-session-status.ts'
import { factsOfConnected, type ConnectedFacts } from './connected-facts.ts'
import type { Context } from './context.ts'
import { InvalidFields } from './invalid-fields.ts'
import { isSamePrincipal, requireReach, requireRight, type Principal } from './principal.ts'
import { findDefinition } from './provider-client.ts'
import { redirectTarget, requireAllowedOrigin } from './redirect-target.ts'

/** Marks a connect token as one, so that it is told from a bearer token before any look-up. */
export const connectTokenPrefix = 'cst_'
const liveAtMost = 100
const maxTtlSeconds = { popup: 3600, redirect: 3600, link: 7 * 24 * 3600 } as const
const defaultTtlSeconds = { popup: 1800, redirect: 1800, link: 7 * 24 * 3600 } as const
/** All that an attempt may need; what else the bearer allowed is not kept. */
const keptRights = ['connectors:connect', 'connectors:manage'] as const

export type ConnectMode = ConnectSession['mode']

/** What a caller asks of a hosted page. */
export interface ConnectSessionRequest {
  readonly spaceId: SpaceId
  readonly collectionId: CollectionId
  readonly providers: readonly ProviderSlug[] | undefined
  readonly connectorId: ConnectorId | undefined
  readonly redirectUri: string | undefined
  readonly origin: string | undefined
  readonly scopes: readonly string[] | undefined
  readonly allowAccountChange: boolean
  readonly mode: ConnectMode
  readonly locale: string | undefined
  readonly display: Readonly<Record<string, string>>
  readonly ttlSeconds: number | undefined
}

type Needs = Pick<Context, 'catalog' | 'clock' | 'database' | 'settings'>

/**
 * Makes a session of the hosted page. The token in the page's fragment shows what may be connected and starts attempts in
 * the caller's name; it completes nothing, which needs the caller's own bearer.
 */
export async function createConnectSession(
  context: Needs,
  principal: Principal,
  request: ConnectSessionRequest,
): Promise<{ readonly id: ConnectSessionId; readonly connectUrl: string; readonly expiresAt: Date }> {
  requireConsistent(request)
  requireRight(principal, 'connectors:connect')
  requireReach(principal, request.spaceId, request.collectionId)
  const { tenantId } = principal
  const db = context.database.tenant(tenantId)
  const providers = await judgeProviders(context, principal, request)
  if (request.redirectUri !== undefined) {
    // An empty slug fits no callback entry: only a page where the user is signed in can complete.
    await redirectTarget(context, tenantId, providerSlug(''), request.redirectUri)
  }
  if (request.origin !== undefined) await requireAllowedOrigin(context, tenantId, request.origin)
  const now = context.clock.now()
  if (context.settings.limitsPending && (await countLiveConnectSessions(db, tenantId, principal, now)) >= liveAtMost) {
    throw new Problem('too_many_connect_sessions', { retryAfterSeconds: 60 })
  }
  const id = mintConnectSessionId()
  const token = new Secret(connectTokenPrefix + randomHandle())
  const expiresAt = plusMs(now, (request.ttlSeconds ?? defaultTtlSeconds[request.mode]) * 1000)
  const place = { space_id: request.spaceId, collection_id: request.collectionId }
  await context.database.transaction(tenantId, async (inTransaction) => {
    await addConnectSession(inTransaction, {
      tenant_id: tenantId,
      connect_session_id: id,
      token_digest: handleDigest(token.reveal()),
      mode: request.mode,
      principal_issuer: principal.issuer,
      principal_subject: principal.subject,
      rights: keptRights.filter((right) => principal.rights.has(right)),
      spaces: principal.spaces === undefined ? null : [...principal.spaces],
      collections: principal.collections === undefined ? null : [...principal.collections],
      ...place,
      provider_slugs: providers === undefined ? null : [...providers],
      connector_id: request.connectorId ?? null,
      redirect_uri: request.redirectUri ?? null,
      origin: request.origin ?? null,
      scopes: request.scopes === undefined ? null : [...request.scopes],
      allow_account_change: request.allowAccountChange,
      locale: request.locale ?? null,
      display: request.display,
      created_at: now,
      expires_at: expiresAt,
    })
    await addAuditEntry(
      inTransaction,
      tenantId,
      {
        action: 'connect_session.created',
        actorId: principal.subject,
        resourceType: 'session',
        resourceId: id,
        place,
        metadata: { mode: request.mode, connector_id: request.connectorId, issuer: principal.issuer },
      },
      now,
    )
  })
  return { id, connectUrl: `${context.settings.publicUrl}/connect/${id}#${token.reveal()}`, expiresAt }
}

/** How far a connect session has come, for the principal who made it; reading never completes anything. */
export async function readConnectSession(
  context: Pick<Context, 'database' | 'clock'>,
  principal: Principal,
  id: string,
): Promise<ConnectSessionStatus & { readonly facts: ConnectedFacts | undefined }> {
  requireRight(principal, 'connectors:connect')
  const { tenantId } = principal
  const db = context.database.tenant(tenantId)
  const session = await findConnectSession(db, tenantId, connectSessionId(id))
  if (session === undefined || !isSamePrincipal(principal, session)) throw new Problem('connect_session_unknown')
  const attempt = await findNewestAttempt(db, tenantId, connectSessionId(id))
  const status = connectSessionStatus(session, attempt, context.clock.now())
  return { ...status, facts: await factsOfConnected(db, principal, status.connectorId) }
}

/** What no single field shows. Throws 422. */
function requireConsistent(request: ConnectSessionRequest): void {
  const problems = []
  const most = maxTtlSeconds[request.mode]
  if (request.ttlSeconds !== undefined && request.ttlSeconds > most) {
    const msg = `ensure this value is less than or equal to ${most}`
    problems.push({ loc: ['body', 'ttl_seconds'], msg, type: 'value_error.number.not_le' })
  }
  if (request.mode !== 'popup' && request.redirectUri === undefined) {
    problems.push({ loc: ['body', 'redirect_uri'], msg: 'field required', type: 'value_error.missing' })
  }
  if (request.scopes !== undefined && new Set(request.providers).size !== 1) {
    problems.push({ loc: ['body', 'scopes'], msg: 'scopes go with one provider only', type: 'value_error' })
  }
  if (problems.length > 0) throw new InvalidFields(problems)
}

/** A known connector leaves its own provider only. Throws 404 `provider_unknown`, 409 `connector_id_taken`. */
async function judgeProviders(
  context: Needs,
  principal: Principal,
  request: ConnectSessionRequest,
): Promise<readonly ProviderSlug[] | undefined> {
  const { tenantId } = principal
  const asked = request.providers && [...new Set(request.providers)]
  const definitions = await Promise.all((asked ?? []).map((slug) => findDefinition(context, tenantId, slug)))
  if (definitions.includes(undefined)) throw new Problem('provider_unknown')
  if (request.connectorId === undefined) return asked
  const known = await findConnector(context.database.tenant(tenantId), tenantId, request.connectorId)
  if (known === undefined) return asked
  const isHere = known.space_id === request.spaceId && known.collection_id === request.collectionId
  const slug = providerSlug(known.provider_slug)
  if (!isHere || asked?.includes(slug) === false) throw new Problem('connector_id_taken')
  return [slug]
}
