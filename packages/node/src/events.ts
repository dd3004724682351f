import { setTimeout as wait } from 'node:timers/promises'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import type { ConnectorEvent, EventFilter, EventStreamFilter } from './api-types.ts'
import { ConnectorOAuthError } from './errors.ts'
import { listOf, type List } from './pages.ts'
import { either, type Transport } from './transport.ts'

/** An event, and the place to go on from after it. */
export interface StreamedEvent {
  readonly event: ConnectorEvent
  /** Keep it once the event is dealt with, and give it to `stream` as `after`. */
  readonly position: string
}

export interface StreamOptions extends EventStreamFilter {
  /** The position of the last event that was dealt with; absent: from now on. */
  readonly after?: string
  readonly signal?: AbortSignal
}

/** An event is a few hundred bytes. */
const maxEventCharacters = 262_144
const longestWaitMs = 30_000

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
   * expired, or the service restarts – is followed by another from the same place, with a fresh bearer.
   *
   * Ends with the signal, without an error. Throws `ConnectorOAuthError` when the service refuses.
   */
  async *stream(options: StreamOptions = {}): AsyncGenerator<StreamedEvent, void, undefined> {
    const { after, signal: ownSignal, ...filter } = options
    const signal = either(this.#transport.signal, ownSignal)
    let position = after
    let failures = 0
    while (!isAborted(signal)) {
      try {
        for await (const message of this.#connection(filter, position, signal)) {
          failures = 0
          position = message.position
          yield message
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
    signal: AbortSignal | undefined,
  ): AsyncGenerator<StreamedEvent, void, undefined> {
    const body = await this.#transport.stream({
      method: 'GET',
      path: '/v1/events/stream',
      query: filter,
      headers: position === undefined ? {} : { 'last-event-id': position },
      signal,
    })
    const messages: EventSourceMessage[] = []
    let failure: Error | undefined
    const parser = createParser({
      maxBufferSize: maxEventCharacters,
      onEvent: (message) => messages.push(message),
      onError: (error) => {
        if (error.type === 'max-buffer-size-exceeded') failure = tooLarge()
      },
    })
    const decoder = new TextDecoder()
    try {
      for await (const chunk of body) {
        parser.feed(decoder.decode(chunk, { stream: true }))
        for (const { id, data } of messages.splice(0)) {
          // Every event of the service has its place; what has none is no event.
          if (id !== undefined) yield { event: JSON.parse(data) as ConnectorEvent, position: id }
        }
        if (failure !== undefined) throw failure
      }
    } catch (error) {
      if (error instanceof ConnectorOAuthError || isAborted(signal)) throw error
      // A connection that broke.
      throw new ConnectorOAuthError('The event stream broke off', { code: 'network' })
    }
  }
}

const tooLarge = (): Error => new ConnectorOAuthError('An event is too large', { code: 'invalid_answer' })

function isPassing(error: unknown): boolean {
  if (!(error instanceof ConnectorOAuthError)) return false
  return error.code === 'network' || error.code === 'timeout' || error.status === 429 || error.status >= 500
}

/** Asked anew each time: it changes while one waits. */
const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted ?? false
