import { setTimeout as wait } from 'node:timers/promises'
import type { ErrorCode } from './error-codes.ts'
import type { ConnectorOAuthError } from './errors.ts'

const longestWaitMs = 30_000
const firstWaitMs = 250
const worthRepeating: ReadonlySet<number> = new Set([429, 502, 503, 504])
/** No answer, or that of a proxy in between: the service may have done what it was asked. */
const answerGotLost: ReadonlySet<number> = new Set([0, 502, 504])

/** How often to try, and what of a later try's answer means that an earlier one has done it. */
export interface RetryRules {
  readonly maxRetries: number
  readonly goneCode: ErrorCode | undefined
  readonly signal: AbortSignal | undefined
}

/** Tries until there is an answer, as long as another try is worth it. Throws the last error, and the signal's reason. */
export async function withRetries(
  { maxRetries, goneCode, signal }: RetryRules,
  tryOnce: () => Promise<Response | ConnectorOAuthError>,
): Promise<Response> {
  let mayBeDone = false
  for (let attempt = 0; ; attempt += 1) {
    const error = await tryOnce()
    if (error instanceof Response) return error
    if (mayBeDone && error.code === goneCode) return new Response(null, { status: 204 })
    mayBeDone ||= answerGotLost.has(error.status)
    const waitMs = waitBefore(attempt, error.retryAfterSeconds)
    if (attempt >= maxRetries || waitMs > longestWaitMs) throw error
    if (error.status !== 0 && !worthRepeating.has(error.status)) throw error
    await wait(waitMs, undefined, signal && { signal })
  }
}

/** Full jitter, so that many callers do not come back at once; the service's own word counts for more. */
function waitBefore(attempt: number, retryAfterSeconds: number | undefined): number {
  const backoffMs = Math.random() * firstWaitMs * 2 ** attempt
  return retryAfterSeconds === undefined ? backoffMs : retryAfterSeconds * 1000 + backoffMs
}
