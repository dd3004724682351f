/**
 * The order in which a tenant's connections and the orders of its kill switch take effect: whoever stores a connector
 * holds this lock in common and then looks for orders, whoever orders holds it alone and then takes the order's time. So
 * a connection is refused, or was visible before the order was given.
 */
import type { TenantId } from '../core/ids.ts'
import { statement, type Db } from './database.ts'

const lockInCommon = statement('connecting.begin', 'select pg_advisory_xact_lock_shared(hashtextextended($1, 0))')
const lockAlone = statement('connecting.hold_up', 'select pg_advisory_xact_lock(hashtextextended($1, 0))')

/**
 * Whether an order means the authorization of a row of `transactions`. It has no time of connecting yet, so it stands for every
 * moment from its start to the order: one that began before the window ends and was not over when the window began is meant.
 */
export const isOrderedAway = `exists (
     select
     from mass_revocations as given
     where given.tenant_id = transactions.tenant_id and given.created_at >= transactions.created_at
       and (given.provider_slug is null or given.provider_slug = transactions.provider_slug)
       and (given.space_id is null or given.space_id = transactions.space_id)
       and (given.principal_id is null or given.principal_id = transactions.principal_subject)
       and (given.connected_before is null or given.connected_before > transactions.created_at)
       and (given.connected_after is null or given.connected_after < given.created_at))`

/** Lets connectors be stored in this transaction; waits for an order that is being given. */
export async function beginConnecting(db: Db, tenant: TenantId): Promise<void> {
  await db.query(lockInCommon, [lockName(tenant)])
}

/** Waits until all connectors that are being stored are, and lets none begin until this transaction ends. */
export async function holdUpConnecting(db: Db, tenant: TenantId): Promise<void> {
  await db.query(lockAlone, [lockName(tenant)])
}

function lockName(tenant: TenantId): string {
  return JSON.stringify(['connecting', tenant])
}
