import type { TenantId } from '../core/ids.ts'
import { lookup, statement, type Database } from './database.ts'
import type { DataKeyRow } from './rows.ts'

type Stored = Pick<DataKeyRow, 'epoch' | 'key_encryption_key_id' | 'wrapped'>

const selectNewest = lookup(
  'data_keys.newest',
  `select epoch, key_encryption_key_id, wrapped
   from data_keys
   where tenant_id = $1
   order by epoch desc
   limit 1`,
)
const selectEpoch = lookup(
  'data_keys.find',
  `select epoch, key_encryption_key_id, wrapped
   from data_keys
   where tenant_id = $1 and epoch = $2`,
)
const insertKey = statement(
  'data_keys.add',
  `insert into data_keys (tenant_id, epoch, key_encryption_key_id, wrapped, created_at)
   values ($1, $2, $3, $4, now())
   on conflict do nothing`,
)
const countByKey = statement(
  'data_keys.count',
  `select key_encryption_key_id, count(*)::int as data_keys
   from data_keys
   group by key_encryption_key_id
   order by key_encryption_key_id`,
)

interface Key {
  readonly epoch: number
  readonly keyId: string
  readonly wrapped: Buffer
}

/** Wrapped data keys, one per tenant and epoch. */
export function dataKeys(database: Database) {
  const find = async (tenantId: TenantId, epoch: number) =>
    toKey((await database.tenant(tenantId).query<Stored>(selectEpoch, [tenantId, epoch]))[0])
  return {
    newest: async (tenantId: TenantId) =>
      toKey((await database.tenant(tenantId).query<Stored>(selectNewest, [tenantId]))[0]),
    find,
    /** Two processes may make a tenant's first key at once; the one that is stored counts. */
    async add(tenantId: TenantId, key: Key): Promise<Key> {
      await database.tenant(tenantId).query(insertKey, [tenantId, key.epoch, key.keyId, key.wrapped])
      const stored = await find(tenantId, key.epoch)
      if (stored === undefined) throw new Error('The data key was not stored')
      return stored
    },
    /** How many data keys each key-encryption key wraps, over all tenants. */
    async countByKey(): Promise<readonly { readonly keyId: string; readonly dataKeys: number }[]> {
      const rows = await database.system.query<{ key_encryption_key_id: string; data_keys: number }>(countByKey, [])
      return rows.map((row) => ({ keyId: row.key_encryption_key_id, dataKeys: row.data_keys }))
    },
  }
}

function toKey(row: Stored | undefined): Key | undefined {
  return row && { epoch: row.epoch, keyId: row.key_encryption_key_id, wrapped: row.wrapped }
}
