import { connectorId, handleDigest, leaseId, tenantId, type TenantId } from '../core/ids.ts'
import type { LeaseRefusal } from '../core/meter.ts'
import { matchesPath } from '../core/path-pattern.ts'
import { Problem } from '../core/problem.ts'
import { findConnector } from '../store/connectors.ts'
import { findLease, findLeaseByDigest, spendLeaseCall, type Lease } from '../store/leases.ts'
import type { ConnectorPlaceRequest } from './connectors.ts'
import type { Context } from './context.ts'

/** A lease that was live when it was found. */
export interface FoundLease {
  readonly tenantId: TenantId
  readonly lease: Lease
}

/** Finds the live lease behind a bearer; nothing is spent yet. Throws 401 `lease_invalid`. */
export async function findOpenLease(context: Pick<Context, 'database' | 'clock'>, bearer: string): Promise<FoundLease> {
  const lease = await findLeaseByDigest(context.database.system, handleDigest(bearer))
  if (lease === undefined || isOver(lease, context.clock.now())) throw new Problem('lease_invalid')
  return { tenantId: tenantId(lease.tenant_id), lease }
}

/**
 * Judges a call by what is known of its lease, before anything is asked of a provider: an expired token must not be refreshed for a
 * call that goes nowhere. One for another connector answers like an unknown one.
 *
 * Throws 401 `lease_invalid`, 403 `lease_forbids` and `lease_exhausted`; the refusal is on record.
 */
export async function requireLeased(
  context: Pick<Context, 'meter' | 'activity'>,
  { tenantId: tenant, lease }: FoundLease,
  place: ConnectorPlaceRequest,
  call: LeasedCall,
): Promise<void> {
  const isFor =
    lease.connector_id === place.connectorId &&
    lease.space_id === place.spaceId &&
    lease.collection_id === place.collectionId
  const refusal = isFor ? refusalOf(lease, call) : 'lease_invalid'
  if (refusal === undefined) return
  context.meter.count('lease_calls_total', { outcome: refusal })
  await context.activity.note({
    action: 'connector.proxied',
    tenantId: tenant,
    connectorId: lease.connector_id,
    place: lease,
    actorId: lease.lease_id,
    // Without the path: a holder could think up any number of them, and records that differ in nothing fold into one.
    metadata: { method: call.method, status: refusal },
  })
  throw new Problem(refusal)
}

function refusalOf(lease: Lease, call: LeasedCall): LeaseRefusal | undefined {
  if (!allows(lease, call)) return 'lease_forbids'
  return isSpent(lease) ? 'lease_exhausted' : undefined
}

/** A call as it will be sent: `path` is the one that the provider gets, after its base, and not decoded. */
export interface LeasedCall {
  readonly method: string
  readonly path: string
}

/**
 * Takes one call off a lease's budget; to be called just before anything is sent.
 *
 * Throws 403 `lease_exhausted`, 401 `lease_invalid` when it ended meanwhile, and what the connector's state forbids. A call that is refused
 * costs nothing.
 */
export async function spendLease(
  context: Pick<Context, 'database' | 'clock' | 'meter'>,
  found: FoundLease,
): Promise<void> {
  const refusal = await spend(context, found)
  context.meter.count('lease_calls_total', { outcome: refusal ?? 'allowed' })
  if (refusal !== undefined) throw new Problem(refusal)
}

async function spend(
  context: Pick<Context, 'database' | 'clock'>,
  { tenantId: tenant, lease }: FoundLease,
): Promise<LeaseRefusal | undefined> {
  const now = context.clock.now()
  const db = context.database.tenant(tenant)
  const id = leaseId(lease.lease_id)
  const connector = connectorId(lease.connector_id)
  if ((await spendLeaseCall(db, tenant, id, now)) !== undefined) return undefined
  const after = await findLease(db, tenant, connector, id)
  if (after === undefined || isOver(after, now)) return 'lease_invalid'
  if (isSpent(after)) return 'lease_exhausted'
  const { status } = (await findConnector(db, tenant, connector)) ?? { status: 'disconnected' }
  if (status === 'reauth_required') return status
  return status === 'disconnected' ? 'connector_disconnected' : 'connector_paused'
}

function allows(lease: Lease, { method, path }: LeasedCall): boolean {
  return lease.methods.includes(method) && lease.paths.some((pattern) => matchesPath(pattern, path))
}

function isSpent(lease: Lease): boolean {
  return lease.max_calls !== null && lease.calls >= lease.max_calls
}

function isOver(lease: Lease, now: Date): boolean {
  return lease.revoked_at !== null || lease.expires_at <= now
}
