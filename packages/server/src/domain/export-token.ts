import { Problem } from '../core/problem.ts'
import type { ConnectorPlaceRequest } from './connectors.ts'
import type { Context } from './context.ts'
import { freshAccess, type ReadyAccess } from './fresh-access.ts'
import { requireReach, requireRight, type Principal } from './principal.ts'
import type { RefreshNeeds } from './refresh.ts'

/**
 * Hands out a raw access token, good for at least `minTtlMs`.
 *
 * Throws 404 `connector_unknown`, 409 `reauth_required`, `connector_disconnected`, `connector_paused`, 503 `provider_unavailable`.
 */
export async function exportToken(
  context: RefreshNeeds & Pick<Context, 'activity'>,
  principal: Principal,
  place: ConnectorPlaceRequest,
  minTtlMs: number,
): Promise<ReadyAccess> {
  requireRight(principal, 'connectors:token')
  requireReach(principal, place.spaceId, place.collectionId)
  const access = await freshAccess(context, principal.tenantId, place, minTtlMs)
  switch (access.kind) {
    case 'ready':
      await context.activity.note({
        action: 'token.exported',
        tenantId: principal.tenantId,
        connectorId: place.connectorId,
        place: { space_id: place.spaceId, collection_id: place.collectionId },
        actorId: principal.subject,
        metadata: {},
      })
      return access
    case 'unknown':
      throw new Problem('connector_unknown')
    case 'disconnected':
      throw new Problem('connector_disconnected')
    case 'paused':
      throw new Problem('connector_paused')
    case 'reauth-required':
      throw new Problem('reauth_required')
    case 'unavailable':
      throw new Problem('provider_unavailable', { retryAfterSeconds: access.retryAfterSeconds })
  }
}
