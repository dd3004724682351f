import { Problem } from '../core/problem.ts'
import { findConnector } from '../store/connectors.ts'
import type { Use } from './use-tallies.ts'
import type { ConnectorPlaceRequest } from './connectors.ts'
import type { Context } from './context.ts'
import { freshAccess, isAt, type ReadyAccess } from './fresh-access.ts'
import { noAccess } from './no-access.ts'
import { requireReach, requireRight, type Principal } from './principal.ts'
import type { RefreshNeeds } from './refresh.ts'

/**
 * Hands out a raw access token, good for at least `minTtlMs`. That, or why there was none, is on record.
 *
 * Throws 404 `connector_unknown`, 409 `reauth_required`, `connector_disconnected`, `connector_paused`, 503 `provider_unavailable`.
 */
export async function exportToken(
  context: RefreshNeeds & Pick<Context, 'activity'>,
  principal: Principal,
  place: ConnectorPlaceRequest,
  minTtlMs: number,
): Promise<ReadyAccess> {
  await requireExport(context, principal, place)
  const access = await freshAccess(context, principal.tenantId, place, minTtlMs)
  if (access.kind === 'ready') {
    await context.activity.note({ ...aboutExport(principal, place), action: 'token.exported', metadata: {} })
    return access
  }
  const problem = noAccess(access)
  if (access.kind !== 'unknown') await noteRefusal(context, principal, place, problem)
  throw problem
}

async function requireExport(
  context: Pick<Context, 'database' | 'activity'>,
  principal: Principal,
  place: ConnectorPlaceRequest,
): Promise<void> {
  try {
    requireRight(principal, 'connectors:token')
    requireReach(principal, place.spaceId, place.collectionId)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    // Ids are free to invent, and each would be a record of its own: what nobody knows leaves none.
    const { tenantId } = principal
    const known = await findConnector(context.database.tenant(tenantId), tenantId, place.connectorId)
    if (known !== undefined && isAt(known, place)) await noteRefusal(context, principal, place, error)
    throw error
  }
}

function noteRefusal(
  context: Pick<Context, 'activity'>,
  principal: Principal,
  place: ConnectorPlaceRequest,
  problem: Problem,
): Promise<void> {
  const metadata = { reason: problem.publicCode }
  return context.activity.note({ ...aboutExport(principal, place), action: 'token.refused', metadata })
}

function aboutExport(principal: Principal, place: ConnectorPlaceRequest): Omit<Use, 'action' | 'metadata'> {
  return {
    tenantId: principal.tenantId,
    connectorId: place.connectorId,
    place: { space_id: place.spaceId, collection_id: place.collectionId },
    actorId: principal.subject,
  }
}
