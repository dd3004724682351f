import type { AuditCheckpoint } from './audit-checkpoint.ts'
import { auditFormat, canonicalJson } from './audit-entry.ts'
import type { LinkedEntry } from './verify-audit.ts'

/** The first line of an export: what it holds, and what its hashes and signatures are checked with. */
export interface ExportHeader {
  /** Of the canonical form; see `entryHash`. */
  readonly format: string
  readonly tenant_id: string
  readonly from_position: number
  /** One less than `from_position`: the export holds no entry. */
  readonly to_position: number
  /** Of the entry before the first. */
  readonly previous_hash: string
  readonly exported_at: string
  /** By its id: SubjectPublicKeyInfo of an Ed25519 key in Base64. */
  readonly public_keys: Readonly<Record<string, string>>
}

/** The last line: the service's word that all before it is all there was. */
export interface ExportFooter {
  readonly last_hash: string
  readonly entries: number
  readonly checkpoints: number
  readonly key_id: string
  /** Ed25519 over `footerBytes`, in base64url. */
  readonly signature: string
}

export type ExportLine =
  | ({ readonly type: 'header' } & ExportHeader)
  | ({ readonly type: 'entry' } & LinkedEntry)
  | ({ readonly type: 'checkpoint' } & AuditCheckpoint)
  | ({ readonly type: 'footer' } & ExportFooter)

export type LineType = ExportLine['type']

/** What each line holds, no more and no less: what is signed or hashed, and the signature or hash. */
export const lineMembers: Readonly<Record<LineType, readonly string[]>> = {
  header: ['format', 'tenant_id', 'from_position', 'to_position', 'previous_hash', 'exported_at', 'public_keys'],
  entry: [
    'tenant_id',
    'position',
    'entry_id',
    'action',
    'actor_id',
    'resource_type',
    'resource_id',
    'space_id',
    'collection_id',
    'metadata',
    'created_at',
    'hash',
  ],
  checkpoint: ['tenant_id', 'position', 'hash', 'created_at', 'key_id', 'signature'],
  footer: ['last_hash', 'entries', 'checkpoints', 'key_id', 'signature'],
}

/** What the footer's signature covers: header and footer, and by their hashes and counts all between. */
export function footerBytes(header: ExportHeader, footer: Omit<ExportFooter, 'signature'>): Buffer {
  const { last_hash: lastHash, entries, checkpoints, key_id: keyId } = footer
  const head = Object.fromEntries(lineMembers.header.map((name) => [name, Reflect.get(header, name)]))
  return Buffer.from(canonicalJson([`${auditFormat} export`, head, lastHash, entries, checkpoints, keyId]), 'utf8')
}
