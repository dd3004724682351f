import { KeyUnavailable } from '../core/key-unavailable.ts'
import { dataKeysWrappedBy, storeRewrapped, type KeyToRewrap } from '../store/data-key-rotation.ts'
import type { Context } from './context.ts'

export interface Rewrapping {
  readonly rewrapped: number
  /** Data keys that the key-encryption key they name does not open. */
  readonly unreadable: number
}

/** As many wait for a key service at once. */
const portion = 50

/**
 * Wraps data keys anew under the first key-encryption key, as far as this process knows the keys they are under. The
 * data keys stay as they are, so whoever has one open goes on. Throws `KeyUnavailable` when a key service is away.
 */
export async function rewrapDataKeys(
  context: Pick<Context, 'database' | 'keyEncryptionKeys'>,
  report: (progress: Rewrapping) => void,
): Promise<Rewrapping> {
  const { database, keyEncryptionKeys: keys } = context
  const others = keys.ids.filter((id) => id !== keys.currentId)
  let progress: Rewrapping = { rewrapped: 0, unreadable: 0 }
  let after = { tenantId: '', epoch: 0 }
  for (;;) {
    const found = others.length === 0 ? [] : await dataKeysWrappedBy(database.system, others, after, portion)
    const last = found.at(-1)
    if (last === undefined) return progress
    after = last
    const wrapped = await Promise.all(found.map((key) => rewrap(context, key)))
    const changes = wrapped.filter((change) => change !== undefined)
    progress = {
      rewrapped: progress.rewrapped + (await storeRewrapped(database.system, keys.currentId, changes)),
      unreadable: progress.unreadable + found.length - changes.length,
    }
    report(progress)
  }
}

/** `undefined` when the bytes were altered: no other key is tried on them. */
async function rewrap({ keyEncryptionKeys: keys }: Pick<Context, 'keyEncryptionKeys'>, old: KeyToRewrap) {
  try {
    const dataKey = await keys.unwrap(old.keyId, old.wrapped, old.tenantId, old.epoch)
    const { wrapped } = await keys.wrap(dataKey, old.tenantId, old.epoch)
    dataKey.fill(0)
    return { old, wrapped }
  } catch (error) {
    if (error instanceof KeyUnavailable) throw error
    return undefined
  }
}
