import type { Page, PageRequest } from '../domain/page.ts'

/** Twenty rows when the caller names no number. */
export function pageRequest(query: { readonly limit?: number; readonly cursor?: string }): PageRequest {
  return { limit: query.limit ?? 20, cursor: query.cursor }
}

/** The contract's list body. */
export function pageBody<Item>(page: Page<Item>) {
  return {
    data: page.items,
    meta: { next_cursor: page.nextCursor ?? null, has_more: page.nextCursor !== undefined },
  }
}

/** The same shape for a list that comes whole. */
export function wholeList<Item>(items: readonly Item[]) {
  return { data: items, meta: { next_cursor: null, has_more: false } }
}
