import type { Dispatcher } from 'undici'
import { EgressError, StreamError } from './egress-error.ts'
import { headerPairs, streamFailure } from './egress-head.ts'
import type { PoolPlace } from './egress-pools.ts'
import type { BeginReply, ReplySink, StreamEnd, StreamRequest, StreamTarget } from './stream-request.ts'

/** A reply that is thrown away is read on up to this size, so that its connection can be used again. */
const maxDiscardedBytes = 65_536
/** RFC 9110 §15.2: a client must take several of them; a flood keeps a connection busy for nothing. */
const maxInterimReplies = 8

/**
 * Sends one request and hands the reply on as it comes, with back-pressure both ways. Redirects are replies like any
 * other; nothing is decompressed; trailers and interim replies are dropped.
 *
 * Rejects with `StreamError`; with `caller` when the body that was to be sent broke off or `signal` was aborted. Once a sink was chosen, a
 * rejection means that the reply is cut short.
 */
export function stream(
  place: PoolPlace,
  target: StreamTarget,
  request: StreamRequest,
  begin: BeginReply,
): Promise<StreamEnd> {
  const call = new StreamCall(place, target.host, request, begin)
  const { body, bodyBytes } = request
  const isStream = body !== undefined && !Buffer.isBuffer(body)
  try {
    place.dispatcher.dispatch(
      {
        origin: target.origin,
        path: target.path,
        method: request.method,
        headers:
          isStream && bodyBytes !== undefined
            ? { ...request.headers, 'content-length': String(bodyBytes) }
            : request.headers,
        body: body ?? null,
        bodyTimeout: request.limits.idleMs,
      },
      call,
    )
  } catch {
    // Undici refuses malformed headers; its error may quote them.
    call.fail('refused', `the request to ${target.host} is malformed`)
  }
  return call.ended
}

class StreamCall implements Dispatcher.DispatchHandler {
  readonly ended: Promise<StreamEnd>
  readonly #settle: { resolve: (end: StreamEnd) => void; reject: (error: StreamError) => void }
  readonly #place: PoolPlace
  readonly #host: string
  readonly #request: StreamRequest
  readonly #begin: BeginReply
  readonly #startedAtMs = performance.now()
  readonly #onGone = (): void => this.fail('caller', 'the caller went away')
  #timer: NodeJS.Timeout
  #stalled: NodeJS.Timeout | undefined
  #controller: Dispatcher.DispatchController | undefined
  #failure: StreamError | undefined
  #interimReplies = 0
  #sizeBytes = 0
  #phase: 'head' | 'deciding' | 'sink' | 'discarding' | 'over' = 'head'
  #sink: ReplySink | undefined

  constructor(place: PoolPlace, host: string, request: StreamRequest, begin: BeginReply) {
    const { promise, resolve, reject } = Promise.withResolvers<StreamEnd>()
    this.ended = promise
    this.#settle = { resolve, reject }
    this.#place = place
    this.#host = host
    this.#request = request
    this.#begin = begin
    this.#timer = setTimeout(() => this.#headIsLate(), request.limits.headMs)
    if (request.signal.aborted) queueMicrotask(this.#onGone)
    else request.signal.addEventListener('abort', this.#onGone, { once: true })
  }

  /** Ends it all; what already went into the sink stays. */
  fail(kind: StreamError['kind'], message: string): void {
    if (this.#failure !== undefined || this.#phase === 'over') return
    this.#failure = new StreamError(kind, message, this.#controller !== undefined)
    const wasDiscarding = this.#phase === 'discarding'
    this.#finish()
    if (!wasDiscarding) this.#settle.reject(this.#failure)
    this.#controller?.abort(this.#failure)
    const { body } = this.#request
    if (body !== undefined && !Buffer.isBuffer(body)) body.destroy()
  }

  #finish(): void {
    this.#phase = 'over'
    clearTimeout(this.#timer)
    clearTimeout(this.#stalled)
    this.#request.signal.removeEventListener('abort', this.#onGone)
    this.#place.release()
  }

  get #leftMs(): number {
    return this.#request.limits.totalMs - (performance.now() - this.#startedAtMs)
  }

  #waitForEnd(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#tookTooLong(), Math.max(this.#leftMs, 1))
  }

  #headIsLate(): void {
    if (this.#phase !== 'head') {
      this.#waitForEnd()
      return
    }
    const { body, limits } = this.#request
    const isStream = body !== undefined && !Buffer.isBuffer(body)
    // Not the provider's fault while it is the caller who sends nothing.
    const waitsForCaller = isStream && this.#controller !== undefined && !body.readableEnded && !body.isPaused()
    if (waitsForCaller) this.fail('caller', 'the request body stopped coming')
    else this.fail('timeout', `${this.#host} took longer than ${limits.headMs} ms`)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // The caller was already told that nothing was sent; keep that true.
    if (this.#failure !== undefined) controller.abort(this.#failure)
    else this.#controller = controller
  }

  onBodySent(): void {
    if (this.#phase !== 'head') return
    if (this.#leftMs < 0) this.#tookTooLong()
    else this.#timer.refresh()
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    given: NodeJS.Dict<string | string[]>,
  ): void {
    if (this.#phase === 'over') return
    if (status < 200) {
      this.#interimReplies += 1
      if (this.#interimReplies > maxInterimReplies) this.fail('network', `${this.#host} sends no final reply`)
      return
    }
    this.#phase = 'deciding'
    // Most calls end before the timer of the head does; the others go on from there.
    if (this.#leftMs < this.#request.limits.headMs) this.#waitForEnd()
    const decision = this.#begin({ status, headers: headerPairs(controller.rawHeaders ?? given) })
    if (decision instanceof Promise) {
      controller.pause()
      decision.then(
        (sink) => {
          this.#take(sink)
          controller.resume()
        },
        () => this.fail('caller', 'the reply was not wanted'),
      )
    } else this.#take(decision)
  }

  #take(sink: ReplySink | undefined): void {
    if (this.#phase !== 'deciding') return
    this.#sink = sink
    this.#phase = sink === undefined ? 'discarding' : 'sink'
    // Whoever throws it away goes on at once.
    if (sink === undefined) this.#settle.resolve('discarded')
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#sizeBytes += chunk.length
    if (this.#phase === 'discarding') {
      if (this.#sizeBytes > maxDiscardedBytes) this.fail('too_large', 'thrown away')
      return
    }
    if (this.#phase !== 'sink' || this.#sink === undefined) return
    const { limits } = this.#request
    if (this.#sizeBytes > limits.maxReplyBytes) {
      this.fail('too_large', `the reply of ${this.#host} is larger than ${limits.maxReplyBytes} bytes`)
      return
    }
    if (this.#sink.write(chunk)) return
    controller.pause()
    // The provider's idle time does not run while it is paused; the caller's does.
    clearTimeout(this.#stalled)
    this.#stalled = setTimeout(() => this.fail('caller', 'the reply is not being read'), limits.idleMs)
    this.#sink.onDrain(() => {
      clearTimeout(this.#stalled)
      if (this.#phase === 'sink') controller.resume()
    })
  }

  onResponseEnd(): void {
    if (this.#phase === 'over') return
    const sink = this.#sink
    this.#finish()
    sink?.end()
    this.#settle.resolve(sink === undefined ? 'discarded' : 'passed')
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    const { body } = this.#request
    const isCallers =
      body !== undefined && !Buffer.isBuffer(body) && body.errored !== null && body.errored !== undefined
    if (isCallers && this.#phase === 'head') this.fail('caller', 'the request body broke off')
    else if (error instanceof EgressError || error instanceof StreamError) this.fail(error.kind, error.message)
    else this.fail(...streamFailure(error, this.#host))
  }

  #tookTooLong(): void {
    this.fail('timeout', `${this.#host} took longer than ${this.#request.limits.totalMs} ms in all`)
  }
}
