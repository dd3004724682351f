import { plusMs } from '../core/clock.ts'
import type { TenantId } from '../core/ids.ts'
import { KeyUnavailable } from '../core/key-unavailable.ts'
import {
  claimSupersededKeys,
  destroyDataKey,
  markUnused,
  releaseSupersededKey,
  type SupersededKey,
} from '../store/data-key-rotation.ts'
import { newestOrder, retireIdleKeys } from '../store/key-encryption-keys.ts'
import { sealedRows, type Resealed, type SealedRow } from '../store/sealed-rows.ts'
import { forgottenWithinMs, noticedWithinMs, SealBroken } from '../vault/vault.ts'
import { addDataKeys } from './add-data-keys.ts'
import type { Context } from './context.ts'
import { rewrapDataKeys } from './rewrap-data-keys.ts'
import { sealedColumns, type SealedColumn } from './sealed-columns.ts'

const portion = 200
/** What one round does at most, so that the process can end between rounds. */
const mostValues = 2_000
const mostDataKeys = 100
/** A worker that died is replaced after this. */
const claimMs = 5_000
/** A value sealed just before the new key was noticed is stored by then. */
const storedWithinMs = 2 * noticedWithinMs

type Needs = Pick<Context, 'database' | 'clock' | 'keyEncryptionKeys' | 'vault' | 'meter' | 'wakeUp'>

/**
 * Carries rotations on: re-wraps data keys and makes new ones as ordered, seals anew what older data keys sealed, and
 * destroys a data key once nothing has needed it for so long that no process can still be about to use it. Answers how
 * much it did.
 */
export async function reseal(context: Needs): Promise<number> {
  const order = await newestOrder(context.database.system)
  // A process with another first key would undo what the order asks for.
  const mayCarryOn = order?.keyId === context.keyEncryptionKeys.currentId
  let done = 0
  if (mayCarryOn) done += (await rewrapDataKeys(context, () => {})).rewrapped
  done += await addDataKeys(context, mayCarryOn ? order : undefined, () => {})
  if (mayCarryOn) await retireIdleKeys(context.database, order.keyId, context.clock.now())
  const round = await resealValues(context)
  return done + round.claimed + round.resealed
}

/** What a round did. */
export interface Resealing {
  /** Superseded data keys it looked at. */
  readonly claimed: number
  readonly resealed: number
}

/** A round over what superseded data keys sealed. Throws `KeyUnavailable` in the end when a tenant's key was away. */
export async function resealValues(context: Needs): Promise<Resealing> {
  const { system } = context.database
  const times = { claimMs, idleMs: forgottenWithinMs }
  const keys = await claimSupersededKeys(system, context.clock.now(), times, mostDataKeys)
  let resealed = 0
  let unavailable: KeyUnavailable | undefined
  for (const [tenant, ofTenant] of Map.groupBy(keys, (key) => key.tenantId)) {
    try {
      const found = await resealTenant(context, tenant, mostValues - resealed)
      resealed += found.resealed
      await settle(context, ofTenant, found)
    } catch (error) {
      // The others' keys may be there.
      if (!(error instanceof KeyUnavailable)) throw error
      unavailable = error
    }
  }
  if (unavailable !== undefined) throw unavailable
  return { claimed: keys.length, resealed }
}

/** How many values of superseded data keys there are, by epoch, over all tenants. */
export async function countLeft(context: Pick<Context, 'database'>): Promise<ReadonlyMap<number, number>> {
  const left = new Map<number, number>()
  for (const column of sealedColumns) {
    for (const row of await sealedRows(column).countLeft(context.database.system)) {
      left.set(row.epoch, (left.get(row.epoch) ?? 0) + row.left)
    }
  }
  return left
}

/** What was found of one tenant under superseded data keys. */
interface Found {
  readonly resealed: number
  /** Altered, or held by others. */
  readonly kept: number
  /** Whether everything was looked at. */
  readonly isWhole: boolean
}

async function resealTenant(context: Needs, tenant: TenantId, most: number): Promise<Found> {
  const newest = await context.vault.renew(tenant)
  const db = context.database.tenant(tenant)
  let resealed = 0
  let kept = 0
  for (const column of sealedColumns) {
    const rows = sealedRows(column)
    let after = ''
    for (;;) {
      if (resealed >= most) return { resealed, kept, isWhole: false }
      const found = await rows.before(db, tenant, newest, after, portion)
      const last = found.at(-1)
      if (last === undefined) break
      after = last.key
      const values = await sealAnew(context, column, found)
      const replaced = values.length === 0 ? 0 : await rows.replace(db, tenant, values)
      resealed += replaced
      kept += found.length - replaced
      for (let count = 0; count < replaced; count += 1) context.meter.count('resealed_total', { table: column.table })
    }
  }
  return { resealed, kept, isWhole: true }
}

async function sealAnew(context: Needs, column: SealedColumn, found: readonly SealedRow[]): Promise<Resealed[]> {
  const values: Resealed[] = []
  for (const { key, sealed: old, row } of found) {
    const place = column.place(row)
    try {
      values.push({ key, old, sealed: await context.vault.seal(place, await context.vault.open(place, old)) })
    } catch (error) {
      // An altered value stays as it is, and its data key with it: somebody may have a good copy.
      if (!(error instanceof SealBroken)) throw error
    }
  }
  return values
}

/** Destroys data keys that were not needed when looked at now and a while ago; starts the while for others. */
async function settle(context: Needs, keys: readonly SupersededKey[], found: Found): Promise<void> {
  const now = context.clock.now()
  const isUnused = found.isWhole && found.resealed === 0 && found.kept === 0
  for (const { tenantId: tenant, epoch, supersededAt, unusedSince } of keys) {
    const db = context.database.tenant(tenant)
    if (!found.isWhole) await releaseSupersededKey(db, tenant, epoch)
    if (!isUnused) {
      if (unusedSince !== undefined) await markUnused(db, tenant, epoch, undefined)
    } else if (unusedSince !== undefined) {
      await destroyDataKey(db, tenant, epoch, plusMs(now, -forgottenWithinMs))
    } else if (supersededAt <= plusMs(now, -storedWithinMs)) {
      await markUnused(db, tenant, epoch, now)
    }
  }
}
