import type { Readable } from 'node:stream'
import type { Problem } from '../core/problem.ts'
import type { RawTarget } from '../oauth/api-url.ts'
import type { ReplySink } from '../oauth/stream-request.ts'
import type { Context } from './context.ts'

/** A request body on its way through. */
export interface ProxyBody {
  /** A whole body can be sent again; a stream cannot. A stream may end with a `Problem` as its error. */
  readonly body: Buffer | Readable | undefined
  /** Of a stream, when the caller announced it. */
  readonly bodyBytes: number | undefined
}

/** What a caller wants of a provider's API, as it came over the wire. */
export interface ProxyRequest extends RawTarget {
  readonly method: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Asked for once the call is known to be allowed. */
  takeBody(): Promise<ProxyBody>
  /** Aborted when the caller goes away, or by `abort`. */
  readonly signal: AbortSignal
  abort(reason: Problem): void
}

/** The same with the body taken. */
export type ProxyCall = Omit<ProxyRequest, 'takeBody'> & ProxyBody

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
  | 'openCalls'
>
