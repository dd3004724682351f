import { statement, type Database, type Db } from './database.ts'
import type { KeyEncryptionKeyRow } from './rows.ts'

/** The deployment's key-encryption keys, as far as they were ever used; the keys themselves are never here. */
export interface UsedKey {
  readonly keyId: string
  readonly dataKeys: number
  readonly orderedAt: Date | undefined
  readonly retiredAt: Date | undefined
}

/** The newest order to rotate. */
export interface RotationOrder {
  readonly keyId: string
  readonly orderedAt: Date
}

const selectAll = statement(
  'key_encryption_keys.all',
  `select k.key_id, k.ordered_at, k.retired_at, count(d.tenant_id)::int as data_keys
   from key_encryption_keys k
   left join data_keys d on d.key_encryption_key_id = k.key_id
   where k.tenant_id = ''
   group by k.key_id, k.ordered_at, k.retired_at
   order by k.key_id`,
)
const upsertOrder = statement(
  'key_encryption_keys.order',
  `insert into key_encryption_keys (tenant_id, key_id, first_used_at, ordered_at)
   values ('', $1, $2, $2)
   on conflict (tenant_id, key_id) do update
   set ordered_at = $2
   where key_encryption_keys.retired_at is null
   returning key_id`,
)
const selectOrder = statement(
  'key_encryption_keys.ordered',
  `select key_id, ordered_at
   from key_encryption_keys
   where tenant_id = '' and ordered_at is not null
   order by ordered_at desc
   limit 1`,
)
const lockIdle = statement(
  'key_encryption_keys.lock_idle',
  `select key_id
   from key_encryption_keys
   where tenant_id = '' and key_id <> $1 and retired_at is null
     and not exists (select from data_keys where key_encryption_key_id = key_id)
   for update`,
)
const retireIdle = statement(
  'key_encryption_keys.retire_idle',
  `update key_encryption_keys
   set retired_at = $2
   where tenant_id = '' and key_id = any($1) and retired_at is null
     and not exists (select from data_keys where key_encryption_key_id = key_id)
   returning key_id`,
)

type OrderRow = Pick<KeyEncryptionKeyRow, 'key_id' | 'ordered_at'>

/** Every key that was ever used, by id. */
export async function listUsedKeys(system: Db): Promise<readonly UsedKey[]> {
  type Row = Pick<KeyEncryptionKeyRow, 'key_id' | 'ordered_at' | 'retired_at'> & { readonly data_keys: number }
  const rows = await system.query<Row>(selectAll, [])
  return rows.map((row) => ({
    keyId: row.key_id,
    dataKeys: row.data_keys,
    orderedAt: row.ordered_at ?? undefined,
    retiredAt: row.retired_at ?? undefined,
  }))
}

/** Orders that everything be wrapped by `keyId` and each tenant get a new data key. `false`: the key is retired. */
export async function orderRotation(system: Db, keyId: string, now: Date): Promise<boolean> {
  return (await system.query(upsertOrder, [keyId, now])).length > 0
}

/** The order that counts, if there ever was one. */
export async function newestOrder(system: Db): Promise<RotationOrder | undefined> {
  const [row] = await system.query<OrderRow>(selectOrder, [])
  return row?.ordered_at ? { keyId: row.key_id, orderedAt: row.ordered_at } : undefined
}

/**
 * Retires every key but `currentId` that wraps nothing any more, and answers their ids.
 *
 * Locks first and looks again: a data key that was just being added is seen by the second look, and one that comes later
 * finds the key retired.
 */
export async function retireIdleKeys(database: Database, currentId: string, now: Date): Promise<readonly string[]> {
  return database.systemTransaction(async (db) => {
    const idle = await db.query<{ key_id: string }>(lockIdle, [currentId])
    if (idle.length === 0) return []
    const retired = await db.query<{ key_id: string }>(retireIdle, [idle.map((row) => row.key_id), now])
    return retired.map((row) => row.key_id)
  })
}
