/** When a call through the proxy is made again. */

/** RFC 9110 §9.2.2. */
const idempotentMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
const retriedStatuses = new Set([429, 502, 503, 504])

const retryLimits = {
  attempts: 3,
  /** All waits together; beyond that the caller had better know and come back. */
  waitMs: 10_000,
  firstPauseMs: 200,
}

/** Whether doing it twice is the same as doing it once, by its method or by the caller's word for it. */
export function isRepeatable(call: { readonly method: string; readonly hasIdempotencyKey: boolean }): boolean {
  return idempotentMethods.has(call.method) || call.hasIdempotencyKey
}

/** Attempts so far, the present one included, and what was waited between them. */
export interface Attempts {
  readonly made: number
  readonly waitedMs: number
}

/**
 * Milliseconds to wait before the next attempt; `undefined`: what came is the answer.
 *
 * `status` is the provider's, or `undefined` when no reply came; `retryAfterMs` what its `Retry-After` says. `random` lies between 0 and 1: callers
 * that failed together must not come back together.
 */
export function pauseBeforeRetry(
  status: number | undefined,
  retryAfterMs: number | undefined,
  attempts: Attempts,
  random: number,
): number | undefined {
  if (status !== undefined && !retriedStatuses.has(status)) return undefined
  if (attempts.made >= retryLimits.attempts) return undefined
  const pauseMs = retryAfterMs ?? retryLimits.firstPauseMs * 2 ** (attempts.made - 1) * (0.5 + random)
  return attempts.waitedMs + pauseMs > retryLimits.waitMs ? undefined : pauseMs
}
