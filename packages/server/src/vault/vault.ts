import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import { systemClock, type Clock } from '../core/clock.ts'
import type { TenantId } from '../core/ids.ts'
import { Secret } from '../core/secret.ts'
import { decrypt, encrypt } from './aead.ts'
import { encryptionCounts, type EncryptionCount } from './encryption-count.ts'
import { RetiredKey, type KeyEncryptionKeys } from './key-encryption-keys.ts'
import { openedKeys } from './opened-keys.ts'
import { associatedData, type Place } from './place.ts'

/** A data key as it is stored: wrapped by a key-encryption key. */
export interface WrappedDataKey {
  readonly epoch: number
  readonly keyId: string
  readonly wrapped: Buffer
  /** Tells it from another of the same epoch, such as one made after a tenant was erased; kept when it is re-wrapped. */
  readonly createdAt: Date
}

/** Where wrapped data keys are kept. */
export interface DataKeyStore {
  newest(tenantId: TenantId): Promise<WrappedDataKey | undefined>
  find(tenantId: TenantId, epoch: number): Promise<WrappedDataKey | undefined>
  /**
   * Stores the key unless the tenant already has that epoch; answers the one that is stored. Throws `KeyUnavailable`
   * when the key-encryption key is retired.
   */
  add(tenantId: TenantId, key: WrappedDataKey): Promise<WrappedDataKey>
  /** Whether a key-encryption key may no longer be used. */
  isRetired(keyId: string): Promise<boolean>
  countEncryptions(counts: readonly EncryptionCount[]): Promise<void>
}

/** Seals secrets, each with its tenant's data key and bound to its place. */
export interface Vault {
  seal(place: Place, secret: Secret): Promise<Buffer>
  /**
   * Loads the tenant's data key, so that sealing inside a database transaction needs no second connection: transactions
   * that wait for one another's connections would starve the pool.
   */
  prepare(tenantId: TenantId): Promise<void>
  /** Throws `SealBroken` when the value was altered, belongs elsewhere, or its data key is gone. */
  open(place: Place, sealed: Uint8Array): Promise<Secret>
  /** Looks for a newer data key at once, not when the known one gets old; answers the epoch that seals from now on. */
  renew(tenantId: TenantId): Promise<number>
  /** Writes down what was counted of encryptions. */
  flush(): Promise<void>
}

/** A sealed value that does not open at this place. Says nothing about the value. */
export class SealBroken extends Error {
  constructor(place: Place, reason: string) {
    super(`The sealed ${place.purpose} ${place.field} does not open: ${reason}`)
    this.name = 'SealBroken'
  }
}

/** version 1, algorithm 1 (AES-256-GCM), data key epoch as 32 bits; then nonce ‖ ciphertext ‖ tag. */
const headerBytes = 6
const version = 1
const aes256Gcm = 1
/** What the store can hold; a larger one was made by tampering. */
const largestEpoch = 2 ** 31 - 1
/** Within this time every process seals with the newest data key. */
export const noticedWithinMs = 30_000
/** Within this time no process opens with a data key that was destroyed. */
export const forgottenWithinMs = 5 * 60_000

/** Envelope encryption: a data key per tenant and epoch, wrapped by a key-encryption key (OWASP ASVS 13.3.3). */
export function createVault(keys: KeyEncryptionKeys, store: DataKeyStore, clock: Clock = systemClock): Vault {
  const forgets = (error: unknown): boolean => error instanceof SealBroken
  const sealing = openedKeys<DataKey>({ clock, forgets, freshMs: noticedWithinMs / 2, lifeMs: noticedWithinMs })
  const opening = openedKeys<DataKey>({ clock, forgets, freshMs: forgottenWithinMs * 0.8, lifeMs: forgottenWithinMs })
  const counts = encryptionCounts(clock, (batch) => store.countEncryptions(batch))

  /** Re-wrapping changes no data key, so one that is known needs no key service while its row is there. */
  const unwrap = async (tenantId: TenantId, stored: WrappedDataKey, known: DataKey | undefined): Promise<DataKey> => {
    const { epoch, keyId, createdAt } = stored
    if (known?.epoch === epoch && known.createdAt.getTime() === createdAt.getTime()) return known
    if (await store.isRetired(keyId)) throw new RetiredKey(keyId)
    return { epoch, createdAt, key: createSecretKey(await keys.unwrap(keyId, stored.wrapped, tenantId, epoch)) }
  }

  const loadNewest = (tenantId: TenantId) => async (known: DataKey | undefined) => {
    const stored =
      (await store.newest(tenantId)) ??
      (await store.add(tenantId, await makeDataKey(keys, tenantId, { epoch: 1, createdAt: clock.now() })))
    const key = await unwrap(tenantId, stored, known)
    // What this process seals it can open, even if the key service goes away in between.
    opening.put(epochName(tenantId, key.epoch), key)
    return key
  }

  const newest = (tenantId: TenantId) => sealing.get(tenantId, loadNewest(tenantId))

  const ofEpoch = (place: Place, epoch: number) =>
    opening.get(epochName(place.tenantId, epoch), async (known) => {
      const stored = await store.find(place.tenantId, epoch)
      if (stored === undefined) throw new SealBroken(place, 'its data key is gone')
      return unwrap(place.tenantId, stored, known)
    })

  return {
    async prepare(tenantId) {
      await newest(tenantId)
    },
    async seal(place, secret) {
      const { epoch, key } = await newest(place.tenantId)
      const header = Buffer.alloc(headerBytes)
      header.writeUInt8(version, 0)
      header.writeUInt8(aes256Gcm, 1)
      header.writeUInt32BE(epoch, 2)
      counts.count(place.tenantId, epoch)
      return Buffer.concat([header, encrypt(key, Buffer.from(secret.reveal(), 'utf8'), associatedData(place, epoch))])
    },
    async open(place, sealed) {
      const header = Buffer.from(sealed.subarray(0, headerBytes))
      if (header.length < headerBytes || header[0] !== version || header[1] !== aes256Gcm) {
        throw new SealBroken(place, 'unknown header')
      }
      const epoch = header.readUInt32BE(2)
      if (epoch > largestEpoch) throw new SealBroken(place, 'unknown header')
      const { key } = await ofEpoch(place, epoch)
      try {
        return new Secret(decrypt(key, sealed.subarray(headerBytes), associatedData(place, epoch)).toString('utf8'))
      } catch {
        throw new SealBroken(place, 'it was altered or belongs elsewhere')
      }
    },
    renew: async (tenantId) => (await sealing.renew(tenantId, loadNewest(tenantId))).epoch,
    flush: counts.flush,
  }
}

function epochName(tenantId: TenantId, epoch: number): string {
  return `${tenantId}\n${epoch}`
}

interface DataKey {
  readonly epoch: number
  readonly createdAt: Date
  readonly key: KeyObject
}

/** A new data key, wrapped by the first key-encryption key. */
export async function makeDataKey(
  keys: KeyEncryptionKeys,
  tenantId: TenantId,
  made: { readonly epoch: number; readonly createdAt: Date },
): Promise<WrappedDataKey> {
  const bytes = randomBytes(32)
  const { keyId, wrapped } = await keys.wrap(bytes, tenantId, made.epoch)
  bytes.fill(0)
  return { ...made, keyId, wrapped }
}
