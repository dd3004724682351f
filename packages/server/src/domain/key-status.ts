import { countDataKeys } from '../store/data-key-rotation.ts'
import { listUsedKeys } from '../store/key-encryption-keys.ts'
import type { Context } from './context.ts'
import { countLeft } from './reseal.ts'

/** `wraps`: the first; `unwraps`: listed; `missing`: not listed, though data keys need it. */
export type KeyState = 'wraps' | 'unwraps' | 'retired' | 'missing'

export interface KeyEncryptionKeyStatus {
  readonly keyId: string
  readonly state: KeyState
  readonly dataKeys: number
}

export interface EpochStatus {
  readonly epoch: number
  readonly dataKeys: number
  /** Values that wait to be sealed anew. */
  readonly left: number
}

interface Needs {
  readonly database: Pick<Context['database'], 'system'>
  readonly keyEncryptionKeys: Pick<Context['keyEncryptionKeys'], 'currentId' | 'ids'>
}

/** Every key-encryption key that is listed here, wraps something, or is retired. */
export async function keyStatus(context: Needs): Promise<readonly KeyEncryptionKeyStatus[]> {
  const { currentId, ids } = context.keyEncryptionKeys
  const used = new Map((await listUsedKeys(context.database.system)).map((key) => [key.keyId, key]))
  return [...new Set([...ids, ...used.keys()])].flatMap((keyId) => {
    const { dataKeys = 0, retiredAt } = used.get(keyId) ?? {}
    const listed = keyId === currentId ? 'wraps' : 'unwraps'
    const state: KeyState = retiredAt !== undefined ? 'retired' : ids.includes(keyId) ? listed : 'missing'
    return state === 'missing' && dataKeys === 0 ? [] : [{ keyId, state, dataKeys }]
  })
}

/** Data keys by epoch, over all tenants, with what each has left to be sealed anew by a newer one. */
export async function epochStatus(context: Pick<Context, 'database'>): Promise<readonly EpochStatus[]> {
  const left = await countLeft(context)
  const epochs = await countDataKeys(context.database.system)
  return epochs.map((row) => ({ epoch: row.epoch, dataKeys: row.data_keys, left: left.get(row.epoch) ?? 0 }))
}

/** What is wrong with the keys of this process, seen from the database. */
export interface KeyFaults {
  /** The first key is retired: nothing new could be sealed. */
  readonly isFirstRetired: boolean
  /** Retired keys that are still listed. */
  readonly retired: readonly string[]
  /** Keys that data keys need and this process lacks. */
  readonly missing: readonly string[]
}

/** Holds this process's list of keys against the database. */
export async function judgeKeys(context: Needs): Promise<KeyFaults> {
  const { currentId, ids } = context.keyEncryptionKeys
  const status = await keyStatus(context)
  const retired = status.flatMap((key) => (key.state === 'retired' && ids.includes(key.keyId) ? [key.keyId] : []))
  return {
    isFirstRetired: retired.includes(currentId),
    retired,
    missing: status.flatMap((key) => (key.state === 'missing' ? [key.keyId] : [])),
  }
}
