import { Problem } from '../core/problem.ts'
import { findConnector } from '../store/connectors.ts'
import type { Revocation } from '../store/revocations.ts'
import type { ConnectorRow } from '../store/rows.ts'
import { isHere, requireHere, type ConnectorPlaceRequest } from './connectors.ts'
import type { Context } from './context.ts'
import { endConnector } from './end-connector.ts'
import { requireReach, requireRight, type Principal } from './principal.ts'

/** What becomes of the grant at the provider. */
export interface RevocationView {
  readonly id: string
  readonly status: string
  readonly reason: string | null
  readonly created_at: string
  readonly finished_at: string | null
}

/**
 * Destroys a connector's secrets at once and queues the revocation at the provider.
 *
 * Disconnecting twice answers with the revocation that runs. Throws 404 `connector_unknown`.
 */
export async function disconnect(
  context: Pick<Context, 'database' | 'vault' | 'clock' | 'wakeUp' | 'log' | 'activity' | 'openCalls'>,
  principal: Principal,
  place: ConnectorPlaceRequest,
): Promise<{ readonly connector: ConnectorRow; readonly revocation: RevocationView }> {
  requireRight(principal, 'connectors:manage')
  requireReach(principal, place.spaceId, place.collectionId)
  const tenant = principal.tenantId
  const seen = requireHere(await findConnector(context.database.tenant(tenant), tenant, place.connectorId), place)
  // What it was used for before stands before its end in the record.
  await context.activity.flush()
  const ended = await endConnector(context, seen, {
    actorId: principal.subject,
    massRevocationId: undefined,
    isMeant: (row) => isHere(row, place),
  })
  if (ended === undefined) throw new Problem('connector_unknown')
  context.openCalls.end({ tenantId: tenant, connectorId: place.connectorId, leaseId: undefined })
  return { connector: ended.connector, revocation: viewRevocation(ended.revocation) }
}

function viewRevocation(row: Revocation): RevocationView {
  return {
    id: row.revocation_id,
    status: row.status,
    reason: row.reason,
    created_at: row.created_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null,
  }
}
