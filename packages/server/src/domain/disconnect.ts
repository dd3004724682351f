import { randomBytes } from 'node:crypto'
import type { Secret } from '../core/secret.ts'
import { tenantId } from '../core/ids.ts'
import { disconnectConnector, findConnector, lockConnector } from '../store/connectors.ts'
import { addEvent } from '../store/events.ts'
import { addRevocation, findNewestRevocation, type Revocation } from '../store/revocations.ts'
import type { ConnectorRow } from '../store/rows.ts'
import type { Place } from '../vault/place.ts'
import { SealBroken } from '../vault/vault.ts'
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
  context: Pick<Context, 'database' | 'vault' | 'clock' | 'wakeUp'>,
  principal: Principal,
  place: ConnectorPlaceRequest,
): Promise<{ readonly connector: ConnectorRow; readonly revocation: RevocationView }> {
  requireRight(principal, 'connectors:manage')
  requireReach(principal, place.spaceId, place.collectionId)
  const tenant = principal.tenantId
  const seen = requireHere(await findConnector(context.database.tenant(tenant), tenant, place.connectorId), place)
  // Before the transaction: one that waits for a second connection, to read the data key, could starve the pool.
  const drawnUp = await drawUpRevocation(context, seen, context.clock.now())
  return context.database.transaction(tenant, async (db) => {
    const known = requireHere(await lockConnector(db, tenant, place.connectorId), place)
    const earlier =
      known.health === 'disconnected' ? await findNewestRevocation(db, tenant, known.connector_id) : undefined
    if (earlier !== undefined) return { connector: known, revocation: viewRevocation(earlier) }
    const now = context.clock.now()
    const isAsSeen = known.version === seen.version && known.health === seen.health
    const revocation = isAsSeen ? drawnUp : await drawUpRevocation(context, known, now)
    await disconnectConnector(db, tenant, place.connectorId, now)
    await addRevocation(db, revocation)
    await context.wakeUp.wake(db, 'revoke')
    const about = {
      actorId: principal.subject,
      resourceType: 'connector',
      resourceId: known.connector_id,
      place: known,
    } as const
    const metadata = { provider_slug: known.provider_slug, revocation_id: revocation.revocation_id }
    await addEvent(db, tenant, { ...about, eventType: 'connector.disconnected', metadata }, now)
    if (revocation.status === 'failed') {
      const ended = { ...metadata, status: revocation.status, reason: revocation.reason }
      await addEvent(db, tenant, { ...about, eventType: 'connector.revocation_failed', metadata: ended }, now)
    }
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
  try {
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
  } catch (error) {
    // Tokens that nobody can read are destroyed all the same; the provider cannot be told of them.
    if (!(error instanceof SealBroken)) throw error
    const nothing = { access_token: null, refresh_token: null, kept: connector.kept, next_attempt_at: null }
    const ended = { status: 'failed', reason: 'tokens_unreadable', created_at: now, finished_at: now } as const
    return { ...revocation, ...nothing, ...ended }
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
