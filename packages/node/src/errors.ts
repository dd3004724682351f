import type { ErrorCode } from './error-codes.ts'

/** What was wrong with one part of a request, as a 422 lists it. */
export interface FieldProblem {
  readonly loc: readonly (string | number)[]
  readonly msg: string
  readonly type: string
}

/**
 * The service refused, or could not be reached. It carries no token, no body and no address.
 *
 * `code` is one of the service's own (docs/errors.md), a provider's OAuth error code where the provider refused, or
 * one of this package (`ClientErrorCode`).
 */
export class ConnectorOAuthError extends Error {
  readonly code: ErrorCode | ClientErrorCode | (string & {})
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number
  /** The `X-Request-Id` of the answer: quote it to whoever runs the service. */
  readonly requestId: string | undefined
  /** How long to wait before trying again, where the service said so. */
  readonly retryAfterSeconds: number | undefined
  /** Every problem of the request at once, on 422; empty otherwise. */
  readonly problems: readonly FieldProblem[]

  constructor(message: string, more: ErrorFacts) {
    super(message)
    this.name = 'ConnectorOAuthError'
    this.code = more.code
    this.status = more.status ?? 0
    this.requestId = more.requestId
    this.retryAfterSeconds = more.retryAfterSeconds
    this.problems = more.problems ?? []
  }
}

/** Codes of this package, beside those of the service. */
export type ClientErrorCode = 'network' | 'timeout' | 'invalid_answer' | 'validation_error' | 'webhook_refused'

interface ErrorFacts {
  readonly code: string
  readonly status?: number | undefined
  readonly requestId?: string | undefined
  readonly retryAfterSeconds?: number | undefined
  readonly problems?: readonly FieldProblem[] | undefined
}

/** The error behind an answer that is none of success. */
export function errorOf(reply: Response, body: unknown): ConnectorOAuthError {
  const { detail, code } = asErrorBody(body)
  const facts = {
    status: reply.status,
    requestId: reply.headers.get('x-request-id') ?? undefined,
    retryAfterSeconds: retryAfterSeconds(reply.headers.get('retry-after')),
  }
  if (Array.isArray(detail)) {
    // The shape of every 422 of the service.
    const problems = detail as FieldProblem[]
    const words = problems.map(({ loc, msg }) => `${loc.join('.')}: ${msg}`).join('; ')
    return new ConnectorOAuthError(words, { ...facts, code: 'validation_error', problems })
  }
  const message = typeof detail === 'string' ? detail : `The connector service answered ${reply.status}`
  return new ConnectorOAuthError(message, { ...facts, code: typeof code === 'string' ? code : 'invalid_answer' })
}

function asErrorBody(body: unknown): { readonly detail?: unknown; readonly code?: unknown } {
  return typeof body === 'object' && body !== null ? body : {}
}

/** Seconds or a date (RFC 9110 §10.2.3). */
function retryAfterSeconds(value: string | null): number | undefined {
  if (value === null) return undefined
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : undefined
}
