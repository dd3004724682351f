import type { TenantId } from '../core/ids.ts'
import { statement, type Db } from './database.ts'

/** Rows of one table, by the table's name as SQL takes it. */
export interface TableRows {
  readonly table: string
  readonly rows: number
}

/** Read from the catalogue, so that a table that a later migration adds is not forgotten. Data keys come last, and counts after what they count. */
const selectTables = statement(
  'tenant_rows.tables',
  `select quote_ident(c.relname) as name
   from pg_class c
   join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
   where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
   order by c.relname = 'data_keys', c.relname = 'connector_counts', c.relname`,
)
const portion = 5_000

const selectKeyIds = statement(
  'tenant_rows.key_ids',
  `select distinct key_encryption_key_id
   from data_keys
   where tenant_id = $1
   order by key_encryption_key_id`,
)

/** The key-encryption keys that wrap a tenant's data keys. */
export async function keysOfTenant(db: Db, tenantId: TenantId): Promise<readonly string[]> {
  const rows = await db.query<{ key_encryption_key_id: string }>(selectKeyIds, [tenantId])
  return rows.map((row) => row.key_encryption_key_id)
}

/** Every table with rows of tenants, the one of their data keys last. */
export async function tenantTables(system: Db): Promise<readonly string[]> {
  return (await system.query<{ name: string }>(selectTables, [])).map((row) => row.name)
}

/** Counts a tenant's rows in every table; tables without any are left out. */
export async function countTenantRows(db: Db, tenantId: TenantId, tables: readonly string[]): Promise<TableRows[]> {
  const counts: TableRows[] = []
  for (const table of tables) {
    const count = statement(
      `tenant_rows.count.${table}`,
      `select count(*)::int as rows
       from ${table}
       where tenant_id = $1`,
    )
    const rows = (await db.query<{ rows: number }>(count, [tenantId]))[0]?.rows ?? 0
    if (rows > 0) counts.push({ table, rows })
  }
  return counts
}

/** Deletes some thousand of a tenant's rows of one table; answers how many, and after zero there are none. */
export async function deleteTenantRows(db: Db, tenantId: TenantId, table: string): Promise<number> {
  const some = statement(
    `tenant_rows.delete.${table}`,
    `with gone as (
       delete from ${table}
       where tenant_id = $1
         and ctid = any(array(
           select ctid
           from ${table}
           where tenant_id = $1
           limit $2))
       returning 1)
     select count(*)::int as rows
     from gone`,
  )
  return (await db.query<{ rows: number }>(some, [tenantId, portion]))[0]?.rows ?? 0
}
