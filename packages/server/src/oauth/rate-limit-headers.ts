import { retryAfterSeconds } from './retry-after.ts'

/** What a reply says of its provider's rate limit. */
export interface RateLimit {
  /** The provider's name for the limit, where it has several; else empty. */
  readonly bucket: string
  /** Calls left until `resetsAt`. */
  readonly remaining: number
  readonly resetsAt: Date
}

/** Longer is not believed: a wrong word must not shut a provider off for a day. Then one call asks again. */
const maxWaitMs = 3_600_000

type Headers = ReadonlyMap<string, string>

/**
 * Reads a provider's rate limit from any of the forms in use: `Retry-After` on 429 (RFC 6585 §4), `RateLimit` as a structured field and
 * its predecessors (draft-ietf-httpapi-ratelimit-headers), `X-RateLimit-*` with seconds from now or a moment, `X-Rate-Limit-*`.
 *
 * `undefined` when nothing can be learned. Names are in lower case.
 */
export function readRateLimit(status: number, headers: Headers, now: Date): RateLimit | undefined {
  const told = structured(headers, now) ?? numbered(headers, now)
  if (status !== 429) return told
  const waitSeconds = retryAfterSeconds(headers.get('retry-after'), now)
  const bucket = told?.bucket ?? bucketOf(headers)
  if (waitSeconds !== undefined) return { bucket, remaining: 0, resetsAt: within(waitSeconds * 1000, now) }
  return told && { ...told, remaining: 0 }
}

/** `"default";r=50;t=30`, and the older `limit=100, remaining=50, reset=30`; of several limits the one that is nearest its end. */
function structured(headers: Headers, now: Date): RateLimit | undefined {
  const text = headers.get('ratelimit')
  if (text === undefined || text.length > 1_000) return undefined
  const old = /(?:^|[,;\s])remaining=(\d{1,12})\b.*?[,;\s]reset=(\d{1,9})\b/.exec(text)
  if (old !== null) return limitOf('', old[1], Number(old[2]) * 1000, now)
  const limits = text.split(',').flatMap((item) => {
    const name = /^\s*"?([^";]{0,64})"?/.exec(item)?.[1] ?? ''
    const remaining = /;\s*r=(\d{1,12})\b/.exec(item)?.[1]
    const seconds = /;\s*t=(\d{1,9})\b/.exec(item)?.[1]
    const limit = seconds === undefined ? undefined : limitOf(name, remaining, Number(seconds) * 1000, now)
    return limit === undefined ? [] : [limit]
  })
  return limits.toSorted((a, b) => a.remaining - b.remaining)[0]
}

const prefixes = ['ratelimit-', 'x-ratelimit-', 'x-rate-limit-', 'x-rate-limit-requests-', 'x-ratelimit-requests-']

function numbered(headers: Headers, now: Date): RateLimit | undefined {
  for (const prefix of prefixes) {
    const remaining = headers.get(`${prefix}remaining`)
    const after = headers.get(`${prefix}reset-after`)
    const reset = headers.get(`${prefix}reset`)
    const waitMs = after === undefined ? waitUntil(reset, now) : Number(after) * 1000
    if (remaining !== undefined && waitMs !== undefined)
      return limitOf(bucketOf(headers), remaining.trim(), waitMs, now)
  }
  return undefined
}

/** Seconds from now, a moment in seconds or milliseconds since 1970, or a date; told apart by their size. */
function waitUntil(reset: string | undefined, now: Date): number | undefined {
  const text = reset?.trim() ?? ''
  if (/^\d{1,16}(?:\.\d{1,6})?$/.test(text)) {
    const number = Number(text)
    if (number > 1e12) return number - now.getTime()
    return number > 1e9 ? number * 1000 - now.getTime() : number * 1000
  }
  const isDate = /^\d{4}-\d{2}-\d{2}T/.test(text) || /^[A-Z][a-z]{2}, /.test(text)
  const at = isDate ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? undefined : at - now.getTime()
}

function bucketOf(headers: Headers): string {
  const name = headers.get('x-ratelimit-bucket') ?? headers.get('x-ratelimit-resource') ?? ''
  return /^[\x21-\x7e]{1,64}$/.test(name) ? name : ''
}

function limitOf(bucket: string, remaining: string | undefined, waitMs: number, now: Date): RateLimit | undefined {
  if (remaining === undefined || !/^\d{1,12}(?:\.\d+)?$/.test(remaining) || !Number.isFinite(waitMs) || waitMs <= 0) {
    return undefined
  }
  return { bucket, remaining: Math.min(Math.floor(Number(remaining)), 2_000_000_000), resetsAt: within(waitMs, now) }
}

function within(waitMs: number, now: Date): Date {
  return new Date(now.getTime() + Math.min(Math.max(waitMs, 0), maxWaitMs))
}
