import { handleDigest, providerSlug, randomHandle, tenantId, transactionId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import { Secret } from '../core/secret.ts'
import { buildAuthorizationUrl, usesNonce, usesPkce } from '../oauth/authorization-url.ts'
import { createVerifier, s256Challenge } from '../oauth/pkce.ts'
import { findByTicket, type Transaction } from '../store/find-transactions.ts'
import { addTransaction, startTransaction, type Sent } from '../store/transactions.ts'
import { keptValues } from './connection-values.ts'
import type { Context } from './context.ts'
import { prepareTransaction, type ConnectRequest } from './prepare-transaction.ts'
import { isSamePrincipal, type Principal } from './principal.ts'
import { providerInUse, type ProviderInUse } from './provider-client.ts'
import { recordRefusal, recordRefusedStart } from './refuse-session.ts'
import { ticketPrefix } from './start-session.ts'
import { transactionPlace } from './transaction-places.ts'

type Needs = Pick<Context, 'database' | 'vault' | 'catalog' | 'clock' | 'settings'>

/** The query of the authorize endpoint, well-formed. */
export interface AuthorizeRequest extends Pick<
  ConnectRequest,
  'providerSlug' | 'spaceId' | 'collectionId' | 'redirectUri' | 'connectorId'
> {
  readonly token: Secret | undefined
  readonly tenantId: string | undefined
}

/** Who asks to authorize: proven by bearer or cookie, by a ticket, or by both. */
export interface AuthorizeCaller {
  readonly principal: Principal | undefined
  readonly ticket: Transaction | undefined
}

export interface Departure {
  /** Where the browser goes: the provider's consent page. */
  readonly location: string
  /** To be set as this browser's cookie, when asked for. */
  readonly browserBinding: Secret | undefined
  readonly transactionId: string
}

/**
 * Finds out who asks, without side effect.
 *
 * Throws 401 `invalid_ticket` for a ticket that is unknown, used or expired, and 401 `unauthorized` when nothing proves anybody.
 */
export async function identifyCaller(
  context: Pick<Context, 'database' | 'clock'>,
  principal: Principal | undefined,
  token: string | undefined,
): Promise<AuthorizeCaller> {
  if (token?.startsWith(ticketPrefix)) {
    const ticket = await findByTicket(context.database.system, handleDigest(token), context.clock.now())
    if (ticket === undefined) throw new Problem('invalid_ticket')
    return { principal, ticket }
  }
  // A token that is no ticket proves nobody, not even when it is a valid bearer token (RFC 9700 §4.3.2).
  if (principal === undefined) throw new Problem('unauthorized')
  return { principal, ticket: undefined }
}

/** Starts a transaction and says where to send the browser. Uses a ticket up; of many parallel uses one succeeds. */
export async function authorize(
  context: Needs,
  caller: AuthorizeCaller,
  request: AuthorizeRequest,
  bindsBrowser: 'binds-browser' | 'any-browser',
): Promise<Departure> {
  try {
    return await depart(context, caller, request, bindsBrowser)
  } catch (error) {
    const { ticket, principal } = caller
    if (!(error instanceof Problem)) throw error
    if (ticket !== undefined) await recordRefusal(context, ticket, error.publicCode, principal)
    else if (principal !== undefined) await recordRefusedStart(context, principal, request, error.publicCode)
    throw error
  }
}

async function depart(
  context: Needs,
  caller: AuthorizeCaller,
  request: AuthorizeRequest,
  bindsBrowser: 'binds-browser' | 'any-browser',
): Promise<Departure> {
  const { row, provider, store } = await admit(context, caller, request)
  const { client } = provider
  const state = new Secret(randomHandle())
  const verifier = createVerifier()
  const nonce = usesNonce(client.definition, row.requested_scopes) ? new Secret(randomHandle()) : undefined
  const browserBinding = bindsBrowser === 'binds-browser' ? new Secret(randomHandle()) : undefined
  await store({
    now: context.clock.now(),
    stateDigest: handleDigest(state.reveal()),
    verifier: await context.vault.seal(transactionPlace(row, 'verifier'), verifier),
    nonce: nonce && (await context.vault.seal(transactionPlace(row, 'nonce'), nonce)),
    browserDigest: browserBinding && handleDigest(browserBinding.reveal()),
  })
  const location = buildAuthorizationUrl(client, {
    redirectUri: row.oauth_redirect_uri,
    state: state.reveal(),
    codeChallenge: usesPkce(client.definition) ? s256Challenge(verifier) : undefined,
    scopes: row.requested_scopes,
    nonce: nonce?.reveal(),
    loginHint: row.login_hint ?? undefined,
  })
  return { location, browserBinding, transactionId: row.transaction_id }
}

type Row = Omit<
  Transaction,
  'status' | 'error_code' | 'verifier' | 'nonce' | 'code' | 'completion_expires_at' | 'started_at'
>

interface Admitted {
  readonly row: Row
  readonly provider: ProviderInUse
  /** Stores the transaction as started. Throws `invalid_ticket` when another request was first. */
  readonly store: (sent: Sent) => Promise<void>
}

async function admit(
  context: Needs,
  { principal, ticket }: AuthorizeCaller,
  request: AuthorizeRequest,
): Promise<Admitted> {
  const tenant = principal?.tenantId ?? ticket?.tenant_id
  if (request.tenantId !== undefined && request.tenantId !== tenant) throw new Problem('tenant_mismatch')
  if (ticket !== undefined) {
    if (principal !== undefined && !isSamePrincipal(principal, ticket)) throw new Problem('principal_mismatch')
    if (!isMintedFor(ticket, request)) throw new Problem('ticket_mismatch')
    const owner = tenantId(ticket.tenant_id)
    const provider = await providerInUse(context, owner, providerSlug(ticket.provider_slug), keptValues(ticket))
    return {
      row: ticket,
      provider,
      async store(sent) {
        const id = transactionId(ticket.transaction_id)
        const { contextId } = provider
        const isFirst = await startTransaction(context.database.tenant(owner), owner, id, { ...sent, contextId })
        if (!isFirst) throw new Problem('invalid_ticket')
      },
    }
  }
  if (principal === undefined) throw new Problem('unauthorized')
  const prepared = await prepareTransaction(context, principal, { ...request, callerContext: request.token })
  const db = context.database.tenant(principal.tenantId)
  return {
    ...prepared,
    store: (sent) => addTransaction(db, { ...prepared.row, beginning: { kind: 'started', ...sent } }),
  }
}

/** A ticket opens exactly what it was minted for; the query may neither change nor add anything. */
function isMintedFor(ticket: Transaction, request: AuthorizeRequest): boolean {
  return (
    ticket.provider_slug === request.providerSlug &&
    ticket.space_id === request.spaceId &&
    ticket.collection_id === request.collectionId &&
    ticket.requested_redirect_uri === (request.redirectUri ?? null) &&
    (ticket.connector_named ? ticket.connector_id : undefined) === request.connectorId
  )
}
