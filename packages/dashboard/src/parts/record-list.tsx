import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useLayoutEffect, useRef, useState, type ReactNode } from 'react'
import type { GrowingList } from '../api/lists.ts'
import { Button } from './button.tsx'
import { Loading, ProblemNote } from './notes.tsx'

export interface Column<Item> {
  readonly title: string
  /** A track of the grid on a wide screen: `minmax(0, 2fr)`. */
  readonly width: string
  readonly cell: (item: Item) => ReactNode
  /** Where there is no room for a table: left out, or on a line of its own. */
  readonly narrow?: 'hidden' | 'line'
}

interface RecordListProps<Item> {
  readonly label: string
  readonly list: GrowingList<Item>
  readonly columns: readonly Column<Item>[]
  readonly keyOf: (item: Item) => string
  readonly empty: ReactNode
  /** Stands before the first column of each row and of the head. */
  readonly selection?: {
    readonly head: ReactNode
    readonly row: (item: Item) => ReactNode
  }
}

const rowHeight = 49
const narrowLooks = {
  hidden: 'max-lg:hidden',
  line: 'max-lg:basis-full',
  first: 'max-lg:flex-1 max-lg:basis-40',
  next: '',
} as const
/** Where there is no room for a table, what chooses a row stands before all that the row wraps into. */
const besideRow = 'flex items-center max-lg:absolute max-lg:top-2.5 max-lg:left-4'

/** A table of any length: rows are drawn only where somebody looks, and read page by page as they scroll. */
export function RecordList<Item>(props: RecordListProps<Item>): ReactNode {
  const { list, empty } = props
  if (list.problem !== null && list.items.length === 0)
    return <ProblemNote problem={list.problem} onRetry={list.retry} />
  if (list.isLoading) return <Loading lines={8} />
  if (list.items.length === 0) return empty
  return <Rows {...props} />
}

function Rows<Item>({ label, list, columns, keyOf, selection }: RecordListProps<Item>): ReactNode {
  const ref = useRef<HTMLDivElement>(null)
  const [scrollMargin, setScrollMargin] = useState(0)
  const { items, hasMore, grow } = list
  useLayoutEffect(() => {
    const box = ref.current?.getBoundingClientRect()
    if (box !== undefined) setScrollMargin(Math.round(box.top + window.scrollY))
  }, [items.length])
  const virtualizer = useWindowVirtualizer({
    count: items.length,
    estimateSize: () => rowHeight,
    overscan: 12,
    scrollMargin,
    getItemKey: (index) => {
      const item = items[index]
      return item === undefined ? index : keyOf(item)
    },
  })
  const rows = virtualizer.getVirtualItems()
  const lastShown = rows.at(-1)?.index ?? 0
  const isNearEnd = lastShown >= items.length - 10
  useEffect(() => {
    if (isNearEnd && hasMore) grow()
    // The list is another object at every render; what matters of it is named here.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [isNearEnd, hasMore, items.length])

  const tracks = [...(selection === undefined ? [] : ['1.75rem']), ...columns.map((column) => column.width)].join(' ')
  const grid = `flex flex-wrap items-center gap-x-4 gap-y-1 px-4 lg:grid lg:grid-cols-(--tracks) ${selection === undefined ? '' : 'max-lg:pl-12'}`
  return (
    <>
      <div
        role="table"
        aria-label={label}
        aria-rowcount={hasMore ? -1 : items.length + 1}
        className="overflow-hidden rounded-lg border border-line bg-card"
        style={{ '--tracks': tracks } as React.CSSProperties}
      >
        <div role="rowgroup">
          <div
            role="row"
            aria-rowindex={1}
            className={`${grid} min-h-9 border-b border-line bg-raised/60 text-xs font-medium text-soft ${selection === undefined ? 'max-lg:sr-only' : 'relative'}`}
          >
            {selection !== undefined && (
              <div role="columnheader" className={besideRow}>
                {selection.head}
              </div>
            )}
            {columns.map((column) => (
              <div role="columnheader" key={column.title} className="max-lg:sr-only">
                {column.title}
              </div>
            ))}
          </div>
        </div>
        <div role="rowgroup" ref={ref} className="relative" style={{ height: virtualizer.getTotalSize() }}>
          {rows.map((row) => {
            const item = items[row.index]
            if (item === undefined) return null
            return (
              <div
                role="row"
                key={row.key}
                data-index={row.index}
                aria-rowindex={row.index + 2}
                ref={virtualizer.measureElement}
                className={`${grid} absolute inset-x-0 top-0 min-h-12 border-b border-line py-2 last:border-b-0 hover:bg-raised/50`}
                style={{ transform: `translateY(${row.start - scrollMargin}px)` }}
              >
                {selection !== undefined && (
                  <div role="cell" className={besideRow}>
                    {selection.row(item)}
                  </div>
                )}
                {columns.map((column, index) => (
                  <div
                    role="cell"
                    key={column.title}
                    className={`min-w-0 ${narrowLooks[column.narrow ?? (index === 0 ? 'first' : 'next')]}`}
                  >
                    {column.cell(item)}
                  </div>
                ))}
              </div>
            )
          })}
        </div>
      </div>
      <div className="mt-3 flex items-center justify-between gap-3 text-xs text-soft">
        <span role="status">
          {items.length.toLocaleString('en')} {hasMore ? 'read so far' : items.length === 1 ? 'row' : 'rows'}
        </span>
        {hasMore && (
          <Button onClick={grow} disabled={list.isGrowing}>
            {list.isGrowing ? 'Reading …' : 'Read more'}
          </Button>
        )}
      </div>
      {list.problem !== null && <ProblemNote problem={list.problem} onRetry={grow} />}
    </>
  )
}
