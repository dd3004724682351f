import type { ConnectorId, LeaseId, TenantId } from '../core/ids.ts'
import { lookup, statement, type Db } from './database.ts'
import type { TimeCursor } from './events.ts'
import type { LeaseRow } from './rows.ts'

export type Lease = Omit<LeaseRow, 'digest'>

const columns = `tenant_id, lease_id, connector_id, space_id, collection_id, principal_issuer, principal_subject, methods,
  paths, max_calls, calls, created_at, expires_at, revoked_at`

const insertOne = statement(
  'leases.add',
  `insert into leases
     (tenant_id, lease_id, connector_id, space_id, collection_id, principal_issuer, principal_subject, digest, methods,
      paths, max_calls, created_at, expires_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
   returning ${columns}`,
)
const countLive = statement(
  'leases.count_live',
  `select count(*)::int as live
   from leases
   where tenant_id = $1 and connector_id = $2 and revoked_at is null and expires_at > $3
     and (max_calls is null or calls < max_calls)`,
)
const selectByDigest = lookup(
  'leases.by_digest',
  `select ${columns}
   from leases
   where digest = $1`,
)
const selectPage = statement(
  'leases.page',
  `select ${columns}
   from leases
   where tenant_id = $1 and connector_id = $2
     and ($3::timestamptz is null or (created_at, lease_id) > ($3, $4::text))
   order by created_at, lease_id
   limit $5`,
)
const spendCall = statement(
  'leases.spend',
  `update leases
   set calls = calls + 1
   where tenant_id = $1 and lease_id = $2 and revoked_at is null and expires_at > $3
     and (max_calls is null or calls < max_calls)
     and exists (
       select
       from connectors
       where connectors.tenant_id = leases.tenant_id and connectors.connector_id = leases.connector_id
         and connectors.status in ('active', 'degraded'))
   returning ${columns}`,
)
const revokeOne = statement(
  'leases.revoke',
  `update leases
   set revoked_at = $4
   where tenant_id = $1 and connector_id = $2 and lease_id = $3 and revoked_at is null
   returning ${columns}`,
)
const selectOne = statement(
  'leases.find',
  `select ${columns}
   from leases
   where tenant_id = $1 and connector_id = $2 and lease_id = $3`,
)
const revokeAll = statement(
  'leases.revoke_all',
  `update leases
   set revoked_at = $3
   where tenant_id = $1 and connector_id = $2 and revoked_at is null`,
)
const deleteOld = statement('leases.purge', 'delete from leases where expires_at < $1')

export interface NewLease {
  readonly tenantId: TenantId
  readonly leaseId: LeaseId
  readonly connectorId: ConnectorId
  readonly place: { readonly space_id: string; readonly collection_id: string }
  readonly principal: { readonly issuer: string; readonly subject: string }
  readonly digest: Buffer
  readonly methods: readonly string[]
  readonly paths: readonly string[]
  readonly maxCalls: number | undefined
  readonly createdAt: Date
  readonly expiresAt: Date
}

export async function addLease(db: Db, lease: NewLease): Promise<Lease> {
  const [row] = await db.query<Lease>(insertOne, [
    lease.tenantId,
    lease.leaseId,
    lease.connectorId,
    lease.place.space_id,
    lease.place.collection_id,
    lease.principal.issuer,
    lease.principal.subject,
    lease.digest,
    lease.methods,
    lease.paths,
    lease.maxCalls ?? null,
    lease.createdAt,
    lease.expiresAt,
  ])
  if (row === undefined) throw new Error('An insert returned no row')
  return row
}

/** How many of a connector's leases still open something. */
export async function countLiveLeases(db: Db, tenantId: TenantId, id: ConnectorId, now: Date): Promise<number> {
  const [row] = await db.query<{ live: number }>(countLive, [tenantId, id, now])
  return row?.live ?? 0
}

/** Finds a lease, live or not, before its tenant is known. */
export async function findLeaseByDigest(system: Db, digest: Buffer): Promise<Lease | undefined> {
  return (await system.query<Lease>(selectByDigest, [digest]))[0]
}

export async function findLease(
  db: Db,
  tenantId: TenantId,
  connector: ConnectorId,
  id: LeaseId,
): Promise<Lease | undefined> {
  return (await db.query<Lease>(selectOne, [tenantId, connector, id]))[0]
}

/** One page of a connector's leases, oldest first. */
export async function pageLeases(
  db: Db,
  tenantId: TenantId,
  id: ConnectorId,
  page: { readonly after: TimeCursor | undefined; readonly limit: number },
): Promise<Lease[]> {
  return db.query<Lease>(selectPage, [tenantId, id, page.after?.createdAt ?? null, page.after?.id ?? null, page.limit])
}

/**
 * Takes one call off a lease; `undefined` when it is over or the connector cannot be used now.
 *
 * One statement, so that calls which race over several processes never exceed the budget.
 */
export async function spendLeaseCall(db: Db, tenantId: TenantId, id: LeaseId, now: Date): Promise<Lease | undefined> {
  return (await db.query<Lease>(spendCall, [tenantId, id, now]))[0]
}

/** Ends a lease; `undefined` when there is none that is not revoked yet. */
export async function revokeLease(
  db: Db,
  tenantId: TenantId,
  lease: { readonly connectorId: ConnectorId; readonly leaseId: LeaseId },
  now: Date,
): Promise<Lease | undefined> {
  return (await db.query<Lease>(revokeOne, [tenantId, lease.connectorId, lease.leaseId, now]))[0]
}

/** Ends all leases of a connector, in the transaction of what ends them. */
export async function revokeLeasesOf(db: Db, tenantId: TenantId, id: ConnectorId, now: Date): Promise<void> {
  await db.query(revokeAll, [tenantId, id, now])
}

/** Forgets leases that expired before `before`. */
export async function purgeLeases(system: Db, before: Date): Promise<void> {
  await system.query(deleteOld, [before])
}
