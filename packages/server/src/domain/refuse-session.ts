import { tenantId, transactionId } from '../core/ids.ts'
import { addAuditEntry } from '../store/audit.ts'
import type { Db } from '../store/database.ts'
import type { Transaction } from '../store/find-transactions.ts'
import { finishTransaction } from '../store/transactions.ts'
import type { Context } from './context.ts'
import type { ConnectRequest } from './prepare-transaction.ts'
import type { Principal } from './principal.ts'

/** Who was refused. */
type Refused = Pick<Principal, 'tenantId' | 'issuer' | 'subject'>
type Needs = Pick<Context, 'database' | 'clock'>

/**
 * Ends a transaction as failed and records why, both or neither. Does nothing to one that has ended, or whose code somebody
 * exchanges: a grant that is on its way would be lost.
 */
export async function endRefused(
  context: Needs,
  transaction: Transaction,
  reason: string,
  refused?: Refused,
): Promise<void> {
  await end(context, transaction, reason, refused, false)
}

/** The same, called by the one who exchanges the code. */
export async function endExchange(
  context: Needs,
  transaction: Transaction,
  reason: string,
  refused: Refused,
): Promise<void> {
  await end(context, transaction, reason, refused, true)
}

async function end(
  context: Needs,
  transaction: Transaction,
  reason: string,
  refused: Refused | undefined,
  isExchanger: boolean,
): Promise<void> {
  const tenant = tenantId(transaction.tenant_id)
  await context.database.transaction(tenant, async (db) => {
    const failed = { now: context.clock.now(), status: 'failed', errorCode: reason, isExchanger } as const
    const ended = await finishTransaction(db, tenant, transactionId(transaction.transaction_id), failed)
    if (ended !== 'over') await record(context, db, transaction, reason, refused)
  })
}

/** Records why a request about a transaction was refused, where the transaction itself goes on. */
export async function recordRefusal(
  context: Needs,
  transaction: Transaction,
  reason: string,
  refused?: Refused,
): Promise<void> {
  await record(context, context.database.tenant(tenantId(transaction.tenant_id)), transaction, reason, refused)
}

/**
 * Records why somebody could not even begin: there is no transaction then. Each reason once a minute for a person, with
 * what was asked for first, whatever else is tried: names and places in a request are free to invent.
 */
export async function recordRefusedStart(
  context: Needs,
  principal: Principal,
  request: Pick<ConnectRequest, 'providerSlug' | 'spaceId' | 'collectionId' | 'connectorId'>,
  reason: string,
): Promise<void> {
  const { tenantId: tenant, issuer, subject } = principal
  const now = context.clock.now()
  const minute = Math.floor(now.getTime() / 60_000)
  await addAuditEntry(
    context.database.tenant(tenant),
    tenant,
    {
      action: 'session.refused',
      actorId: subject,
      resourceType: 'tenant',
      resourceId: tenant,
      place: { space_id: request.spaceId, collection_id: request.collectionId },
      metadata: { reason, provider_slug: request.providerSlug, connector_id: request.connectorId, issuer },
      onlyOnce: JSON.stringify(['start', issuer, subject, reason, minute]),
    },
    now,
  )
}

/**
 * Each reason once for a transaction: whoever tries again and again, with a stolen link perhaps, fills no record.
 *
 * The actor is who was refused, where that is known; a subject of another tenant is none of this tenant's business.
 */
async function record(
  context: Needs,
  db: Db,
  transaction: Transaction,
  reason: string,
  refused: Refused | undefined,
): Promise<void> {
  const isForeign = refused !== undefined && refused.tenantId !== transaction.tenant_id
  const who = isForeign ? undefined : refused
  await addAuditEntry(
    db,
    tenantId(transaction.tenant_id),
    {
      action: 'session.refused',
      actorId: who?.subject,
      resourceType: 'session',
      resourceId: transaction.transaction_id,
      place: transaction,
      metadata: {
        reason,
        provider_slug: transaction.provider_slug,
        connector_id: transaction.connector_id,
        started_by: transaction.principal_subject,
        ...(who && { issuer: who.issuer }),
        ...(isForeign && { other_tenant: true }),
      },
      onlyOnce: `${transaction.transaction_id}\n${reason}`,
    },
    context.clock.now(),
  )
}
