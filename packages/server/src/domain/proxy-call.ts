import type { Readable } from 'node:stream'
import type { RawTarget } from '../oauth/api-url.ts'
import type { ReplySink } from '../oauth/stream-request.ts'
import type { Context } from './context.ts'

/** What a caller wants of a provider's API, as it came over the wire. */
export interface ProxyCall extends RawTarget {
  readonly method: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** A whole body can be sent again; a stream cannot. A stream may end with a `Problem` as its error. */
  readonly body: Buffer | Readable | undefined
  readonly bodyBytes: number | undefined
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal
}

/** Where the provider's answer goes. */
export interface ProxyReply {
  /** Sends the head. `headers` are names and values in turn. */
  begin(status: number, headers: readonly string[]): ReplySink
  /** Breaks the answer off so that nobody takes it for whole. */
  cut(): void
}

/** What a call takes. */
export type ProxyNeeds = Pick<
  Context,
  | 'database'
  | 'vault'
  | 'catalog'
  | 'clock'
  | 'settings'
  | 'egress'
  | 'keySets'
  | 'refreshesUnderWay'
  | 'refreshGate'
  | 'activity'
  | 'meter'
  | 'log'
  | 'proxyTargets'
  | 'rateBudgets'
>
