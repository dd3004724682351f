import { randomBytes } from 'node:crypto'
import { connectorId, tenantId } from '../core/ids.ts'
import type { Secret } from '../core/secret.ts'
import { disconnectConnector, lockConnector } from '../store/connectors.ts'
import { addEvent } from '../store/events.ts'
import { addRevocation, findNewestRevocation, type Revocation } from '../store/revocations.ts'
import type { ConnectorRow } from '../store/rows.ts'
import type { Place } from '../vault/place.ts'
import { SealBroken } from '../vault/vault.ts'
import { connectorPlace } from './connector-places.ts'
import type { Context } from './context.ts'
import { logChange } from './log-change.ts'

/** Who ends a connector, and as part of what. */
export interface Ending {
  readonly actorId: string | undefined
  readonly massRevocationId: string | undefined
  /** Asked again of the locked row: it may have changed since it was read. */
  isMeant(connector: ConnectorRow): boolean
}

/**
 * Destroys a connector's secrets and queues the revocation at the provider, all in one database transaction. The one way
 * in which connectors end, whoever orders it.
 *
 * The tokens move to the revocation, sealed for their new place; a refresh under way loses its fence. A connector that
 * has ended already answers with the revocation that runs; `undefined` when it is gone or not meant any more.
 */
export async function endConnector(
  context: Pick<Context, 'database' | 'vault' | 'clock' | 'wakeUp' | 'log'>,
  seen: ConnectorRow,
  ending: Ending,
): Promise<{ readonly connector: ConnectorRow; readonly revocation: Revocation } | undefined> {
  const tenant = tenantId(seen.tenant_id)
  const id = connectorId(seen.connector_id)
  // Before the transaction: one that waits for a second connection, to read the data key, could starve the pool.
  const drawnUp = await drawUpRevocation(context, seen, ending, context.clock.now())
  const outcome = await context.database.transaction(tenant, async (db) => {
    const known = await lockConnector(db, tenant, id)
    if (known === undefined || !ending.isMeant(known)) return undefined
    const earlier = known.health === 'disconnected' ? await findNewestRevocation(db, tenant, id) : undefined
    if (earlier !== undefined) return { connector: known, revocation: earlier, isNew: false }
    const now = context.clock.now()
    const isAsSeen = known.version === seen.version && known.health === seen.health
    const revocation = isAsSeen ? drawnUp : await drawUpRevocation(context, known, ending, now)
    await disconnectConnector(db, tenant, id, now)
    await addRevocation(db, revocation)
    await context.wakeUp.wake(db, 'revoke')
    const about = { actorId: ending.actorId, resourceType: 'connector', resourceId: id, place: known } as const
    const metadata = {
      provider_slug: known.provider_slug,
      revocation_id: revocation.revocation_id,
      ...(ending.massRevocationId !== undefined && { mass_revocation_id: ending.massRevocationId }),
    }
    await addEvent(db, tenant, { ...about, eventType: 'connector.disconnected', metadata }, now)
    if (revocation.status === 'failed') {
      const ended = { ...metadata, status: revocation.status, reason: revocation.reason }
      await addEvent(db, tenant, { ...about, eventType: 'connector.revocation_failed', metadata: ended }, now)
    }
    const after = (await lockConnector(db, tenant, id)) ?? known
    return { connector: after, revocation: { ...revocation, attempts: 0 }, isNew: true }
  })
  if (outcome?.isNew) logChange(context, seen, 'disconnected')
  return outcome
}

async function drawUpRevocation(
  context: Pick<Context, 'vault'>,
  connector: ConnectorRow,
  ending: Ending,
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
    mass_revocation_id: ending.massRevocationId ?? null,
    url_variables: connector.url_variables,
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
