/**
 * The order in which a tenant's connections and the orders of its kill switch take effect: whoever stores a connector
 * holds this lock in common, whoever orders holds it alone. Times that are read under it are in the order of what the
 * others see, so that no connection from before an order becomes visible after it.
 */
import { tenantId, type TenantId } from '../core/ids.ts'
import { statement, type Db } from './database.ts'
import type { Transaction } from './find-transactions.ts'

const lockInCommon = statement('connecting.begin', 'select pg_advisory_xact_lock_shared(hashtextextended($1, 0))')
const lockAlone = statement('connecting.hold_up', 'select pg_advisory_xact_lock(hashtextextended($1, 0))')

/**
 * An authorization under way has no time of connecting yet, so it stands for every moment from its start to the order: one
 * that began before the window ends and was not over when the window began is meant.
 */
const selectOrder = statement(
  'connecting.find_order',
  `select mass_revocation_id
   from mass_revocations
   where tenant_id = $1 and created_at >= $2
     and (provider_slug is null or provider_slug = $3)
     and (space_id is null or space_id = $4)
     and (principal_id is null or principal_id = $5)
     and (connected_before is null or connected_before > $2)
     and (connected_after is null or connected_after < created_at)
   limit 1`,
)

/** Lets connectors be stored in this transaction; waits for an order that is being given. Take times after it. */
export async function beginConnecting(db: Db, tenant: TenantId): Promise<void> {
  await db.query(lockInCommon, [lockName(tenant)])
}

/** Waits until all connectors that are being stored are, and lets none begin until this transaction ends. */
export async function holdUpConnecting(db: Db, tenant: TenantId): Promise<void> {
  await db.query(lockAlone, [lockName(tenant)])
}

/** Whether the kill switch means this authorization: it began before an order that it fits. */
export async function isOrderedAway(db: Db, transaction: Transaction): Promise<boolean> {
  const { created_at, provider_slug, space_id, principal_subject } = transaction
  const tenant = tenantId(transaction.tenant_id)
  return (await db.query(selectOrder, [tenant, created_at, provider_slug, space_id, principal_subject])).length > 0
}

function lockName(tenant: TenantId): string {
  return JSON.stringify(['connecting', tenant])
}
