/**
 * The vault: sealing. It knows keys and places, not tables. This file names the places.
 */
import type { TenantId } from '../core/ids.ts'

/** Where a sealed value belongs. A value opened under any other place fails to open. */
export interface Place {
  readonly purpose: 'connector' | 'transaction' | 'provider-app' | 'revocation' | 'event' | 'audit' | 'webhook'
  readonly tenantId: TenantId
  /** Empty where the thing belongs to no space. */
  readonly spaceId: string
  readonly collectionId: string
  /** The id of the row: connector, transaction, provider slug, event. */
  readonly subjectId: string
  readonly field: string
}

/**
 * The place and the data key's epoch as associated data, each part preceded by its length, so that no two places
 * have the same bytes.
 */
export function associatedData(place: Place, epoch: number): Buffer {
  const parts = [
    'connector-oauth',
    place.purpose,
    place.tenantId,
    place.spaceId,
    place.collectionId,
    place.subjectId,
    place.field,
    String(epoch),
  ]
  const lengths = parts.map((part) => Buffer.byteLength(part, 'utf8'))
  const bytes = Buffer.alloc(lengths.reduce((sum, length) => sum + 4 + length, 0))
  let at = 0
  for (const [index, part] of parts.entries()) {
    at = bytes.writeUInt32BE(lengths[index] ?? 0, at)
    at += bytes.write(part, at, 'utf8')
  }
  return bytes
}
