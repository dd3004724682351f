import { plusMs } from '../core/clock.ts'
import { tenantId, type TenantId } from '../core/ids.ts'
import { statement, type Db } from './database.ts'
import type { DataKeyRow } from './rows.ts'

/** A data key that another key-encryption key should wrap. */
export interface KeyToRewrap {
  readonly tenantId: TenantId
  readonly epoch: number
  readonly keyId: string
  readonly wrapped: Buffer
}

/** A data key that is no tenant's newest. */
export interface SupersededKey {
  readonly tenantId: TenantId
  readonly epoch: number
  /** When the tenant's next data key was made. */
  readonly supersededAt: Date
  readonly unusedSince: Date | undefined
}

const selectToRewrap = statement(
  'data_keys.to_rewrap',
  `select tenant_id, epoch, key_encryption_key_id, wrapped
   from data_keys
   where key_encryption_key_id = any($1) and (tenant_id, epoch) > ($2, $3)
   order by tenant_id, epoch
   limit $4`,
)
/** The old bytes are compared, so that of two rotations at once one wins and neither undoes the other. */
const updateWrapped = statement(
  'data_keys.rewrap',
  `update data_keys
   set key_encryption_key_id = $1, wrapped = changed.wrapped
   from unnest($2::text[], $3::int[], $4::bytea[], $5::bytea[]) as changed (tenant_id, epoch, old, wrapped)
   where data_keys.tenant_id = changed.tenant_id and data_keys.epoch = changed.epoch
     and data_keys.wrapped = changed.old
   returning data_keys.epoch`,
)
const selectDue = statement(
  'data_keys.due',
  `select tenant_id, epoch
   from (
     select distinct on (tenant_id) tenant_id, epoch, created_at, encryptions
     from data_keys
     order by tenant_id, epoch desc) as newest
   where (created_at < $1 or encryptions >= $2) and tenant_id > $3
   order by tenant_id
   limit $4`,
)
const claimSuperseded = statement(
  'data_keys.claim_superseded',
  `update data_keys
   set claimed_at = $1
   where (tenant_id, epoch) in (
     select d.tenant_id, d.epoch
     from data_keys d
     where (d.claimed_at is null or d.claimed_at <= $2) and (d.unused_since is null or d.unused_since <= $3)
       and exists (select from data_keys where tenant_id = d.tenant_id and epoch > d.epoch)
     order by d.claimed_at nulls first
     limit $4
     for no key update skip locked)
   returning tenant_id, epoch, unused_since,
     (select min(next.created_at)
      from data_keys next
      where next.tenant_id = data_keys.tenant_id and next.epoch > data_keys.epoch) as superseded_at`,
)
const releaseClaim = statement(
  'data_keys.release',
  `update data_keys
   set claimed_at = null
   where tenant_id = $1 and epoch = $2`,
)
const countEpochs = statement(
  'data_keys.count_epochs',
  `select epoch, count(*)::int as data_keys
   from data_keys
   group by epoch
   order by epoch`,
)
const updateUnused = statement(
  'data_keys.unused',
  `update data_keys
   set unused_since = $3
   where tenant_id = $1 and epoch = $2`,
)
const deleteUnused = statement(
  'data_keys.destroy',
  `delete from data_keys
   where tenant_id = $1 and epoch = $2 and unused_since <= $3
     and epoch < (select max(epoch) from data_keys where tenant_id = $1)
   returning epoch`,
)

/** Data keys that one of `keyIds` wraps, a page after `after`. */
export async function dataKeysWrappedBy(
  system: Db,
  keyIds: readonly string[],
  after: { readonly tenantId: string; readonly epoch: number },
  limit: number,
): Promise<readonly KeyToRewrap[]> {
  type Row = Pick<DataKeyRow, 'tenant_id' | 'epoch' | 'key_encryption_key_id' | 'wrapped'>
  const rows = await system.query<Row>(selectToRewrap, [keyIds, after.tenantId, after.epoch, limit])
  return rows.map((row) => ({
    tenantId: tenantId(row.tenant_id),
    epoch: row.epoch,
    keyId: row.key_encryption_key_id,
    wrapped: row.wrapped,
  }))
}

/** Replaces what is still as it was read; answers how many. */
export async function storeRewrapped(
  system: Db,
  keyId: string,
  changes: readonly { readonly old: KeyToRewrap; readonly wrapped: Buffer }[],
): Promise<number> {
  const rows = await system.query(updateWrapped, [
    keyId,
    changes.map(({ old }) => old.tenantId),
    changes.map(({ old }) => old.epoch),
    changes.map(({ old }) => old.wrapped),
    changes.map(({ wrapped }) => wrapped),
  ])
  return rows.length
}

/** Tenants whose newest data key was made before `since`, or has sealed `mostEncryptions` times; with its epoch. */
export async function tenantsToRotate(
  system: Db,
  since: Date,
  mostEncryptions: number,
  page: { readonly after: string; readonly limit: number },
): Promise<readonly { readonly tenantId: TenantId; readonly epoch: number }[]> {
  type Row = Pick<DataKeyRow, 'tenant_id' | 'epoch'>
  const rows = await system.query<Row>(selectDue, [since, mostEncryptions, page.after, page.limit])
  return rows.map((row) => ({ tenantId: tenantId(row.tenant_id), epoch: row.epoch }))
}

/**
 * Takes superseded data keys on, those first that nobody has looked at for longest; whoever dies gives them back after
 * `claimMs`. Those that nothing needs are left alone until `idleMs` have passed.
 */
export async function claimSupersededKeys(
  system: Db,
  now: Date,
  times: { readonly claimMs: number; readonly idleMs: number },
  limit: number,
): Promise<readonly SupersededKey[]> {
  type Row = Pick<DataKeyRow, 'tenant_id' | 'epoch' | 'unused_since'> & { readonly superseded_at: Date }
  const [claimedBefore, unusedBefore] = [plusMs(now, -times.claimMs), plusMs(now, -times.idleMs)]
  const rows = await system.query<Row>(claimSuperseded, [now, claimedBefore, unusedBefore, limit])
  return rows.map((row) => ({
    tenantId: tenantId(row.tenant_id),
    epoch: row.epoch,
    supersededAt: row.superseded_at,
    unusedSince: row.unused_since ?? undefined,
  }))
}

/** Gives a data key back at once, for the next round. */
export async function releaseSupersededKey(db: Db, tenant: TenantId, epoch: number): Promise<void> {
  await db.query(releaseClaim, [tenant, epoch])
}

/** How many data keys of each epoch there are, over all tenants. */
export async function countDataKeys(
  system: Db,
): Promise<readonly { readonly epoch: number; readonly data_keys: number }[]> {
  return system.query(countEpochs, [])
}

/** Notes since when no row needs a data key; `undefined`: one does. */
export async function markUnused(db: Db, tenant: TenantId, epoch: number, since: Date | undefined): Promise<void> {
  await db.query(updateUnused, [tenant, epoch, since ?? null])
}

/** Destroys a superseded data key that nothing has needed since `unusedSince`. What it sealed opens never again. */
export async function destroyDataKey(db: Db, tenant: TenantId, epoch: number, unusedSince: Date): Promise<boolean> {
  return (await db.query(deleteUnused, [tenant, epoch, unusedSince])).length > 0
}
