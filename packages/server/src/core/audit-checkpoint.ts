import { createHash, createPublicKey, verify } from 'node:crypto'
import { canonicalJson } from './audit-entry.ts'

/** The service's word, at one time, for where a tenant's chain stood. */
export interface AuditCheckpoint {
  readonly tenant_id: string
  readonly position: number
  /** Hexadecimal. */
  readonly hash: string
  readonly created_at: string
  readonly key_id: string
  /** Ed25519 (RFC 8032) over `checkpointBytes`, in base64url. */
  readonly signature: string
}

export type UnsignedCheckpoint = Omit<AuditCheckpoint, 'signature'>

/** What the signature of a checkpoint covers. */
export function checkpointBytes(checkpoint: UnsignedCheckpoint): Buffer {
  const { tenant_id: tenant, position, hash, created_at: createdAt, key_id: keyId } = checkpoint
  return Buffer.from(canonicalJson(['connector-oauth checkpoint 1', tenant, position, hash, createdAt, keyId]), 'utf8')
}

/** Names a key by a digest of its public half, so that no other key can go under its name. */
export function auditKeyId(publicKey: string): string {
  return createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('base64url').slice(0, 22)
}

/** Whether `signature` is the key's over `bytes`; `false` for anything malformed. */
export function isSignedBy(publicKey: string, bytes: Uint8Array, signature: string): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' })
    const decoded = Buffer.from(signature, 'base64url')
    // The last character has bits to spare: another spelling of the same bytes would be a change that goes unseen.
    const isCanonical = decoded.toString('base64url') === signature
    return isCanonical && key.asymmetricKeyType === 'ed25519' && verify(null, bytes, key, decoded)
  } catch {
    return false
  }
}
