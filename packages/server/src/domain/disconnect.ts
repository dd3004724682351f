import { randomBytes } from 'node:crypto'
import type { Secret } from '../core/secret.ts'
import { tenantId } from '../core/ids.ts'
import { disconnectConnector, lockConnector } from '../store/connectors.ts'
import { addEvent } from '../store/events.ts'
import { addRevocation, findNewestRevocation, type Revocation } from '../store/revocations.ts'
import type { ConnectorRow } from '../store/rows.ts'
import type { Place } from '../vault/place.ts'
import { connectorPlace } from './connector-places.ts'
import { requireHere, type ConnectorPlaceRequest } from './connectors.ts'
import type { Context } from './context.ts'
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
 * Destroys a connector's secrets at once and queues the revocation at the provider, all in one database transaction.
 *
 * The tokens move to the revocation, sealed for their new place; a refresh under way loses its fence. Disconnecting twice
 * answers with the revocation that runs.
 */
export async function disconnect(
  context: Pick<Context, 'database' | 'vault' | 'clock'>,
  principal: Principal,
  place: ConnectorPlaceRequest,
): Promise<{ readonly connector: ConnectorRow; readonly revocation: RevocationView }> {
  requireRight(principal, 'connectors:manage')
  requireReach(principal, place.spaceId, place.collectionId)
  const tenant = principal.tenantId
  return context.database.transaction(tenant, async (db) => {
    const known = requireHere(await lockConnector(db, tenant, place.connectorId), place)
    const earlier =
      known.health === 'disconnected' ? await findNewestRevocation(db, tenant, known.connector_id) : undefined
    if (earlier !== undefined) return { connector: known, revocation: viewRevocation(earlier) }
    const now = context.clock.now()
    const revocation = await drawUpRevocation(context, known, now)
    await disconnectConnector(db, tenant, place.connectorId, now)
    await addRevocation(db, revocation)
    await addEvent(
      db,
      tenant,
      {
        eventType: 'connector.disconnected',
        actorId: principal.subject,
        resourceType: 'connector',
        resourceId: known.connector_id,
        place: known,
        metadata: { provider_slug: known.provider_slug, revocation_id: revocation.revocation_id },
      },
      now,
    )
    const after = requireHere(await lockConnector(db, tenant, place.connectorId), place)
    return { connector: after, revocation: viewRevocation({ ...revocation, attempts: 0 }) }
  })
}

async function drawUpRevocation(
  context: Pick<Context, 'vault'>,
  connector: ConnectorRow,
  now: Date,
): Promise<Omit<Revocation, 'attempts'>> {
  const revocation = {
    tenant_id: connector.tenant_id,
    revocation_id: `rev_${randomBytes(16).toString('base64url')}`,
    connector_id: connector.connector_id,
    provider_slug: connector.provider_slug,
    context_id: connector.context_id,
    space_id: connector.space_id,
    collection_id: connector.collection_id,
  }
  const move = async (field: 'access_token' | 'refresh_token', sealed: Buffer | null): Promise<Buffer | null> => {
    if (sealed === null) return null
    const secret: Secret = await context.vault.open(connectorPlace(connector, field), sealed)
    return context.vault.seal(revocationPlace(revocation, field), secret)
  }
  return {
    ...revocation,
    status: 'queued',
    reason: null,
    access_token: await move('access_token', connector.access_token),
    refresh_token: await move('refresh_token', connector.refresh_token),
    kept: connector.kept,
    next_attempt_at: now,
    created_at: now,
    finished_at: null,
  }
}

/** The place of a sealed token that waits for its revocation. */
export function revocationPlace(
  revocation: Pick<Revocation, 'tenant_id' | 'space_id' | 'collection_id' | 'revocation_id'>,
  field: 'access_token' | 'refresh_token',
): Place {
  return {
    purpose: 'revocation',
    tenantId: tenantId(revocation.tenant_id),
    spaceId: revocation.space_id,
    collectionId: revocation.collection_id,
    subjectId: revocation.revocation_id,
    field,
  }
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
