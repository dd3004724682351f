import { plusMs } from '../core/clock.ts'
import { connectorId, tenantId, type ConnectorId, type TenantId } from '../core/ids.ts'
import { addAuditEntry } from '../store/audit.ts'
import { findConnector } from '../store/connectors.ts'
import {
  beginMassRevocationAgain,
  dueMassRevocations,
  endMassRevocation,
  meantConnectors,
  moveOnMassRevocation,
  postponeMassRevocation,
  type MassRevocation,
  type MassRevocationFilter,
} from '../store/mass-revocations.ts'
import type { ConnectorRow } from '../store/rows.ts'
import type { Context } from './context.ts'
import { endConnector } from './end-connector.ts'

const ordersAtOnce = 5
const connectorsOfOrder = 50
/** An order that cannot go on (its key service does not answer) leaves its place to others for so long. */
const retryMs = 30_000
/** Side by side: less than half of the pool, so that requests go on being served. */
const atOnce = 4

type Needs = Pick<Context, 'database' | 'vault' | 'clock' | 'wakeUp' | 'log'>

/**
 * Works off the orders of the kill switch by a portion each, and answers how many connectors were disconnected.
 *
 * A tenant has one turn at a time, however many orders it gave. Each connector ends in a transaction of its own, just as
 * by `DELETE`. What cannot be disconnected now (its key service does not answer) is left until the others are done, and
 * then throws; it is tried again later.
 */
export async function massRevoke(context: Needs): Promise<number> {
  const orders = await dueMassRevocations(context.database.system, context.clock.now(), ordersAtOnce)
  const portions = await Promise.allSettled(
    orders.map((order) =>
      sweepPortion(context, order).catch(async (error: unknown) => {
        const db = context.database.tenant(tenantId(order.tenant_id))
        await postponeMassRevocation(db, order, plusMs(context.clock.now(), retryMs))
        throw error
      }),
    ),
  )
  const failed = portions.find((portion) => portion.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return portions.reduce((sum, portion) => sum + (portion.status === 'fulfilled' ? portion.value : 0), 0)
}

async function sweepPortion(context: Needs, order: MassRevocation): Promise<number> {
  const tenant = tenantId(order.tenant_id)
  const db = context.database.tenant(tenant)
  const next = await meantConnectors(db, tenant, order, order.swept_to ?? '', connectorsOfOrder)
  const last = next.at(-1)
  if (last === undefined) return endSweep(context, tenant, order)
  const failures = await endConnectors(context, tenant, next, {
    actorId: order.actor_id,
    massRevocationId: order.mass_revocation_id,
    isMeant: (connector) => isMeant(order, connector),
  })
  const now = context.clock.now()
  const retryAt = failures === next.length ? plusMs(now, retryMs) : now
  await moveOnMassRevocation(db, order, { sweptTo: last, leavesSome: failures > 0, retryAt }, now)
  return next.length
}

/** Ends these connectors as `endConnector` does, a few side by side; answers how many could not be ended. */
export async function endConnectors(
  context: Needs,
  tenant: TenantId,
  ids: readonly ConnectorId[],
  ending: Parameters<typeof endConnector>[2],
): Promise<number> {
  let failures = 0
  for (let begin = 0; begin < ids.length; begin += atOnce) {
    const ends = await Promise.allSettled(
      ids.slice(begin, begin + atOnce).map(async (id) => {
        const seen = await findConnector(context.database.tenant(tenant), tenant, connectorId(id))
        if (seen !== undefined && ending.isMeant(seen)) await endConnector(context, seen, ending)
      }),
    )
    failures += ends.filter((end) => end.status === 'rejected').length
  }
  return failures
}

async function endSweep(context: Needs, tenant: TenantId, order: MassRevocation): Promise<number> {
  if (order.has_left_over) {
    await beginMassRevocationAgain(context.database.tenant(tenant), order)
    throw new Error('Some connectors could not be disconnected yet')
  }
  const now = context.clock.now()
  await context.database.transaction(tenant, async (db) => {
    const disconnected = await endMassRevocation(db, order, now)
    if (disconnected === undefined) return
    await addAuditEntry(
      db,
      tenant,
      {
        action: 'mass_revocation.swept',
        actorId: order.actor_id,
        resourceType: 'mass_revocation',
        resourceId: order.mass_revocation_id,
        place: undefined,
        metadata: { disconnected },
      },
      now,
    )
  })
  return 1
}

/** The filter again, of the row as it stands now: it may have been connected anew, or ended by its user. */
function isMeant(filter: MassRevocationFilter, connector: ConnectorRow): boolean {
  const connectedAt = connector.reconnected_at ?? connector.created_at
  return (
    connector.health !== 'disconnected' &&
    connectedAt <= filter.created_at &&
    (filter.provider_slug === null || filter.provider_slug === connector.provider_slug) &&
    (filter.space_id === null || filter.space_id === connector.space_id) &&
    (filter.connected_before === null || connectedAt < filter.connected_before) &&
    (filter.connected_after === null || connectedAt > filter.connected_after) &&
    (filter.principal_id === null || filter.principal_id === connector.principal_subject)
  )
}
