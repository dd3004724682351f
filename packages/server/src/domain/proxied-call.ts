import { setTimeout as wait } from 'node:timers/promises'
import { Problem } from '../core/problem.ts'
import { apiCredentials } from '../oauth/api-call.ts'
import { joinApiUrl } from '../oauth/api-url.ts'
import { StreamError } from '../oauth/egress.ts'
import { callerReplyHeaders, isCoded, providerRequestHeaders } from '../oauth/proxy-headers.ts'
import { readRateLimit } from '../oauth/rate-limit-headers.ts'
import { retryAfterSeconds } from '../oauth/retry-after.ts'
import type { BeginReply, ReplyHead, ReplySink, StreamRequest } from '../oauth/stream-request.ts'
import { maskedSink } from '../oauth/token-mask.ts'
import type { ConnectorPlaceRequest } from './connectors.ts'
import { forceRefresh } from './force-refresh.ts'
import type { ReadyAccess } from './fresh-access.ts'
import { providerLabel } from './provider-label.ts'
import type { ProxyCall, ProxyNeeds, ProxyReply } from './proxy-call.ts'
import type { ProxyActor } from './proxy-caller.ts'
import { maxBodyBytes, proxyTimes } from './proxy-limits.ts'
import type { Recorder } from './proxy-record.ts'
import { isRepeatable, pauseBeforeRetry, type Attempts } from './proxy-retry.ts'
import type { ProxyTarget } from './proxy-target.ts'
import type { BudgetedCall } from './rate-budgets.ts'

/** One call with all its attempts. Making it judges the address and throws `Problem`; nothing is sent before `run`. */
export class ProxiedCall {
  readonly #context: ProxyNeeds
  readonly #actor: ProxyActor
  readonly #place: ConnectorPlaceRequest
  readonly #call: ProxyCall
  readonly #reply: ProxyReply
  readonly #target: ProxyTarget & { readonly baseUrl: string }
  readonly #record: Recorder
  readonly #canRepeat: boolean
  readonly #first: { readonly access: ReadyAccess; readonly request: StreamRequest }
  readonly #budgeted: BudgetedCall
  #attempts: Attempts = { made: 0, waitedMs: 0 }
  #wasForced = false
  #hasBegun = false
  #isUnreadable = false
  #recorded: Promise<void> | undefined

  constructor(
    context: ProxyNeeds,
    actor: ProxyActor,
    place: ConnectorPlaceRequest,
    parts: {
      readonly call: ProxyCall
      readonly reply: ProxyReply
      readonly target: ProxyTarget & { readonly baseUrl: string }
      readonly record: Recorder
      readonly access: ReadyAccess
      readonly budgeted: BudgetedCall
    },
  ) {
    this.#context = context
    this.#actor = actor
    this.#place = place
    this.#call = parts.call
    this.#reply = parts.reply
    this.#target = parts.target
    this.#record = parts.record
    this.#budgeted = parts.budgeted
    const hasIdempotencyKey = parts.call.headers['idempotency-key'] !== undefined
    this.#canRepeat = this.#canResend && isRepeatable({ method: parts.call.method, hasIdempotencyKey })
    this.#first = { access: parts.access, request: this.#request(parts.access) }
  }

  get #canResend(): boolean {
    return this.#call.body === undefined || Buffer.isBuffer(this.#call.body)
  }

  async run(): Promise<void> {
    let access = await this.#attempt(this.#first.access, this.#first.request)
    while (access !== undefined) access = await this.#attempt(access, this.#request(access))
    if (this.#isUnreadable) throw new Problem('provider_error')
    // The answer is out; that its record is late must not harm it.
    await this.#recorded?.catch(() => {})
  }

  /** Answers with what to try again with, or nothing when the answer was passed on. */
  async #attempt(access: ReadyAccess, request: StreamRequest): Promise<ReadyAccess | undefined> {
    this.#attempts = { ...this.#attempts, made: this.#attempts.made + 1 }
    let again: { readonly access: ReadyAccess; readonly pauseMs: number } | undefined
    let isOver = false
    const startedAt = performance.now()
    const begin: BeginReply = (head) => {
      this.#context.meter.observe(
        'provider_request_seconds',
        { provider: providerLabel(this.#context, this.#target.client.definition.slug), call: 'proxy' },
        (performance.now() - startedAt) / 1000,
      )
      this.#learn(head)
      if (head.status === 401 && !this.#wasForced) {
        this.#wasForced = true
        return this.#renewed(access).then((renewed) => {
          // The connection broke meanwhile, and another attempt or a problem is the answer.
          if (isOver) return undefined
          if (renewed === undefined) return this.#pass(head, access)
          again = { access: renewed, pauseMs: 0 }
          return undefined
        })
      }
      const pauseMs = this.#pauseAfter(head)
      if (pauseMs === undefined) return this.#pass(head, access)
      again = { access, pauseMs }
      return undefined
    }
    try {
      await this.#context.egress.stream(request, begin)
    } catch (error) {
      if (!(error instanceof StreamError)) throw error
      const pauseMs = this.#hasBegun ? undefined : this.#pauseAfterFailure(error)
      if (pauseMs === undefined) {
        this.#giveUp(error)
        return undefined
      }
      again = { access, pauseMs }
    } finally {
      isOver = true
    }
    if (again !== undefined && again.pauseMs > 0) await this.#pause(again.pauseMs)
    return again?.access
  }

  #learn(head: ReplyHead): void {
    const mayTell = head.status === 429 || head.headers.some(([name]) => /limit/i.test(name))
    if (!mayTell) return
    const headers = new Map(head.headers.map(([name, value]) => [name.toLowerCase(), value]))
    const limit = readRateLimit(head.status, headers, this.#context.clock.now())
    if (limit !== undefined) this.#context.rateBudgets.learn(this.#budgeted, limit)
  }

  #request(access: ReadyAccess): StreamRequest {
    const { method, headers, body, bodyBytes, signal } = this.#call
    const { client, baseUrl, contextId } = this.#target
    const credentials = apiCredentials(client, access.accessToken)
    const joined = joinApiUrl(baseUrl, this.#call, credentials.query)
    if (joined.kind === 'refused')
      throw new Problem(joined.reason === 'base' ? 'proxy_not_offered' : 'proxy_path_refused')
    return {
      method,
      url: joined.url,
      headers: providerRequestHeaders(headers, credentials, this.#actor.mayReadToken),
      body,
      bodyBytes,
      signal,
      bulkhead: { key: contextId, tenant: this.#actor.tenantId },
      limits: {
        ...proxyTimes,
        totalMs: Math.min(proxyTimes.totalMs, this.#actor.endsAt.getTime() - this.#context.clock.now().getTime()),
        maxReplyBytes: maxBodyBytes,
      },
    }
  }

  #pass(head: ReplyHead, access: ReadyAccess): ReplySink | undefined {
    const isOpaque = isCoded(head.headers) && this.#call.method !== 'HEAD' && head.status !== 204 && head.status !== 304
    if (isOpaque && !this.#actor.mayReadToken) {
      this.#isUnreadable = true
      return undefined
    }
    this.#hasBegun = true
    this.#recorded = this.#record(head.status)
    const sink = this.#reply.begin(head.status, callerReplyHeaders(head.headers, access.accessToken))
    return isOpaque ? sink : maskedSink(sink, access.accessToken)
  }

  /** A token to try once more with after a 401. Without a body to send again the refresh serves the next call. */
  async #renewed(rejected: ReadyAccess): Promise<ReadyAccess | undefined> {
    try {
      const access = await forceRefresh(this.#context, this.#actor.tenantId, this.#place, rejected)
      const isNew = access.kind === 'ready' && access.connector.version !== rejected.connector.version
      const isHere = isNew && access.connector.context_id === rejected.connector.context_id
      return isHere && this.#canResend ? access : undefined
    } catch {
      // The provider's own 401 is the better answer.
      return undefined
    }
  }

  #pauseAfter(head: ReplyHead): number | undefined {
    if (!this.#canRepeat) return undefined
    const header = head.headers.find(([name]) => name.toLowerCase() === 'retry-after')?.[1]
    const seconds = retryAfterSeconds(header, this.#context.clock.now())
    const retryAfterMs = seconds === undefined ? undefined : seconds * 1000
    return pauseBeforeRetry(head.status, retryAfterMs, this.#attempts, Math.random())
  }

  #pauseAfterFailure(error: StreamError): number | undefined {
    if (!this.#canRepeat || error.kind !== 'network') return undefined
    return pauseBeforeRetry(undefined, undefined, this.#attempts, Math.random())
  }

  async #pause(ms: number): Promise<void> {
    this.#attempts = { ...this.#attempts, waitedMs: this.#attempts.waitedMs + ms }
    await wait(ms, undefined, { signal: this.#call.signal }).catch(() => {
      throw new Problem('request_timeout')
    })
  }

  /** Throws `Problem` while the caller can still be told. */
  #giveUp(error: StreamError): void {
    if (this.#hasBegun) {
      this.#reply.cut()
      return
    }
    const { body } = this.#call
    const reason: unknown = body === undefined || Buffer.isBuffer(body) ? undefined : body.errored
    throw reason instanceof Problem ? reason : asProblem(error)
  }
}

function asProblem(error: StreamError): Problem {
  switch (error.kind) {
    case 'timeout':
      return new Problem('provider_timeout')
    case 'network':
      return new Problem('provider_unavailable')
    case 'too_large':
      return new Problem('provider_error')
    case 'busy':
      return new Problem('provider_busy', { retryAfterSeconds: 1 })
    case 'refused':
      return new Problem('url_not_allowed')
    case 'caller':
      return new Problem('request_timeout')
  }
}
