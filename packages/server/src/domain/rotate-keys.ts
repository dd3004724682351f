import {
  listUsedKeys,
  newestOrder,
  orderRotation,
  retireIdleKeys,
  type RotationOrder,
} from '../store/key-encryption-keys.ts'
import { tenantsToRotate } from '../store/data-key-rotation.ts'
import { addDataKeys, mostEncryptions } from './add-data-keys.ts'
import type { Context } from './context.ts'
import { rewrapDataKeys, type Rewrapping } from './rewrap-data-keys.ts'

/** Whether there is a rotation to carry out. */
export type OrderedRotation =
  | { readonly kind: 'ordered' | 'continued'; readonly order: RotationOrder }
  /** The first key wraps everything already: a rotation needs a new one. */
  | { readonly kind: 'no-new-key'; readonly keyId: string }
  | { readonly kind: 'retired'; readonly keyId: string }

/** What a rotation has done; told again and again while it goes on. */
export interface RotationProgress extends Rewrapping {
  readonly newDataKeys: number
}

type Needs = Pick<Context, 'database' | 'clock' | 'keyEncryptionKeys' | 'wakeUp'>

/**
 * Orders a rotation to the first key-encryption key in the database, so that whoever works in the background carries it
 * on when this process ends. An order that is not carried out yet is continued. With `data-keys` the first key may be
 * the one in use.
 */
export async function orderKeyRotation(context: Needs, what: 'all-keys' | 'data-keys'): Promise<OrderedRotation> {
  const { system } = context.database
  const { currentId: keyId, ids } = context.keyEncryptionKeys
  const used = await listUsedKeys(system)
  if (used.some((key) => key.keyId === keyId && key.retiredAt !== undefined)) return { kind: 'retired', keyId }
  const wrapsAll = used.every((key) => key.keyId === keyId || key.dataKeys === 0)
  const order = await newestOrder(system)
  if (order?.keyId === keyId) {
    const due = await tenantsToRotate(system, order.orderedAt, mostEncryptions, { after: '', limit: 1 })
    if (!wrapsAll || due.length > 0) return { kind: 'continued', order }
  }
  const isInUse = used.some((key) => key.keyId === keyId) || ids.length === 1
  if (what === 'all-keys' && wrapsAll && isInUse) return { kind: 'no-new-key', keyId }
  const orderedAt = context.clock.now()
  if (!(await orderRotation(system, keyId, orderedAt))) return { kind: 'retired', keyId }
  return { kind: 'ordered', order: { keyId, orderedAt } }
}

/**
 * Re-wraps every data key under the first key-encryption key, gives each tenant a new data key, and retires
 * key-encryption keys that wrap nothing any more; answers those. May be done by several processes at once and again
 * after a crash.
 */
export async function carryOutRotation(
  context: Needs,
  order: RotationOrder,
  report: (progress: RotationProgress) => void,
): Promise<{ readonly progress: RotationProgress; readonly retired: readonly string[] }> {
  let progress: RotationProgress = { rewrapped: 0, unreadable: 0, newDataKeys: 0 }
  const tell = (more: Partial<RotationProgress>): void => {
    progress = { ...progress, ...more }
    report(progress)
  }
  await rewrapDataKeys(context, tell)
  await addDataKeys(context, order, (newDataKeys) => tell({ newDataKeys }))
  const retired = await retireIdleKeys(context.database, order.keyId, context.clock.now())
  return { progress, retired }
}
