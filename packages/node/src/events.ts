import { setTimeout as wait } from 'node:timers/promises'
import type { ConnectorEvent, EventFilter, EventStreamFilter } from './api-types.ts'
import { ConnectorOAuthError } from './errors.ts'
import { readBlocks, type EventBlock } from './event-blocks.ts'
import { listOf, type List } from './pages.ts'
import { either } from './signals.ts'
import type { Transport } from './transport.ts'

/** An event, and the place to go on from after it. */
export interface StreamedEvent {
  readonly event: ConnectorEvent
  /** Keep it once the event is dealt with, and give it to `stream` as `after`. */
  readonly position: string
}

export interface StreamOptions extends EventStreamFilter {
  /** The position of the last event that was dealt with; absent: from now on. */
  readonly after?: string
  /**
   * Milliseconds without a word after which the connection counts as broken; default 45,000. The service says something every
   * 15 seconds, so less than that breaks connections that are well.
   */
  readonly idleMs?: number
  readonly signal?: AbortSignal
}

/** An event is a few hundred bytes. */
const maxEventCharacters = 262_144
const longestWaitMs = 30_000
/** Three times what the service waits before it says that nothing happened. */
const idleByDefaultMs = 45_000

/** What happened to the tenant's connections. */
export class Events {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** `GET /v1/events` */
  list(filter: EventFilter = {}): List<ConnectorEvent> {
    return listOf(this.#transport, '/v1/events', filter)
  }

  /**
   * `GET /v1/events/stream`: events as they happen, for as long as one reads. A connection that ends – since the bearer
   * expired, or the service restarts – or that falls silent is followed by another from the same place, with a fresh bearer.
   *
   * Ends with the signal, without an error. Throws `ConnectorOAuthError` when the service refuses.
   */
  async *stream(options: StreamOptions = {}): AsyncGenerator<StreamedEvent, void, undefined> {
    const { after, idleMs = idleByDefaultMs, signal: ownSignal, ...filter } = options
    const signal = either(this.#transport.signal, ownSignal)
    let position = after
    let failures = 0
    while (!isAborted(signal)) {
      try {
        for await (const { id, data } of this.#connection(filter, position, { idleMs, signal })) {
          failures = 0
          // Also what is no event says where the stream is; whoever saw none yet must not begin anew at a later place.
          position = id ?? position
          // Every event of the service has its place; what has none is no event.
          if (id !== undefined && data !== undefined) yield { event: parse(data), position: id }
        }
        // It ended in order; a reader who comes back at once is welcome.
        failures = Math.max(failures, 1)
      } catch (error) {
        if (isAborted(signal)) return
        if (!isPassing(error)) throw error
        failures += 1
      }
      const waitMs = Math.min(longestWaitMs, 250 * 2 ** (failures - 1)) * (0.5 + Math.random() / 2)
      await wait(waitMs, undefined, signal && { signal }).catch(() => {})
    }
  }

  async *#connection(
    filter: EventStreamFilter,
    position: string | undefined,
    { idleMs, signal }: { readonly idleMs: number; readonly signal: AbortSignal | undefined },
  ): AsyncGenerator<EventBlock, void, undefined> {
    const body = await this.#transport.stream({
      method: 'GET',
      path: '/v1/events/stream',
      query: filter,
      headers: position === undefined ? {} : { 'last-event-id': position },
      signal,
    })
    try {
      yield* readBlocks(body, { idleMs, maxCharacters: maxEventCharacters })
    } catch (error) {
      if (error instanceof ConnectorOAuthError || isAborted(signal)) throw error
      // A connection that broke.
      throw new ConnectorOAuthError('The event stream broke off', { code: 'network' })
    }
  }
}

function parse(data: string): ConnectorEvent {
  try {
    // What the API sends is what its schemas say.
    return JSON.parse(data) as ConnectorEvent
  } catch {
    throw new ConnectorOAuthError('An event is not valid JSON', { code: 'invalid_answer' })
  }
}

function isPassing(error: unknown): boolean {
  if (!(error instanceof ConnectorOAuthError)) return false
  return error.code === 'network' || error.code === 'timeout' || error.status === 429 || error.status >= 500
}

/** Asked anew each time: it changes while one waits. */
const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted ?? false
