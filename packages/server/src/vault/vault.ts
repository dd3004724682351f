import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import type { TenantId } from '../core/ids.ts'
import { Secret } from '../core/secret.ts'
import { decrypt, encrypt } from './aead.ts'
import type { KeyEncryptionKeys } from './key-encryption-keys.ts'
import { associatedData, type Place } from './place.ts'

/** A data key as it is stored: wrapped by a key-encryption key. */
export interface WrappedDataKey {
  readonly epoch: number
  readonly keyId: string
  readonly wrapped: Buffer
}

/** Where wrapped data keys are kept. */
export interface DataKeyStore {
  newest(tenantId: TenantId): Promise<WrappedDataKey | undefined>
  find(tenantId: TenantId, epoch: number): Promise<WrappedDataKey | undefined>
  /** Stores the key unless the tenant already has that epoch; answers the one that is stored. */
  add(tenantId: TenantId, key: WrappedDataKey): Promise<WrappedDataKey>
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
const cachedKeys = 10_000

/** Envelope encryption: a data key per tenant and epoch, wrapped by a key-encryption key (OWASP ASVS 13.3.3). */
export function createVault(keys: KeyEncryptionKeys, store: DataKeyStore): Vault {
  const opened = new Map<string, Promise<DataKey>>()

  const remember = (name: string, load: () => Promise<DataKey>): Promise<DataKey> => {
    const known = opened.get(name)
    if (known !== undefined) return known
    const loading = load()
    loading.catch(() => opened.delete(name))
    opened.set(name, loading)
    // The oldest entry goes: a tenant that comes back costs one select.
    const [oldest] = opened.size > cachedKeys ? opened.keys() : []
    if (oldest !== undefined) opened.delete(oldest)
    return loading
  }

  const unwrap = async (tenantId: TenantId, stored: WrappedDataKey): Promise<DataKey> => ({
    epoch: stored.epoch,
    key: createSecretKey(await keys.unwrap(stored.keyId, stored.wrapped, tenantId, stored.epoch)),
  })

  const newest = (tenantId: TenantId) =>
    remember(`${tenantId}\n`, async () => {
      const stored = (await store.newest(tenantId)) ?? (await store.add(tenantId, await newDataKey(keys, tenantId, 1)))
      return unwrap(tenantId, stored)
    })

  const ofEpoch = (place: Place, epoch: number) =>
    remember(`${place.tenantId}\n${epoch}`, async () => {
      const stored = await store.find(place.tenantId, epoch)
      if (stored === undefined) throw new SealBroken(place, 'its data key is gone')
      return unwrap(place.tenantId, stored)
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
  }
}

interface DataKey {
  readonly epoch: number
  readonly key: KeyObject
}

async function newDataKey(keys: KeyEncryptionKeys, tenantId: TenantId, epoch: number): Promise<WrappedDataKey> {
  const bytes = randomBytes(32)
  const { keyId, wrapped } = await keys.wrap(bytes, tenantId, epoch)
  bytes.fill(0)
  return { epoch, keyId, wrapped }
}
