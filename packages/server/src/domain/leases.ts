import { plusMs } from '../core/clock.ts'
import { handleDigest, leaseId, mintLeaseId, randomHandle, type LeaseId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import { Secret } from '../core/secret.ts'
import { addAuditEntry } from '../store/audit.ts'
import { findConnector, lockConnector } from '../store/connectors.ts'
import { addLease, countLiveLeases, findLease, pageLeases, revokeLease, type Lease } from '../store/leases.ts'
import { requireHere, type ConnectorPlaceRequest } from './connectors.ts'
import type { Context } from './context.ts'
import { cutPage, readCursor, type Page, type PageRequest } from './page.ts'
import { requireReach, requireRight, type Principal } from './principal.ts'

/** A lease as callers see it; never its bearer. Field names are the API's. */
export interface LeaseView {
  readonly id: string
  readonly methods: readonly string[]
  readonly paths: readonly string[]
  readonly max_calls: number | null
  readonly calls: number
  readonly expires_at: string
  readonly created_at: string
  readonly revoked_at: string | null
  readonly principal_id: string
}

/** What a lease is to allow. The patterns were judged by `pathPatternProblem`. */
export interface LeaseLimits {
  readonly methods: readonly string[]
  readonly paths: readonly string[]
  readonly maxCalls: number | undefined
  readonly ttlMs: number
}

/** What the bearer of a lease begins with, so that it is told from a JWT at a glance, and found by secret scanners. */
export const leasePrefix = 'lease_'

const maxLiveLeases = 100

type Needs = Pick<Context, 'database' | 'clock'>

/**
 * Makes a lease of one connector: an opaque bearer that opens the connector's proxy within limits, and nothing else.
 *
 * It outlives the bearer token it was asked for with, up to its own end, so only those who may use the connector get
 * one. Throws 404 `connector_unknown`, 409 `connector_disconnected`, 429 `too_many_leases`.
 */
export async function createLease(
  context: Needs,
  principal: Principal,
  place: ConnectorPlaceRequest,
  limits: LeaseLimits,
): Promise<{ readonly view: LeaseView; readonly bearer: Secret }> {
  requireUse(principal, place)
  const { tenantId } = principal
  const handle = leasePrefix + randomHandle()
  const id = mintLeaseId()
  const lease = await context.database.transaction(tenantId, async (db) => {
    // The lock keeps a race of callers from making more leases than may live.
    const connector = requireHere(await lockConnector(db, tenantId, place.connectorId), place)
    if (connector.health === 'disconnected') throw new Problem('connector_disconnected')
    const now = context.clock.now()
    if ((await countLiveLeases(db, tenantId, place.connectorId, now)) >= maxLiveLeases) {
      throw new Problem('too_many_leases')
    }
    const made = await addLease(db, {
      tenantId,
      leaseId: id,
      connectorId: place.connectorId,
      place: connector,
      principal,
      digest: handleDigest(handle),
      methods: limits.methods,
      paths: limits.paths,
      maxCalls: limits.maxCalls,
      createdAt: now,
      expiresAt: plusMs(now, limits.ttlMs),
    })
    const { methods, paths, max_calls: maxCalls, expires_at: expiresAt } = made
    await addAuditEntry(
      db,
      tenantId,
      entry('lease.created', principal, made, { methods, paths, max_calls: maxCalls, expires_at: expiresAt }),
      now,
    )
    return made
  })
  return { view: viewLease(lease), bearer: new Secret(handle) }
}

/** A connector's leases of the last 30 days, oldest first, whoever made them. */
export async function listLeases(
  context: Needs,
  principal: Principal,
  place: ConnectorPlaceRequest,
  page: PageRequest,
): Promise<Page<LeaseView>> {
  requireUse(principal, place)
  const { tenantId } = principal
  const db = context.database.tenant(tenantId)
  const after = readCursor(page.cursor)
  requireHere(await findConnector(db, tenantId, place.connectorId), place)
  const rows = await pageLeases(db, tenantId, place.connectorId, { after, limit: page.limit + 1 })
  return cutPage(rows, page.limit, viewLease, (row) => ({ createdAt: row.created_at, id: row.lease_id }))
}

/** Ends a lease at once, whoever made it; ending it twice changes nothing. Throws 404 `lease_unknown`. */
export async function endLease(
  context: Needs & Pick<Context, 'openCalls'>,
  principal: Principal,
  place: ConnectorPlaceRequest,
  id: LeaseId,
): Promise<void> {
  requireUse(principal, place)
  const { tenantId } = principal
  await context.database.transaction(tenantId, async (db) => {
    requireHere(await findConnector(db, tenantId, place.connectorId), place)
    const now = context.clock.now()
    const ended = await revokeLease(db, tenantId, { connectorId: place.connectorId, leaseId: id }, now)
    if (ended !== undefined) await addAuditEntry(db, tenantId, entry('lease.revoked', principal, ended, {}), now)
    else if ((await findLease(db, tenantId, place.connectorId, id)) === undefined) throw new Problem('lease_unknown')
  })
  context.openCalls.end({ tenantId, connectorId: place.connectorId, leaseId: id })
}

function requireUse(principal: Principal, place: ConnectorPlaceRequest): void {
  requireRight(principal, 'connectors:use')
  requireReach(principal, place.spaceId, place.collectionId)
}

function entry(action: string, principal: Principal, lease: Lease, more: Readonly<Record<string, unknown>>) {
  return {
    action,
    actorId: principal.subject,
    resourceType: 'lease',
    resourceId: lease.lease_id,
    place: lease,
    metadata: { connector_id: lease.connector_id, ...more },
  } as const
}

function viewLease(row: Lease): LeaseView {
  return {
    id: leaseId(row.lease_id),
    methods: row.methods,
    paths: row.paths,
    max_calls: row.max_calls,
    calls: row.calls,
    expires_at: row.expires_at.toISOString(),
    created_at: row.created_at.toISOString(),
    revoked_at: row.revoked_at?.toISOString() ?? null,
    principal_id: row.principal_subject,
  }
}
