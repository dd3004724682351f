import pg from 'pg'
import type { Statement } from './database.ts'

/** A connection on which the lookups of many callers follow one another without waiting for each other's answers. */
export interface SharedReader {
  /** Whether it can take no more: the connection is lost. */
  readonly isOver: boolean
  read<Row extends object>(reach: string, text: Statement, values: readonly unknown[]): Promise<Row[]>
  close(): Promise<void>
}

/**
 * Connects. Only for lookups: a statement that may wait for a lock would hold up everybody behind it.
 *
 * PostgreSQL works off what comes in over a connection strictly in order, so each lookup runs under the reach that was
 * sent before it; a reach that could not be set ends the reader, and nothing that was read under it is handed out.
 */
export async function openSharedReader(config: pg.ClientConfig, setReach: Statement): Promise<SharedReader> {
  const client = new pg.Client({ ...config, pipeline: true })
  let isOver = false
  const end = (): void => {
    isOver = true
  }
  client.on('error', end)
  client.on('end', end)
  await client.connect()

  let lastReach: string | undefined
  let reachIsSet: Promise<unknown> = Promise.resolve()
  const run = <Row extends object>({ name, text }: Statement, values: readonly unknown[]) =>
    client.query<Row>({ name, text, values: [...values] })

  return {
    get isOver() {
      return isOver
    },
    async read<Row extends object>(reach: string, text: Statement, values: readonly unknown[]) {
      if (reach !== lastReach) {
        lastReach = reach
        reachIsSet = run(setReach, [reach])
        reachIsSet.catch(() => {
          end()
          void client.end().catch(() => {})
        })
      }
      const [, result] = await Promise.all([reachIsSet, run<Row>(text, values)])
      return result.rows
    },
    close: () => client.end(),
  }
}

/**
 * A few readers, each opened when it is first needed and again after it was lost.
 *
 * One tenant's lookups go to one of them, where they follow one another under the same reach.
 */
export function createReaders(open: () => Promise<SharedReader>): {
  of(reach: string): Promise<SharedReader>
  close(): Promise<void>
} {
  // A lookup costs PostgreSQL less than it costs this process, so two keep up with it.
  const places: (Promise<SharedReader> | undefined)[] = [undefined, undefined]
  const openAt = (place: number): Promise<SharedReader> => {
    const opening = open()
    places[place] = opening
    opening.catch(() => {
      if (places[place] === opening) places[place] = undefined
    })
    return opening
  }
  return {
    async of(reach) {
      const place = reach.charCodeAt(reach.length - 1) % places.length
      const known = places[place] ?? openAt(place)
      const reader = await known
      if (!reader.isOver) return reader
      // Of many that find it lost, one opens the next.
      const later = places[place]
      return later === undefined || later === known ? openAt(place) : later
    },
    async close() {
      for (const place of places) await (await place?.catch(() => undefined))?.close()
    },
  }
}
