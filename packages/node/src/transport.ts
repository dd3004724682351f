import type { ErrorCode } from './error-codes.ts'
import { ConnectorOAuthError, errorOf } from './errors.ts'
import { readLimited } from './read-limited.ts'
import { withRetries } from './retries.ts'
import { either, unlessAborted } from './signals.ts'

/** Where the service is, and who asks. */
export interface ClientOptions {
  /** Such as `https://connectors.example.com`; a path before `/v1` is kept. */
  readonly baseUrl: string
  /**
   * The bearer token: a string, or a function that is asked before every attempt, so that a token is never stale.
   * Short-lived tokens are best; `signToken` makes them where platform and service share an HS256 secret.
   */
  readonly authorization: string | (() => string | Promise<string>)
  /** Milliseconds that one attempt may take; default 30,000. */
  readonly timeoutMs?: number
  /** How often what may be repeated is tried again; default 2. */
  readonly maxRetries?: number
  /** What sends the requests, such as one that goes through a proxy; default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch
  /** Ends every call of this client; see `ConnectorOAuth.withSignal`. */
  readonly signal?: AbortSignal
}

/** One request to the API. */
export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** From `/v1` on, its parts already encoded. */
  readonly path: string
  readonly query?: object
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** A `POST` or `PATCH` that does the same twice as once. */
  readonly isRepeatable?: boolean
  /**
   * Removes what is at the address: when the answer to a try got lost, this code to the next one says that it is done.
   * No other 404 does: a proxy in between may have sent it, or what it is part of may be out of reach.
   */
  readonly goneCode?: ErrorCode
  /** Its answer is for others too: the client's own signal does not end it. */
  readonly isShared?: boolean
  readonly signal?: AbortSignal | undefined
}

const maxAnswerBytes = 16 * 1024 ** 2

/** Sends requests with the caller's bearer, a deadline and repetitions. Keeps nothing secret where it could be printed. */
export class Transport {
  readonly #baseUrl: string
  readonly #authorization: ClientOptions['authorization']
  readonly #timeoutMs: number
  readonly #maxRetries: number
  readonly #fetch: typeof globalThis.fetch
  /** The client's own signal. */
  readonly signal: AbortSignal | undefined

  constructor(options: ClientOptions) {
    // The error of `new URL` holds what was given, credentials included.
    if (!URL.canParse(options.baseUrl)) throw new TypeError('baseUrl must be an http(s) URL')
    const url = new URL(options.baseUrl)
    if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new TypeError('baseUrl must be an http(s) URL')
    if (url.search + url.hash + url.username + url.password !== '') {
      throw new TypeError('baseUrl must have neither credentials nor query nor fragment')
    }
    this.#baseUrl = url.href.replace(/\/+$/, '')
    this.#authorization = options.authorization
    this.#timeoutMs = options.timeoutMs ?? 30_000
    this.#maxRetries = options.maxRetries ?? 2
    this.#fetch = options.fetch ?? globalThis.fetch
    this.signal = options.signal
  }

  /** The body's `data`. */
  async data<T>(call: ApiCall): Promise<T> {
    const answer = await this.json<{ readonly data: T }>(call)
    return answer.data
  }

  /** The whole body. An answer without one is `undefined`. Throws `ConnectorOAuthError` and the signal's reason. */
  async json<T>(given: ApiCall): Promise<T> {
    const call = this.#withOwnSignal(given)
    const reply = await this.#answer(call)
    // What the API answers is what its schemas say; `T` comes from them.
    if (reply.status === 204) return undefined as T
    const text = await this.#read(reply, call.signal)
    return parsed(text, reply) as T
  }

  /** `DELETE` of what is then no more, answered without a body. */
  remove(path: string, goneCode: ErrorCode): Promise<void> {
    return this.json({ method: 'DELETE', path, goneCode })
  }

  /** An answer that is read piece by piece, however long it is. Only its head has a deadline. */
  async stream(call: ApiCall): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const reply = await this.#answer(this.#withOwnSignal(call))
    if (reply.body === null) throw new ConnectorOAuthError('The answer has no body', { code: 'invalid_answer' })
    return reply.body
  }

  /**
   * One request as it is, without repetitions: the service's answer, whatever its status. Redirects are not followed, so that the bearer goes nowhere else.
   *
   * The path is looked at again once it has been joined, since `..` in it would lead to another route.
   */
  async send(path: string, init: RequestInit): Promise<Response> {
    const signal = init.signal ?? undefined
    return this.#send(path, init, either(this.signal, signal))
  }

  async #send(path: string, init: RequestInit, signal: AbortSignal | undefined): Promise<Response> {
    const url = new URL(this.#baseUrl + path)
    if (!(url.origin + url.pathname).startsWith(this.#baseUrl + rootOf(path))) {
      throw new TypeError('The path leads elsewhere; leave out dot segments')
    }
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(tooLate()), this.#timeoutMs)
    const ended = signal ? AbortSignal.any([late.signal, signal]) : late.signal
    try {
      const headers = new Headers(init.headers)
      headers.set('authorization', `Bearer ${await unlessAborted(this.#token(), ended)}`)
      const ask = this.#fetch
      return await ask(url, { ...init, headers, redirect: 'manual', signal: ended }).catch((error: unknown) => {
        signal?.throwIfAborted()
        throw unreachable(late.signal, error)
      })
    } finally {
      clearTimeout(timer)
    }
  }

  #withOwnSignal(call: ApiCall): ApiCall {
    return call.isShared ? call : { ...call, signal: either(this.signal, call.signal) }
  }

  #answer(call: ApiCall): Promise<Response> {
    const mayRepeat = call.isRepeatable ?? (call.method !== 'POST' && call.method !== 'PATCH')
    const rules = { maxRetries: mayRepeat ? this.#maxRetries : 0, goneCode: call.goneCode, signal: call.signal }
    return withRetries(rules, () => this.#attempt(call))
  }

  /** The answer when it is a success, the error when it is not. */
  async #attempt(call: ApiCall): Promise<Response | ConnectorOAuthError> {
    const { method, headers, body, signal } = call
    let reply: Response
    try {
      const init = {
        method,
        headers: {
          ...headers,
          accept: 'application/json',
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }
      reply = await this.#send(call.path + queryOf(call.query), init, signal)
    } catch (error) {
      if (error instanceof ConnectorOAuthError) return error
      throw error
    }
    if (reply.ok) return reply
    const text = await this.#read(reply, signal).catch(() => '')
    return errorOf(reply, safelyParsed(text))
  }

  async #read(reply: Response, signal: AbortSignal | undefined): Promise<string> {
    const late = AbortSignal.timeout(this.#timeoutMs)
    try {
      return await readLimited(reply, maxAnswerBytes, signal ? AbortSignal.any([late, signal]) : late)
    } catch (error) {
      signal?.throwIfAborted()
      throw unreachable(late, error)
    }
  }

  async #token(): Promise<string> {
    const given = typeof this.#authorization === 'string' ? this.#authorization : await this.#authorization()
    const token = given.trim()
    // The error that `Headers` throws would show it.
    if (!/^[\x21-\x7e]+$/.test(token)) throw new TypeError('authorization must give a bearer token, without "Bearer"')
    return token
  }
}

const tooLate = (): Error =>
  new ConnectorOAuthError('The connector service did not answer in time', { code: 'timeout' })

/** Fetch tells why in `cause`, which names addresses and no secret; here a word must do. */
function unreachable(late: AbortSignal, error: unknown): Error {
  if (error instanceof ConnectorOAuthError) return error
  if (late.aborted) return tooLate()
  return new ConnectorOAuthError('The connector service could not be reached', { code: 'network' })
}

/** The part of a path that the caller's own ids and paths may not lead out of. */
function rootOf(path: string): string {
  const proxy = /^\/v1\/spaces\/[^/]+\/collections\/[^/]+\/connectors\/[^/]+\/proxy\//.exec(path)
  return proxy?.[0] ?? path.replace(/[?#].*$/s, '')
}

function queryOf(query: object | undefined): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined)
  if (given.length === 0) return ''
  return `?${new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString()}`
}

function parsed(text: string, reply: Response): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new ConnectorOAuthError('The connector service did not answer with JSON; is baseUrl right?', {
      code: 'invalid_answer',
      status: reply.status,
    })
  }
}

function safelyParsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
