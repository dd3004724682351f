import { KeyUnavailable } from '../core/key-unavailable.ts'
import type { TenantId } from '../core/ids.ts'
import { lookup, statement, type Database, type Db } from './database.ts'
import type { DataKeyRow } from './rows.ts'

type Stored = Pick<DataKeyRow, 'epoch' | 'key_encryption_key_id' | 'wrapped' | 'created_at'>

const selectNewest = lookup(
  'data_keys.newest',
  `select epoch, key_encryption_key_id, wrapped, created_at
   from data_keys
   where tenant_id = $1
   order by epoch desc
   limit 1`,
)
const selectEpoch = lookup(
  'data_keys.find',
  `select epoch, key_encryption_key_id, wrapped, created_at
   from data_keys
   where tenant_id = $1 and epoch = $2`,
)
const selectAll = statement(
  'data_keys.of_tenant',
  `select epoch, key_encryption_key_id, encryptions, created_at
   from data_keys
   where tenant_id = $1
   order by epoch desc`,
)
const noteUse = statement(
  'key_encryption_keys.note_use',
  `insert into key_encryption_keys (tenant_id, key_id, first_used_at)
   values ('', $1, $2)
   on conflict do nothing`,
)
/** The lock keeps the key-encryption key from being retired meanwhile. */
const insertKey = statement(
  'data_keys.add',
  `with usable as (
     select key_id
     from key_encryption_keys
     where tenant_id = '' and key_id = $3 and retired_at is null
     for share)
   insert into data_keys (tenant_id, epoch, key_encryption_key_id, wrapped, created_at)
   select $1, $2, key_id, $4, $5
   from usable
   on conflict do nothing
   returning epoch`,
)
const selectRetired = statement(
  'key_encryption_keys.is_retired',
  `select 1
   from key_encryption_keys
   where tenant_id = '' and key_id = $1 and retired_at is not null`,
)
const addEncryptions = statement(
  'data_keys.add_encryptions',
  `update data_keys
   set encryptions = data_keys.encryptions + counted.count
   from unnest($1::text[], $2::int[], $3::bigint[]) as counted (tenant_id, epoch, count)
   where data_keys.tenant_id = counted.tenant_id and data_keys.epoch = counted.epoch`,
)

interface Key {
  readonly epoch: number
  readonly keyId: string
  readonly wrapped: Buffer
  readonly createdAt: Date
}

/** A data key without the key. */
export interface StoredDataKey {
  readonly epoch: number
  readonly keyId: string
  readonly createdAt: Date
  /** As far as processes have told how often they sealed with it. */
  readonly encryptions: number
}

/** All data keys that a tenant still has, the newest first. */
export async function listDataKeys(db: Db, tenantId: TenantId): Promise<readonly StoredDataKey[]> {
  type Row = Pick<DataKeyRow, 'epoch' | 'key_encryption_key_id' | 'encryptions' | 'created_at'>
  const rows = await db.query<Row>(selectAll, [tenantId])
  return rows.map((row) => ({
    epoch: row.epoch,
    keyId: row.key_encryption_key_id,
    createdAt: row.created_at,
    encryptions: Number(row.encryptions),
  }))
}

/**
 * Stores a data key unless the tenant has one of that epoch, or its key-encryption key is retired; answers whether it
 * did. Takes a system statement's reach, since key-encryption keys belong to no tenant.
 */
export async function insertDataKey(system: Db, tenantId: TenantId, key: Key): Promise<boolean> {
  await system.query(noteUse, [key.keyId, key.createdAt])
  const rows = await system.query(insertKey, [tenantId, key.epoch, key.keyId, key.wrapped, key.createdAt])
  return rows.length > 0
}

/** Wrapped data keys, one per tenant and epoch. */
export function dataKeys(database: Database) {
  const find = async (tenantId: TenantId, epoch: number) =>
    toKey((await database.tenant(tenantId).query<Stored>(selectEpoch, [tenantId, epoch]))[0])
  return {
    newest: async (tenantId: TenantId) =>
      toKey((await database.tenant(tenantId).query<Stored>(selectNewest, [tenantId]))[0]),
    find,
    /**
     * Two processes may make a tenant's first key at once; the one that is stored counts. Throws `KeyUnavailable` when
     * the key-encryption key is retired: nobody could open what such a data key seals.
     */
    async add(tenantId: TenantId, key: Key): Promise<Key> {
      await insertDataKey(database.system, tenantId, key)
      const stored = await find(tenantId, key.epoch)
      if (stored === undefined)
        throw new KeyUnavailable(`The key-encryption key ${key.keyId} is retired; put the current one first`)
      return stored
    },
    isRetired: async (keyId: string) => (await database.system.query(selectRetired, [keyId])).length > 0,
    async countEncryptions(
      counts: readonly { readonly tenantId: TenantId; readonly epoch: number; readonly count: number }[],
    ): Promise<void> {
      await database.system.query(addEncryptions, [
        counts.map((one) => one.tenantId),
        counts.map((one) => one.epoch),
        counts.map((one) => one.count),
      ])
    },
  }
}

function toKey(row: Stored | undefined): Key | undefined {
  return row && { epoch: row.epoch, keyId: row.key_encryption_key_id, wrapped: row.wrapped, createdAt: row.created_at }
}
