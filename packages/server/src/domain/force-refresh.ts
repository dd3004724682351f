import { plusMs } from '../core/clock.ts'
import type { TenantId } from '../core/ids.ts'
import { findConnector } from '../store/connectors.ts'
import type { ConnectorRow } from '../store/rows.ts'
import { asItIs, freshAccess, isAt, type AccessPlace, type FreshAccess, type ReadyAccess } from './fresh-access.ts'
import { refresh, type RefreshNeeds } from './refresh.ts'
import { forcedEveryMs } from './send-refresh.ts'

/** How often the row is judged anew; a look that finds a refresh under way waits for it first. */
const rounds = 5

/**
 * An access token after the provider's API answered 401 to `rejected`.
 *
 * Where the credentials have moved on since, that is the newer token. Else it is refreshed, over all processes at most once
 * a minute for each connector, however long the old token says it lives; within that minute, without a refresh token, or
 * while the provider is in trouble the answer is what there is, which may be the rejected token again (the same
 * `connector.version`): the 401 then stands.
 */
export async function forceRefresh(
  context: RefreshNeeds,
  tenantId: TenantId,
  place: AccessPlace,
  rejected: ReadyAccess,
): Promise<FreshAccess> {
  for (let round = 0; round < rounds; round += 1) {
    const connector = await findConnector(context.database.tenant(tenantId), tenantId, place.connectorId)
    // All that is not about this version is judged as for any other caller.
    const isRejected = connector?.version === rejected.connector.version && isAt(connector, place)
    if (!isRejected || !isRefreshable(connector)) {
      return freshAccess(context, tenantId, place, 0)
    }
    if (!mayForce(context, connector)) return asItIs(context, connector)
    const outcome = await refresh(context, connector, 'rejected')
    switch (outcome.kind) {
      case 'changed':
        continue
      case 'failed':
        return asItIs(context, outcome.connector)
      case 'deferred':
        return asItIs(context, connector, outcome.retryAfterSeconds)
    }
  }
  return { kind: 'unavailable', retryAfterSeconds: 5 }
}

function isRefreshable(connector: ConnectorRow): boolean {
  const { health, paused, refresh_token: refreshToken } = connector
  return (health === 'active' || health === 'degraded') && !paused && refreshToken !== null
}

function mayForce(context: RefreshNeeds, connector: ConnectorRow): boolean {
  const now = context.clock.now()
  // Somebody is at it, for whatever reason: their token is worth the wait.
  if (connector.refresh_lease_ends_at !== null && connector.refresh_lease_ends_at > now) return true
  if (connector.refresh_retry_at !== null && connector.refresh_retry_at > now) return false
  const { refresh_forced_at: forcedAt } = connector
  return forcedAt === null || forcedAt <= plusMs(now, -forcedEveryMs)
}
