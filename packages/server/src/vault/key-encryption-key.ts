import type { KeyObject } from 'node:crypto'
import type { TenantId } from '../core/ids.ts'
import { decrypt, encrypt } from './aead.ts'

/** What a wrapped data key is bound to: it unwraps for no other tenant, epoch or key-encryption key. */
export interface Binding {
  readonly keyId: string
  readonly tenantId: TenantId
  readonly epoch: number
}

/**
 * One key-encryption key: held here, or kept by a key service. Both ways throw `KeyUnavailable` when the key cannot be
 * used now, and anything else when the bytes are not what this key wrapped with this binding.
 */
export interface KeyEncryptionKey {
  readonly id: string
  wrap(dataKey: Uint8Array, binding: Binding): Promise<Buffer>
  unwrap(wrapped: Uint8Array, binding: Binding): Promise<Buffer>
}

/** A key that this process holds itself. */
export function heldKey(id: string, key: KeyObject): KeyEncryptionKey {
  return {
    id,
    wrap: async (dataKey, binding) => encrypt(key, dataKey, asBytes(binding)),
    unwrap: async (wrapped, binding) => decrypt(key, wrapped, asBytes(binding)),
  }
}

/** The binding as associated data, for services that take bytes. */
export function asBytes({ keyId, tenantId, epoch }: Binding): Buffer {
  return Buffer.from(JSON.stringify(['connector-oauth data key', keyId, tenantId, epoch]), 'utf8')
}
