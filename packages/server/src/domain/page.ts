import { Problem } from '../core/problem.ts'
import type { TimeCursor } from '../store/events.ts'

/** One page of a list, and where the next begins. */
export interface Page<Item> {
  readonly items: readonly Item[]
  readonly nextCursor: string | undefined
}

export interface PageRequest {
  readonly limit: number
  readonly cursor: string | undefined
}

/** A page of what has a position in the tenant's order; oldest first when nothing is said. */
export interface OrderedPageRequest extends PageRequest {
  readonly order?: 'asc' | 'desc' | undefined
}

/** Cuts a page from `limit + 1` rows; the one more tells that there is a next page. */
export function cutPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  toItem: (row: Row) => Item,
  position: (row: Row) => TimeCursor,
): Page<Item> {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const hasMore = rows.length > limit && last !== undefined
  return { items: shown.map(toItem), nextCursor: hasMore ? writeCursor(position(last)) : undefined }
}

function writeCursor(cursor: TimeCursor): string {
  return Buffer.from(JSON.stringify([cursor.createdAt.toISOString(), cursor.id])).toString('base64url')
}

/** Throws 400 `invalid_cursor`. */
export function readCursor(text: string | undefined): TimeCursor | undefined {
  if (text === undefined) return undefined
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    // Only its shape is taken for granted; its parts are judged below.
    const [time, id] = Array.isArray(parsed) ? (parsed as unknown[]) : []
    if (typeof time === 'string' && typeof id === 'string') {
      const createdAt = new Date(time)
      const year = createdAt.getUTCFullYear()
      // Also no number; and PostgreSQL ends where JavaScript still has years.
      if (year >= 0 && year <= 9999 && /^[\x21-\x7e]{1,128}$/.test(id)) return { createdAt, id }
    }
  } catch {
    // Falls through: whatever it is, it is no cursor of ours.
  }
  throw new Problem('invalid_cursor')
}
