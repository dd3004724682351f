import { useInfiniteQuery, type QueryKey } from '@tanstack/react-query'
import { call, type CallOptions } from './call.ts'

/** The contract's list body. */
export interface ListBody<Item> {
  readonly data: readonly Item[]
  readonly meta: { readonly next_cursor: string | null; readonly has_more: boolean }
}

/** A list that is read page by page, as far as somebody scrolls. */
export interface GrowingList<Item> {
  readonly items: readonly Item[]
  readonly isLoading: boolean
  readonly problem: Error | null
  readonly hasMore: boolean
  readonly isGrowing: boolean
  readonly grow: () => void
  readonly retry: () => void
}

const pageSize = 50

export function useGrowingList<Item>(
  key: QueryKey,
  path: string,
  query: NonNullable<CallOptions['query']> = {},
  enabled: 'always' | 'never' = 'always',
): GrowingList<Item> {
  const list = useInfiniteQuery({
    queryKey: key,
    initialPageParam: '',
    enabled: enabled === 'always',
    queryFn: ({ pageParam, signal }) =>
      call<ListBody<Item>>('GET', path, { query: { ...query, limit: pageSize, cursor: pageParam }, signal }),
    getNextPageParam: (page) => page.meta.next_cursor,
  })
  return {
    items: list.data?.pages.flatMap((page) => page.data) ?? [],
    isLoading: list.isPending && enabled === 'always',
    problem: list.error,
    hasMore: list.hasNextPage,
    isGrowing: list.isFetchingNextPage,
    grow: () => {
      if (!list.isFetchingNextPage) void list.fetchNextPage()
    },
    retry: () => void list.refetch(),
  }
}
