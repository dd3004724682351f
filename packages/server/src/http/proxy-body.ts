import type { FastifyRequest } from 'fastify'
import { Readable } from 'node:stream'
import { Problem } from '../core/problem.ts'
import type { ProxyBody } from '../domain/proxy-call.ts'

type RawRequest = FastifyRequest['raw']

export interface BodyLimits {
  /** Up to this size a body is read whole, so that it can be sent twice. */
  readonly replayBytes: number
  readonly maxBytes: number
  /** For all of a body that is read whole, or for its beginning. */
  readonly wholeMs: number
}

/**
 * Takes a request's body: whole where it is small, else as a stream that holds no more than its buffer.
 *
 * A body of unknown length is read up to `replayBytes` before it is known which it is. Throws `Problem` 400 for a transfer coding that
 * is not plain `chunked` (RFC 9112 §6.1), 413, 408.
 */
export async function takeBody(raw: RawRequest, limits: BodyLimits): Promise<ProxyBody> {
  const { 'content-length': announced, 'transfer-encoding': coding } = raw.headers
  if (coding !== undefined && coding.trim().toLowerCase() !== 'chunked') throw new Problem('bad_request')
  if (coding === undefined && (announced === undefined || announced === '0')) {
    return { body: announced === '0' ? Buffer.alloc(0) : undefined, bodyBytes: undefined }
  }
  const bodyBytes = coding === undefined ? Number(announced) : undefined
  if (bodyBytes !== undefined && bodyBytes > limits.maxBytes) throw new Problem('proxied_body_too_large')
  if (bodyBytes !== undefined && bodyBytes > limits.replayBytes) {
    return { body: new BodyStream(raw, [], limits.maxBytes), bodyBytes }
  }
  const first = await firstPieces(raw, limits)
  if (first.isWhole) return { body: Buffer.concat(first.pieces), bodyBytes: undefined }
  return { body: new BodyStream(raw, first.pieces, limits.maxBytes), bodyBytes }
}

interface FirstPieces {
  readonly pieces: readonly Buffer[]
  readonly isWhole: boolean
}

/** Reads until the end, or until there is more than can be kept. */
function firstPieces(raw: RawRequest, limits: BodyLimits): Promise<FirstPieces> {
  const { promise, resolve, reject } = Promise.withResolvers<FirstPieces>()
  const pieces: Buffer[] = []
  let sizeBytes = 0
  const done = (): void => {
    clearTimeout(timer)
    raw.off('data', onData).off('end', onEnd).off('close', onClose)
  }
  const onData = (piece: Buffer): void => {
    pieces.push(piece)
    sizeBytes += piece.length
    if (sizeBytes <= limits.replayBytes) return
    done()
    raw.pause()
    resolve({ pieces, isWhole: false })
  }
  const onEnd = (): void => {
    done()
    resolve({ pieces, isWhole: true })
  }
  const onClose = (): void => {
    done()
    reject(new Problem('request_timeout'))
  }
  const timer = setTimeout(onClose, limits.wholeMs)
  raw.on('data', onData).on('end', onEnd).on('close', onClose)
  return promise
}

/** The rest of an upload is let run into nothing for so long, so that the caller can read the answer that came early. */
const drainMs = 10_000

/** Throws away what is still to come of a body that nobody wants, for a while. */
export function letRunOut(raw: RawRequest): void {
  if (raw.complete || raw.destroyed) return
  const timer = setTimeout(() => raw.destroy(), drainMs)
  raw.once('end', () => clearTimeout(timer)).once('close', () => clearTimeout(timer))
  raw.resume()
}

/**
 * A request's body as a stream of its own. Destroying it leaves the connection alone, unlike destroying the request, so that
 * an answer that comes before the end of an upload still gets through.
 */
class BodyStream extends Readable {
  readonly #raw: RawRequest
  readonly #maxBytes: number
  #sizeBytes = 0
  readonly #onData = (piece: Buffer): void => {
    this.#sizeBytes += piece.length
    if (this.#sizeBytes > this.#maxBytes) this.destroy(new Problem('proxied_body_too_large'))
    else if (!this.push(piece)) this.#raw.pause()
  }
  readonly #onEnd = (): void => void this.push(null)
  readonly #onClose = (): void => {
    if (!this.#raw.complete) this.destroy(new Problem('request_timeout'))
  }

  constructor(raw: RawRequest, pieces: readonly Buffer[], maxBytes: number) {
    super({ highWaterMark: 65_536 })
    this.#raw = raw
    this.#maxBytes = maxBytes
    for (const piece of pieces) this.#onData(piece)
    raw.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose)
    raw.pause()
  }

  override _read(): void {
    this.#raw.resume()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#raw.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose)
    letRunOut(this.#raw)
    done(error)
  }
}
