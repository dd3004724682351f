import { mintAuditId, type TenantId, type TransactionId } from '../core/ids.ts'
import { isOrderedAway } from './connecting.ts'
import { statement, type Db } from './database.ts'
import type { Transaction } from './find-transactions.ts'

/** A start, or a refusal's end, goes into the record in the statement that brings it about. */
const record = `insert into audit_entries
     (tenant_id, entry_id, action, actor_id, resource_type, resource_id, space_id, collection_id, metadata, created_at)`
const ids = `principal_subject, principal_issuer, provider_slug, connector_id, space_id, collection_id`
const words = `jsonb_build_object('provider_slug', provider_slug, 'connector_id', connector_id, 'issuer', principal_issuer`

const insertOne = statement(
  'transactions.add',
  `with added as (
   insert into transactions
     (tenant_id, transaction_id, status, provider_slug, context_id, principal_issuer, principal_subject, space_id,
      collection_id, connector_id, connector_named, requested_scopes, login_hint, allow_account_change,
      requested_redirect_uri, landing_uri, oauth_redirect_uri, origin, caller_context, ticket_digest,
      ticket_expires_at, created_at, expires_at, state_digest, verifier, nonce, browser_digest, started_at,
      connect_session_id, url_variables)
   values ($1, $2, $24, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
           $25, $26, $27, $28, $29, $30, $31)
   returning tenant_id, transaction_id, ${ids}, created_at, status)
   ${record}
   select tenant_id, $23, 'session.' || status, principal_subject, 'session', transaction_id, space_id, collection_id,
          ${words}), created_at
   from added`,
)

const start = statement(
  'transactions.start',
  `with started as (
   update transactions
   set status = 'started', ticket_digest = null, state_digest = $4, verifier = $5, nonce = $6, browser_digest = $7,
       started_at = $3, context_id = $8
   where tenant_id = $1 and transaction_id = $2 and status = 'created' and expires_at > $3
     and ticket_expires_at > $3
   returning tenant_id, transaction_id, ${ids})
   ${record}
   select tenant_id, $9, 'session.started', principal_subject, 'session', transaction_id, space_id, collection_id,
          ${words}), $3
   from started
   returning resource_id`,
)

const park = statement(
  'transactions.park',
  `update transactions
   set status = 'parked', code = $4, completion_digest = $5, completion_expires_at = $6, browser_digest = null
   where tenant_id = $1 and transaction_id = $2 and status = 'started' and expires_at > $3
   returning transaction_id`,
)

const claimStarted = statement(
  'transactions.claim_started',
  `update transactions
   set status = 'exchanging'
   where tenant_id = $1 and transaction_id = $2 and status = 'started' and expires_at > $3
   returning ${isOrderedAway} as is_ordered_away`,
)

const claimParked = statement(
  'transactions.claim_parked',
  `update transactions
   set status = 'exchanging'
   where tenant_id = $1 and transaction_id = $2 and status = 'parked' and completion_expires_at > $3
     and completion_digest = $4
   returning ${isOrderedAway} as is_ordered_away`,
)

const finish = statement(
  'transactions.finish',
  `update transactions
   set status = $4, error_code = $5, finished_at = $3, code = null, verifier = null, nonce = null,
       caller_context = null, browser_digest = null, completion_digest = null, ticket_digest = null
   where tenant_id = $1 and transaction_id = $2 and status not in ('connected', 'failed')
     and (status <> 'exchanging' or $6)
   returning ${isOrderedAway} as is_ordered_away`,
)

const deleteOld = statement('transactions.purge', 'delete from transactions where expires_at < $1')

const shredExpired = statement(
  'transactions.shred',
  `update transactions
   set code = null, verifier = null, nonce = null, caller_context = null, state_digest = null, ticket_digest = null
   where expires_at < $1 and (code is not null or verifier is not null or caller_context is not null)`,
)

export interface NewTransaction extends Omit<
  Transaction,
  'status' | 'error_code' | 'verifier' | 'nonce' | 'code' | 'completion_expires_at' | 'started_at'
> {
  /** How it begins: with a ticket that will start it, or started at once. */
  readonly beginning:
    | { readonly kind: 'created'; readonly ticketDigest: Buffer; readonly ticketExpiresAt: Date }
    | ({ readonly kind: 'started' } & Sent)
}

/** What went to the provider, as it is kept. */
export interface Sent {
  readonly now: Date
  readonly stateDigest: Buffer
  readonly verifier: Buffer
  readonly nonce: Buffer | undefined
  readonly browserDigest: Buffer | undefined
}

export async function addTransaction(db: Db, row: NewTransaction): Promise<void> {
  const { beginning } = row
  const ticket = beginning.kind === 'created' ? beginning : undefined
  const sent = beginning.kind === 'started' ? beginning : undefined
  await db.query(insertOne, [
    row.tenant_id,
    row.transaction_id,
    row.provider_slug,
    row.context_id,
    row.principal_issuer,
    row.principal_subject,
    row.space_id,
    row.collection_id,
    row.connector_id,
    row.connector_named,
    row.requested_scopes,
    row.login_hint,
    row.allow_account_change,
    row.requested_redirect_uri,
    row.landing_uri,
    row.oauth_redirect_uri,
    row.origin,
    row.caller_context,
    ticket?.ticketDigest ?? null,
    ticket?.ticketExpiresAt ?? null,
    row.created_at,
    row.expires_at,
    mintAuditId(),
    beginning.kind,
    sent?.stateDigest ?? null,
    sent?.verifier ?? null,
    sent?.nonce ?? null,
    sent?.browserDigest ?? null,
    sent?.now ?? null,
    row.connect_session_id,
    JSON.stringify(row.url_variables),
  ])
}

/** Uses the ticket up and records what was sent to the provider. Answers `false` to all callers but one. */
export async function startTransaction(
  db: Db,
  tenantId: TenantId,
  id: TransactionId,
  sent: Sent & { readonly contextId: string },
): Promise<boolean> {
  const { now, stateDigest, verifier, nonce, browserDigest, contextId } = sent
  const binding = browserDigest ?? null
  const values = [tenantId, id, now, stateDigest, verifier, nonce ?? null, binding, contextId, mintAuditId()]
  return (await db.query(start, values)).length > 0
}

/** Keeps the sealed code until the starter completes. Answers `false` when another callback was first. */
export async function parkCode(
  db: Db,
  tenantId: TenantId,
  id: TransactionId,
  parked: {
    readonly now: Date
    readonly code: Buffer
    readonly completionDigest: Buffer
    readonly completionExpiresAt: Date
  },
): Promise<boolean> {
  const { now, code, completionDigest, completionExpiresAt } = parked
  return (await db.query(park, [tenantId, id, now, code, completionDigest, completionExpiresAt])).length > 0
}

/** A change of a transaction, and whether an order of the kill switch means it: it began before an order that it fits. */
interface Changed {
  readonly is_ordered_away: boolean
}

/**
 * Takes the sole right to make the token request. Answers `taken` to all callers but one (RFC 6749 §4.1.2).
 *
 * Once taken it is never given back: a process that dies here leaves a spent code behind, and the transaction expires.
 */
export async function claimExchange(
  db: Db,
  tenantId: TenantId,
  id: TransactionId,
  now: Date,
  completionDigest: Buffer | undefined,
): Promise<'claimed' | 'ordered-away' | 'taken'> {
  const [changed] =
    completionDigest === undefined
      ? await db.query<Changed>(claimStarted, [tenantId, id, now])
      : await db.query<Changed>(claimParked, [tenantId, id, now, completionDigest])
  if (changed === undefined) return 'taken'
  return changed.is_ordered_away ? 'ordered-away' : 'claimed'
}

/**
 * Ends a transaction and destroys its secrets. Answers `over` when it had ended before. Once its code is being exchanged,
 * only whoever exchanges it may end it.
 */
export async function finishTransaction(
  db: Db,
  tenantId: TenantId,
  id: TransactionId,
  end: {
    readonly now: Date
    readonly status: 'connected' | 'failed'
    readonly errorCode: string | undefined
    readonly isExchanger: boolean
  },
): Promise<'finished' | 'ordered-away' | 'over'> {
  const { now, status, errorCode, isExchanger } = end
  const [changed] = await db.query<Changed>(finish, [tenantId, id, now, status, errorCode ?? null, isExchanger])
  if (changed === undefined) return 'over'
  return changed.is_ordered_away ? 'ordered-away' : 'finished'
}

/** Destroys the secrets of expired transactions, and forgets those that ended before `forgetBefore`. */
export async function purgeTransactions(system: Db, now: Date, forgetBefore: Date): Promise<void> {
  await system.query(shredExpired, [now])
  await system.query(deleteOld, [forgetBefore])
}
