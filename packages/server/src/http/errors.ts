import type { FastifyReply, FastifyRequest } from 'fastify'
import { DatabaseUnavailable } from '../core/database-unavailable.ts'
import { KeyUnavailable } from '../core/key-unavailable.ts'
import { Problem, type ProblemCode } from '../core/problem.ts'
import { InvalidFields } from '../domain/invalid-fields.ts'

/** What a request ends with when it goes wrong. */
export interface ErrorAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: object
  /** For pages: the sentence and the code. */
  readonly detail: string
  readonly code: string
}

/** Puts any error into the contract's words. 5xx bodies carry a correlation id and nothing internal. */
export function toAnswer(error: unknown, correlationId: string, tokenWasSent: boolean): ErrorAnswer {
  if (error instanceof InvalidFields) {
    return {
      status: 422,
      headers: {},
      body: { detail: error.problems },
      detail: error.problems.map((problem) => `${problem.loc.slice(1).join('.')}: ${problem.msg}`).join('; '),
      code: 'invalid_request',
    }
  }
  const problem = asProblem(error)
  const base = { detail: problem.message, code: problem.publicCode }
  return {
    ...base,
    status: problem.status,
    headers: headersOf(problem, tokenWasSent),
    body: problem.status >= 500 ? { ...base, correlation_id: correlationId } : base,
  }
}

/** Whether somebody should look at it: everything that is not the caller's doing or a known outage. */
export function isUnexpected(error: unknown): boolean {
  return !(error instanceof InvalidFields) && asProblem(error).code === 'internal_error'
}

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (!(error instanceof Error)) return new Problem('internal_error')
  if (error instanceof DatabaseUnavailable) return new Problem('database_unavailable', { retryAfterSeconds: 2 })
  if (error instanceof KeyUnavailable) return new Problem('encryption_key_unavailable')
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500
  return new Problem(fastifyProblems[status] ?? 'internal_error')
}

/** Fastify's own refusals, by status. */
const fastifyProblems: Readonly<Record<number, ProblemCode>> = {
  400: 'bad_request',
  404: 'not_found',
  405: 'method_not_allowed',
  413: 'body_too_large',
  414: 'uri_too_long',
  415: 'unsupported_media_type',
}

function headersOf(problem: Problem, tokenWasSent: boolean): Record<string, string> {
  const headers: Record<string, string> = {}
  if (problem.status === 401) {
    // RFC 6750 §3: no error code when no token came.
    headers['www-authenticate'] = tokenWasSent
      ? 'Bearer realm="connector-oauth", error="invalid_token"'
      : 'Bearer realm="connector-oauth"'
  }
  if (problem.code === 'missing_right') {
    headers['www-authenticate'] = 'Bearer realm="connector-oauth", error="insufficient_scope"'
  }
  if (problem.status === 429 || problem.status === 503) {
    headers['retry-after'] = String(problem.retryAfterSeconds ?? 5)
  }
  return headers
}

/** What to quote when asking for help: the code, and the id by which a server's fault is found in the log. */
export function codeToQuote(answer: ErrorAnswer): string {
  return 'correlation_id' in answer.body ? `${answer.code} · ${String(answer.body.correlation_id)}` : answer.code
}

/** Sends the answer as JSON. */
export function sendError(request: FastifyRequest, reply: FastifyReply, answer: ErrorAnswer): FastifyReply {
  return reply.code(answer.status).headers(answer.headers).type('application/json; charset=utf-8').send(answer.body)
}
