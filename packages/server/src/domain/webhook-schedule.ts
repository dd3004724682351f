import { plusMs } from '../core/clock.ts'

const secondMs = 1_000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** After so many failures in a row; then every hour, so that an endpoint that comes back is not kept waiting. */
const waitsMs = [5 * secondMs, 30 * secondMs, 2 * minuteMs, 10 * minuteMs, 30 * minuteMs]
const longestWaitMs = hourMs
const longestAskedWaitMs = dayMs
/** A single delivery is given up after so long, an endpoint that takes nothing at all after longer. */
const deliveryLifeMs = 3 * dayMs
const endpointLifeMs = 5 * dayMs

/**
 * When to try again after the `failures`-th failure in a row, spread so that endpoints that failed together do not come
 * back together. An endpoint that asks for more time (`Retry-After`) gets it, up to a day.
 */
export function retryAt(now: Date, failures: number, retryAfterSeconds: number | undefined, random: number): Date {
  const waitMs = (waitsMs[failures - 1] ?? longestWaitMs) * (0.8 + random * 0.4)
  const askedMs = Math.min((retryAfterSeconds ?? 0) * secondMs, longestAskedWaitMs)
  return plusMs(now, Math.max(waitMs, askedMs))
}

/** Whether a delivery that failed again is dead now. */
export function isDeliveryDead(firstAttemptAt: Date | null, now: Date): boolean {
  return firstAttemptAt !== null && now.getTime() - firstAttemptAt.getTime() >= deliveryLifeMs
}

/** Whether an endpoint has taken nothing for so long that it is switched off. */
export function isEndpointDead(failingSince: Date, now: Date): boolean {
  return now.getTime() - failingSince.getTime() >= endpointLifeMs
}
