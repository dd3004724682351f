import type { TenantId } from '../core/ids.ts'
import { statement, type Db } from './database.ts'

/** Where a sealed column stands. The names come from a table in the code and never from outside. */
export interface SealedColumnName {
  readonly table: string
  readonly column: string
  /** What with tenant_id is the primary key. */
  readonly key: string
  /** Further columns that its place is made of. */
  readonly placedBy: readonly string[]
}

/** A sealed value and the columns that its place is made of. */
export interface SealedRow {
  readonly key: string
  readonly sealed: Buffer
  readonly row: Readonly<Record<string, unknown>>
}

/** A value sealed anew. */
export interface Resealed {
  readonly key: string
  readonly old: Buffer
  readonly sealed: Buffer
}

/** Where the data key's epoch stands in a sealed value: four bytes, so that their order is the numbers'. */
const epochBytes = 'from 3 for 4'

/** The statements for one sealed column: they differ in nothing but names. */
export function sealedRows(name: SealedColumnName) {
  const { table, column, key } = name
  const selectBefore = statement(
    `sealed.before.${table}.${column}`,
    `select tenant_id, ${[key, column, ...name.placedBy].join(', ')}
     from ${table}
     where tenant_id = $1 and ${key} > $2 and ${column} is not null and substring(${column} ${epochBytes}) < $3
     order by ${key}
     limit $4`,
  )
  const countByEpoch = statement(
    `sealed.count.${table}.${column}`,
    `select d.epoch, count(*)::int as left
     from ${table} t
     join data_keys d on d.tenant_id = t.tenant_id and int4send(d.epoch) = substring(t.${column} ${epochBytes})
     where t.${column} is not null
       and d.epoch < (select max(epoch) from data_keys where tenant_id = t.tenant_id)
     group by d.epoch`,
  )
  // Rows that somebody holds are skipped, not waited for: whoever writes there seals with the newest key, or the next
  // round comes by. So this can be part of no deadlock.
  const replace = statement(
    `sealed.replace.${table}.${column}`,
    `update ${table}
     set ${column} = changed.sealed
     from (
       select t.${key}, given.old, given.sealed
       from unnest($2::text[], $3::bytea[], $4::bytea[]) as given (key, old, sealed)
       join ${table} t on t.tenant_id = $1 and t.${key} = given.key and t.${column} = given.old
       for no key update of t skip locked) as changed
     where ${table}.tenant_id = $1 and ${table}.${key} = changed.${key} and ${table}.${column} = changed.old
     returning ${table}.${key}`,
  )
  return {
    /** Values sealed by a data key older than `epoch`, in the order of their keys. */
    async before(db: Db, tenant: TenantId, epoch: number, after: string, limit: number): Promise<readonly SealedRow[]> {
      const rows = await db.query<Record<string, unknown>>(selectBefore, [tenant, after, asBytes(epoch), limit])
      // The key is text and the column bytea, which a test holds against the database.
      return rows.map((row) => ({ key: row[key] as string, sealed: row[column] as Buffer, row }))
    },
    /** Replaces what is still as it was read and what nobody is changing now; answers how many. */
    async replace(db: Db, tenant: TenantId, values: readonly Resealed[]): Promise<number> {
      const rows = await db.query(replace, [
        tenant,
        values.map((value) => value.key),
        values.map((value) => value.old),
        values.map((value) => value.sealed),
      ])
      return rows.length
    },
    /** How many values of all tenants each superseded epoch still holds. */
    countLeft: (system: Db) => system.query<{ readonly epoch: number; readonly left: number }>(countByEpoch, []),
  }
}

function asBytes(epoch: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(epoch)
  return bytes
}
