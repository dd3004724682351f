import { Socket } from 'node:net'
import pg from 'pg'
import type { Statement } from './database.ts'
import { runPrepared } from './run-prepared.ts'

/** A connection on which the lookups of many callers follow one another without waiting for each other's answers. */
export interface SharedReader {
  /** Whether it can take no more: the connection is lost. */
  readonly isOver: boolean
  /** Rows may be shared with others who asked the same at the same time: they are to be read, not changed. */
  read<Row extends object>(reach: string, text: Statement, values: readonly unknown[]): Promise<Row[]>
  close(): Promise<void>
}

/** A lookup that was not sent yet. */
interface Waiting {
  readonly reach: string
  readonly rows: Promise<object[]>
  send(): void
}

/**
 * Connects. Only for lookups: a statement that may wait for a lock would hold up everybody behind it.
 *
 * PostgreSQL works off what comes in over a connection strictly in order, so each lookup runs under the reach that was
 * sent before it; a reach that could not be set ends the reader, and nothing that was read under it is handed out.
 *
 * The lookups of one turn of the event loop are sent together, tenant by tenant. Who asks what already waits to be sent shares its
 * answer. What was sent is shared with nobody: it may have been answered before the next caller's own past, such as a disconnect.
 */
export async function openSharedReader(config: pg.ClientConfig, setReach: Statement): Promise<SharedReader> {
  const socket = new Socket()
  const client = new pg.Client({ ...config, pipeline: true, stream: () => socket })
  let isOver = false
  const end = (): void => {
    isOver = true
  }
  client.on('error', end)
  client.on('end', end)
  await client.connect()

  let lastReach: string | undefined
  let reachIsSet: Promise<unknown> = Promise.resolve()
  const ask = async (reach: string, text: Statement, values: readonly unknown[]): Promise<object[]> => {
    if (reach !== lastReach) {
      lastReach = reach
      reachIsSet = runPrepared(client, setReach, [reach])
      reachIsSet.catch(() => {
        end()
        void client.end().catch(() => {})
      })
    }
    const [, result] = await Promise.all([reachIsSet, runPrepared(client, text, values)])
    return result.rows
  }

  let waiting = new Map<string, Waiting>()
  const sendAll = (): void => {
    const lookups = [...waiting.values()].toSorted((a, b) => (a.reach < b.reach ? -1 : a.reach > b.reach ? 1 : 0))
    // Before the first of them is sent: nobody may join a lookup that is on its way.
    waiting = new Map()
    // A write is a call of the system, which costs more than all else that a lookup costs this process.
    socket.cork()
    for (const lookup of lookups) lookup.send()
    socket.uncork()
  }

  return {
    get isOver() {
      return isOver
    },
    read<Row extends object>(reach: string, text: Statement, values: readonly unknown[]) {
      const key = JSON.stringify([reach, text.name, ...values])
      // Rows of the same statement.
      const known = waiting.get(key)?.rows as Promise<Row[]> | undefined
      if (known !== undefined) return known
      const { promise, resolve } = Promise.withResolvers<Row[]>()
      if (waiting.size === 0) setImmediate(sendAll)
      // As above.
      const send = (): void => resolve(ask(reach, text, values) as Promise<Row[]>)
      waiting.set(key, { reach, rows: promise, send })
      return promise
    },
    async close() {
      sendAll()
      await client.end()
    },
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
