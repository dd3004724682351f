import { plusMs } from '../core/clock.ts'
import { purgeConnectSessions } from '../store/connect-sessions.ts'
import { purgeEventCounts } from '../store/event-counts.ts'
import { purgeIdempotencyKeys } from '../store/idempotency-keys.ts'
import { purgeLeases } from '../store/leases.ts'
import { purgeLoginLinks } from '../store/login-links.ts'
import { purgeRateBudgets } from '../store/rate-budgets.ts'
import { purgeTransactions } from '../store/transactions.ts'
import { purgeDeliveries } from '../store/webhook-deliveries.ts'
import { addUpConnectorCounts } from './add-up-connector-counts.ts'
import type { Context } from './context.ts'

const dayMs = 24 * 60 * 60_000
const keepsDeliveriesMs = 30 * dayMs
const keepsLeasesMs = 30 * dayMs
/** The dashboard looks back thirty days, the day that runs included. */
const keepsEventCountsMs = 32 * dayMs

/**
 * Destroys the secrets of expired authorizations at once, forgets what nobody asks for any more after a day, and
 * keeps counts short. */
export async function purge(context: Pick<Context, 'database' | 'clock'>): Promise<number> {
  const now = context.clock.now()
  const { system } = context.database
  await purgeTransactions(system, now, plusMs(now, -dayMs))
  await purgeIdempotencyKeys(system, plusMs(now, -dayMs))
  await purgeLoginLinks(system, now)
  await purgeConnectSessions(system, plusMs(now, -dayMs))
  await purgeRateBudgets(system, now)
  await purgeLeases(system, plusMs(now, -keepsLeasesMs))
  await purgeDeliveries(system, plusMs(now, -keepsDeliveriesMs))
  await purgeEventCounts(system, plusMs(now, -keepsEventCountsMs))
  await addUpConnectorCounts(context)
  return 0
}
