import type { Readable } from 'node:stream'
import type { Bulkhead } from './egress-pools.ts'

/** One request whose bodies are never held in memory. */
export interface StreamRequest {
  readonly method: string
  /** Sent as it is written, byte for byte. */
  readonly url: string
  /** Names in lower case; framing and routing headers are not among them. */
  readonly headers: Readonly<Record<string, string>>
  /** A stream is destroyed when the request ends, however it does. */
  readonly body: Buffer | Readable | undefined
  /** Of a stream, when it is known; another length breaks the request off. */
  readonly bodyBytes?: number | undefined
  readonly bulkhead: Bulkhead
  readonly limits: StreamLimits
  /** Aborted when nobody waits for the reply any more. */
  readonly signal: AbortSignal
}

export interface StreamLimits {
  /** From the last byte of the request that moved to the reply's head; waiting for a connection counts. */
  readonly headMs: number
  /** Between two moves of the reply's body, in either direction. */
  readonly idleMs: number
  readonly totalMs: number
  /** Of the reply's body as it comes over the wire. */
  readonly maxReplyBytes: number
}

/** An address in its parts, judged. */
export interface StreamTarget {
  readonly origin: string
  /** For messages. */
  readonly host: string
  /** With the query. */
  readonly path: string
}

/** A final reply's head. */
export interface ReplyHead {
  readonly status: number
  /** Names as they came, values as Latin-1 text. */
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/** Takes a reply's body. */
export interface ReplySink {
  /** `false`: wait until `onDrain` calls back. */
  write(chunk: Buffer): boolean
  onDrain(resume: () => void): void
  end(): void
}

/** Decides at the head where the body goes; `undefined` throws it away. While it decides, the body waits. */
export type BeginReply = (head: ReplyHead) => ReplySink | undefined | Promise<ReplySink | undefined>

/** `passed`: the whole body went into the sink. */
export type StreamEnd = 'passed' | 'discarded'
