import type { Transport } from './transport.ts'

/** One page of a list, as the API answers it. */
export interface Page<T> {
  readonly data: readonly T[]
  readonly meta: { readonly next_cursor: string | null; readonly has_more: boolean }
}

/** A list: `for await` reads all of it, a page at a time; `page()` reads one. */
export interface List<T> extends AsyncIterable<T> {
  /** The first page, or the one at `cursor`. */
  page(cursor?: string): Promise<Page<T>>
}

/** The list at a path, narrowed by `filter`. */
export function listOf<T>(transport: Transport, path: string, filter: object, signal?: AbortSignal): List<T> {
  const page = (cursor?: string): Promise<Page<T>> =>
    transport.json<Page<T>>({
      method: 'GET',
      path,
      query: { ...filter, ...(cursor !== undefined && { cursor }) },
      signal,
    })
  return {
    page,
    async *[Symbol.asyncIterator]() {
      let cursor: string | undefined
      do {
        const { data, meta } = await page(cursor)
        yield* data
        cursor = meta.next_cursor ?? undefined
      } while (cursor !== undefined)
    },
  }
}
