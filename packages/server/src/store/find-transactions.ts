import type { ConnectSessionId, TenantId, TransactionId } from '../core/ids.ts'
import { lookup, statement, type Db } from './database.ts'
import type { TransactionRow } from './rows.ts'

/** Columns a flow works with; digests are only ever compared in SQL. */
export type Transaction = Omit<
  TransactionRow,
  'ticket_digest' | 'state_digest' | 'browser_digest' | 'completion_digest' | 'ticket_expires_at' | 'finished_at'
>

const columns = `tenant_id, transaction_id, status, error_code, provider_slug, context_id, principal_issuer,
  principal_subject, space_id, collection_id, connector_id, connector_named, requested_scopes, login_hint,
  allow_account_change, requested_redirect_uri, landing_uri, oauth_redirect_uri, origin, caller_context,
  verifier, nonce, code, completion_expires_at, created_at, started_at, expires_at, connect_session_id, url_variables`

const selectByTicket = lookup(
  'transactions.by_ticket',
  `select ${columns}
   from transactions
   where ticket_digest = $1 and status = 'created' and ticket_expires_at > $2`,
)

const selectByState = lookup(
  'transactions.by_state',
  `select ${columns}, browser_digest is not null as browser_bound, coalesce(browser_digest = any($3::bytea[]), false) as browser_matches
   from transactions
   where state_digest = $1 and status in ('started', 'parked') and expires_at > $2`,
)

const selectOne = lookup(
  'transactions.find',
  `select ${columns}
   from transactions
   where tenant_id = $1 and transaction_id = $2`,
)

const countPending = statement(
  'transactions.pending',
  `select count(*)::int as of_tenant,
          (count(*) filter (where principal_subject = $2 and principal_issuer = $3))::int as of_principal
   from transactions
   where tenant_id = $1 and expires_at > $4 and finished_at is null
     and (status in ('started', 'parked') or (status = 'created' and ticket_expires_at > $4))`,
)

/** The unused, unexpired transaction of a ticket. Looking does not use the ticket up. */
export async function findByTicket(system: Db, digest: Buffer, now: Date): Promise<Transaction | undefined> {
  return (await system.query<Transaction>(selectByTicket, [digest, now]))[0]
}

/** A started or parked transaction with its browser binding judged against the digests of the cookies that came. */
export interface PendingTransaction extends Transaction {
  readonly browser_bound: boolean
  readonly browser_matches: boolean
}

/** The unexpired, unfinished transaction of a state. */
export async function findByState(
  system: Db,
  stateDigest: Buffer,
  now: Date,
  browserDigests: readonly Buffer[],
): Promise<PendingTransaction | undefined> {
  return (await system.query<PendingTransaction>(selectByState, [stateDigest, now, [...browserDigests]]))[0]
}

export async function findTransaction(db: Db, tenantId: TenantId, id: TransactionId): Promise<Transaction | undefined> {
  return (await db.query<Transaction>(selectOne, [tenantId, id]))[0]
}

const selectNewestAttempt = lookup(
  'transactions.newest_attempt',
  `select ${columns}
   from transactions
   where tenant_id = $1 and connect_session_id = $2
   order by created_at desc
   limit 1`,
)

/** The newest attempt of a connect session. */
export async function findNewestAttempt(
  db: Db,
  tenantId: TenantId,
  id: ConnectSessionId,
): Promise<Transaction | undefined> {
  return (await db.query<Transaction>(selectNewestAttempt, [tenantId, id]))[0]
}

/** How many authorizations are open, for the limits on them. */
export async function countPendingTransactions(
  db: Db,
  tenantId: TenantId,
  principal: { readonly issuer: string; readonly subject: string },
  now: Date,
): Promise<{ readonly ofTenant: number; readonly ofPrincipal: number }> {
  const values = [tenantId, principal.subject, principal.issuer, now]
  const [row] = await db.query<{ of_tenant: number; of_principal: number }>(countPending, values)
  return { ofTenant: row?.of_tenant ?? 0, ofPrincipal: row?.of_principal ?? 0 }
}

/** A transaction with its completion code judged. */
export interface CompletableTransaction extends Transaction {
  readonly completion_matches: boolean
}

const selectForCompletion = lookup(
  'transactions.for_completion',
  `select ${columns}, coalesce(completion_digest = $3, false) as completion_matches
   from transactions
   where transaction_id = $1 or state_digest = $2`,
)

/** The transaction that a completion names by id or by state, whatever its status. */
export async function findForCompletion(
  system: Db,
  by: { readonly transactionId: TransactionId | undefined; readonly stateDigest: Buffer | undefined },
  completionDigest: Buffer,
): Promise<CompletableTransaction | undefined> {
  const values = [by.transactionId ?? null, by.stateDigest ?? null, completionDigest]
  return (await system.query<CompletableTransaction>(selectForCompletion, values))[0]
}

const selectAudience = lookup(
  'transactions.audience',
  `select origin
   from transactions
   where transaction_id = $1`,
)

/** The one origin that may be told how a session ends. */
export async function findAudience(
  system: Db,
  id: TransactionId,
): Promise<{ readonly origin: string | null } | undefined> {
  return (await system.query<{ origin: string | null }>(selectAudience, [id]))[0]
}
