import type { LinkedEntry } from '../core/verify-audit.ts'
import type { TenantId } from '../core/ids.ts'
import { statement, type Db } from './database.ts'
import { positionsBetween } from './positions.ts'
import type { AuditEntryRow } from './rows.ts'

export interface AuditFilter {
  readonly action?: string | undefined
  readonly actorId?: string | undefined
  readonly resourceType?: string | undefined
  readonly resourceId?: string | undefined
  readonly fromDate?: Date | undefined
  readonly toDate?: Date | undefined
  /** Absent: all of them. Entries that belong to no space are left out otherwise. */
  readonly spaces?: readonly string[] | undefined
  readonly collections?: readonly string[] | undefined
}

const columns = `tenant_id, position, entry_id, action, actor_id, resource_type, resource_id, space_id, collection_id,
  metadata, created_at, hash`

const conditions = `${positionsBetween('$7', '$8')}
     and ($3::text is null or action = $3)
     and ($4::text is null or actor_id = $4)
     and ($5::text is null or resource_type = $5)
     and ($6::text is null or resource_id = $6)
     and ($7::timestamptz is null or created_at >= $7)
     and ($8::timestamptz is null or created_at <= $8)
     and ($9::uuid[] is null or space_id = any($9))
     and ($10::uuid[] is null or collection_id = any($10))`

const selectPage = statement(
  'audit_entries.page',
  `select ${columns}
   from audit_entries
   where tenant_id = $1 and position > $2
     and ${conditions}
   order by position, written
   limit $11`,
)
const selectNewest = statement(
  'audit_entries.page_newest',
  `select ${columns}
   from audit_entries
   where tenant_id = $1 and position < coalesce($2::bigint, 9223372036854775807)
     and ${conditions}
   order by position desc, written desc
   limit $11`,
)
const selectRange = statement(
  'audit_entries.range',
  `select ${columns}
   from audit_entries
   where tenant_id = $1 and position > $2 and position <= $3
   order by position, written
   limit $4`,
)
const selectHead = statement(
  'audit_chains.head',
  `select last_position, last_hash
   from audit_chains
   where tenant_id = $1`,
)
const countUnlinked = statement(
  'audit_entries.count_unlinked',
  `select count(*)::int as unlinked
   from audit_entries
   where tenant_id = $1 and position is null`,
)
/** A chain of which rows of one kind were removed still shows in those of another. */
const selectTenants = statement(
  'audit_chains.tenants',
  `select tenant_id from audit_chains
   union
   select tenant_id from audit_checkpoints
   union
   select distinct tenant_id from audit_entries
   order by tenant_id`,
)

/**
 * One page of linked entries in the chain's order. Two at one position, which no chain has, come as they were written, so that
 * whoever verifies finds the same fault each time.
 */
export async function pageAuditEntries(
  db: Db,
  tenantId: TenantId,
  filter: AuditFilter,
  page: { readonly after: number; readonly limit: number },
): Promise<LinkedEntry[]> {
  const values = [tenantId, page.after, ...filterValues(filter), page.limit]
  return (await db.query<AuditEntryRow>(selectPage, values)).map(toLinkedEntry)
}

/** Linked entries backwards from the head, or from before a position. */
export async function pageNewestAuditEntries(
  db: Db,
  tenantId: TenantId,
  filter: AuditFilter,
  page: { readonly before: number | undefined; readonly limit: number },
): Promise<LinkedEntry[]> {
  const values = [tenantId, page.before ?? null, ...filterValues(filter), page.limit]
  return (await db.query<AuditEntryRow>(selectNewest, values)).map(toLinkedEntry)
}

function filterValues(filter: AuditFilter): unknown[] {
  return [
    filter.action ?? null,
    filter.actorId ?? null,
    filter.resourceType ?? null,
    filter.resourceId ?? null,
    filter.fromDate ?? null,
    filter.toDate ?? null,
    filter.spaces ?? null,
    filter.collections ?? null,
  ]
}

/** Linked entries after one position and up to another, as they stand: what is missing is not there. */
export async function findLinked(
  db: Db,
  tenantId: TenantId,
  range: { readonly after: number; readonly upTo: number; readonly limit: number },
): Promise<LinkedEntry[]> {
  const values = [tenantId, range.after, range.upTo, range.limit]
  return (await db.query<AuditEntryRow>(selectRange, values)).map(toLinkedEntry)
}

export async function findHead(
  db: Db,
  tenantId: TenantId,
): Promise<{ readonly position: number; readonly hash: string } | undefined> {
  const [row] = await db.query<{ last_position: string; last_hash: Buffer }>(selectHead, [tenantId])
  return row && { position: Number(row.last_position), hash: row.last_hash.toString('hex') }
}

export async function countUnlinkedEntries(db: Db, tenantId: TenantId): Promise<number> {
  return (await db.query<{ unlinked: number }>(countUnlinked, [tenantId]))[0]?.unlinked ?? 0
}

/** Every tenant that has a record. */
export async function tenantsWithRecord(system: Db): Promise<string[]> {
  return (await system.query<{ tenant_id: string }>(selectTenants, [])).map((row) => row.tenant_id)
}

function toLinkedEntry(row: AuditEntryRow): LinkedEntry {
  return {
    tenant_id: row.tenant_id,
    position: Number(row.position),
    entry_id: row.entry_id,
    action: row.action,
    actor_id: row.actor_id,
    resource_type: row.resource_type,
    resource_id: row.resource_id,
    space_id: row.space_id,
    collection_id: row.collection_id,
    metadata: row.metadata,
    created_at: row.created_at.toISOString(),
    hash: row.hash?.toString('hex') ?? '',
  }
}
