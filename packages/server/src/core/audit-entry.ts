import { createHash } from 'node:crypto'

/** One entry of a tenant's audit record, in its place in the chain, as exports carry it. */
export interface AuditEntry {
  readonly tenant_id: string
  /** From 1, without a gap. */
  readonly position: number
  readonly entry_id: string
  readonly action: string
  readonly actor_id: string | null
  readonly resource_type: string
  readonly resource_id: string
  readonly space_id: string | null
  readonly collection_id: string | null
  readonly metadata: unknown
  /** RFC 3339 in UTC with milliseconds. */
  readonly created_at: string
}

/** Names the canonical form and what is hashed; another form gets another name. */
export const auditFormat = 'connector-oauth audit 1'

/** What the first entry follows: the SHA-256 of nothing, in hexadecimal. */
export const genesisHash = createHash('sha256').digest('hex')

/**
 * The hash that links an entry to the one before: SHA-256 over the previous hash's 32 bytes and the entry's canonical
 * form in UTF-8, in hexadecimal.
 */
export function entryHash(previousHash: string, entry: AuditEntry): string {
  return createHash('sha256')
    .update(Buffer.from(previousHash, 'hex'))
    .update(canonicalEntry(entry), 'utf8')
    .digest('hex')
}

/** The entry as a JSON array in a fixed order, in the JSON Canonicalization Scheme (RFC 8785). */
function canonicalEntry(entry: AuditEntry): string {
  return canonicalJson([
    auditFormat,
    entry.tenant_id,
    entry.position,
    entry.entry_id,
    entry.action,
    entry.actor_id,
    entry.resource_type,
    entry.resource_id,
    entry.space_id,
    entry.collection_id,
    entry.metadata,
    entry.created_at,
  ])
}

/**
 * JSON without white space, members sorted by their names' UTF-16 units (RFC 8785).
 *
 * The database may reorder members and respell numbers, so this is taken from what it gives back, or from texts and whole numbers, of
 * which it gives back what was written. Only values that `JSON.parse` makes are expected.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`
}
