import { createSecretKey, type KeyObject } from 'node:crypto'
import type { TenantId } from '../core/ids.ts'
import { KeyUnavailable } from '../core/key-unavailable.ts'
import type { AwsKmsKey } from './aws-kms.ts'
import type { GoogleKmsKey } from './google-kms.ts'
import { heldKey, type KeyEncryptionKey } from './key-encryption-key.ts'
import type { TransitKey } from './transit.ts'

/** Wraps and unwraps data keys. The first key wraps; every key it knows unwraps. */
export interface KeyEncryptionKeys {
  readonly currentId: string
  readonly ids: readonly string[]
  wrap(dataKey: Uint8Array, tenantId: TenantId, epoch: number): Promise<{ keyId: string; wrapped: Buffer }>
  /** Throws `UnknownKey` when `keyId` is not among the keys: the key is picked by its id, never tried out. */
  unwrap(keyId: string, wrapped: Uint8Array, tenantId: TenantId, epoch: number): Promise<Buffer>
}

/** A key-encryption key that is no longer, or not yet, among this process's `ENCRYPTION_KEYS`. */
export class UnknownKey extends KeyUnavailable {
  constructor(keyId: string) {
    super(`The key-encryption key ${keyId} is not among ENCRYPTION_KEYS; add it and restart this process`)
    this.name = 'UnknownKey'
  }
}

/** A key-encryption key that a rotation has left behind; what it still wraps was brought back from elsewhere. */
export class RetiredKey extends KeyUnavailable {
  constructor(keyId: string) {
    super(`The key-encryption key ${keyId} is retired and opens nothing any more`)
    this.name = 'RetiredKey'
  }
}

/** A key as it is listed in `ENCRYPTION_KEYS`: held here, or kept by a key service. */
export type ListedKey =
  | { readonly id: string; readonly service?: undefined; readonly key: KeyObject }
  | ({ readonly service: 'aws-kms' } & AwsKmsKey)
  | ({ readonly service: 'gcp-kms' } & GoogleKmsKey)
  | ({ readonly service: 'vault-transit' } & TransitKey)

/** What is wrong with one entry of `ENCRYPTION_KEYS`, or the key. */
export type ParsedKey = ListedKey | { readonly problem: string }

/**
 * Reads `id:base64-of-32-bytes` or `id:service:name`, where the service is one of `aws-kms`, `gcp-kms` and
 * `vault-transit`. Refuses keys that are too short or plainly not random.
 */
export function parseKey(entry: string): ParsedKey {
  const colon = entry.indexOf(':')
  const id = entry.slice(0, colon)
  if (colon < 1 || !/^[A-Za-z0-9._-]{1,64}$/.test(id)) {
    return { problem: 'an entry is not of the form id:base64-of-32-bytes' }
  }
  const [, service, name = ''] = /^([a-z][a-z-]*):(.*)$/.exec(entry.slice(colon + 1)) ?? []
  if (service !== undefined) return parseServiceKey(id, service, name)
  const bytes = Buffer.from(entry.slice(colon + 1), 'base64')
  if (bytes.length !== 32) return { problem: `key ${id} is not 32 bytes in Base64` }
  if (looksLikeAnExample(bytes))
    return { problem: `key ${id} is an example key; make one with: connector-oauth keys generate` }
  return { id, key: createSecretKey(bytes) }
}

function parseServiceKey(id: string, service: string, name: string): ParsedKey {
  switch (service) {
    case 'aws-kms': {
      const [, key, region] = /^([A-Za-z0-9:/_-]{1,256})(?:@([a-z0-9-]{1,32}))?$/.exec(name) ?? []
      if (key === undefined) return { problem: `key ${id} is not of the form id:aws-kms:key-or-arn@region` }
      return { id, service, name: key, region }
    }
    case 'gcp-kms':
      if (!/^projects\/[^/@]+\/locations\/[^/@]+\/keyRings\/[^/@]+\/cryptoKeys\/[^/@]+$/.test(name))
        return { problem: `key ${id} is not of the form id:gcp-kms:projects/…/locations/…/keyRings/…/cryptoKeys/…` }
      return { id, service, name }
    case 'vault-transit': {
      const [, mount, key] = /^([A-Za-z0-9_-]+(?:\/[A-Za-z0-9_-]+)*)\/([A-Za-z0-9_.-]+)$/.exec(name) ?? []
      if (mount === undefined || key === undefined)
        return { problem: `key ${id} is not of the form id:vault-transit:mount/key` }
      return { id, service, mount, name: key }
    }
    default:
      return { problem: `key ${id} names a key service that is none of aws-kms, gcp-kms, vault-transit` }
  }
}

/** 32 random bytes have fewer than 16 distinct values, or run all printable, about never. */
function looksLikeAnExample(bytes: Buffer): boolean {
  const distinct = new Set(bytes).size
  const printable = bytes.every((byte) => byte >= 0x20 && byte < 0x7f)
  const counting = bytes.every((byte, index) => index === 0 || byte === ((bytes[index - 1] ?? 0) + 1) % 256)
  return distinct < 16 || printable || counting
}

/** Key-encryption keys that this process holds itself. `keys` must not be empty. */
export function heldKeys(keys: readonly { readonly id: string; readonly key: KeyObject }[]): KeyEncryptionKeys {
  return keyRing(keys.map(({ id, key }) => heldKey(id, key)))
}

/** Several keys as one; the first wraps. `keys` must not be empty. */
export function keyRing(keys: readonly KeyEncryptionKey[]): KeyEncryptionKeys {
  const [current] = keys
  if (current === undefined) throw new Error('No key-encryption key was given')
  const byId = new Map(keys.map((key) => [key.id, key]))
  return {
    currentId: current.id,
    ids: keys.map((key) => key.id),
    wrap: async (dataKey, tenantId, epoch) => ({
      keyId: current.id,
      wrapped: await current.wrap(dataKey, { keyId: current.id, tenantId, epoch }),
    }),
    unwrap: async (keyId, wrapped, tenantId, epoch) => {
      const key = byId.get(keyId)
      if (key === undefined) throw new UnknownKey(keyId)
      return key.unwrap(wrapped, { keyId, tenantId, epoch })
    },
  }
}
