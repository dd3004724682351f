import type { ProviderDefinition } from '../core/provider-definition.ts'
import { plusMs } from '../core/clock.ts'
import { valueAt } from './json-path.ts'

/** Beyond this a lifetime says "never" (and would overflow dates further on). */
const neverSeconds = 10 * 365 * 86_400

/**
 * When a granted token expires; `undefined` for never, as far as anyone knows.
 *
 * Providers are odd about lifetimes (RFC 6749 §5.1 makes `expires_in` a number and only recommended), so:
 * - an absolute time, where the definition names one, comes first;
 * - `expires_in` as a number or as digits in a string counts, fractions dropped;
 * - zero or less means expired now, or never where `expires_in_zero_is_never`;
 * - more than ten years means never;
 * - absent, null or unreadable: `assumed_lifetime_seconds`, else never.
 */
export function expiryOf(definition: ProviderDefinition, document: unknown, now: Date): Date | undefined {
  const rule = definition.expires_at
  if (rule !== undefined) {
    const at = absoluteTime(valueAt(document, rule.path), rule.unit)
    if (at !== undefined) return (at.getTime() - now.getTime()) / 1000 > neverSeconds ? undefined : at
  }
  const path = definition.token_response_paths?.expires_in ?? 'expires_in'
  const seconds = wholeSeconds(valueAt(document, path))
  if (seconds === undefined) {
    const assumed = definition.assumed_lifetime_seconds
    return assumed === undefined ? undefined : plusMs(now, assumed * 1000)
  }
  if (seconds <= 0) return definition.expires_in_zero_is_never === true ? undefined : now
  return seconds > neverSeconds ? undefined : plusMs(now, seconds * 1000)
}

function wholeSeconds(value: unknown): number | undefined {
  const number = numberIn(value)
  return number === undefined ? undefined : Math.trunc(number)
}

function numberIn(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  return typeof value === 'string' && /^\s*-?\d{1,18}(\.\d+)?\s*$/.test(value) ? Number(value) : undefined
}

function absoluteTime(value: unknown, unit: 'rfc3339' | 'epoch_seconds' | 'epoch_milliseconds'): Date | undefined {
  if (unit !== 'rfc3339') {
    const number = numberIn(value)
    // Zero is how some providers spell "no expiry time".
    if (number === undefined || number <= 0) return undefined
    return validDate(unit === 'epoch_seconds' ? number * 1000 : number)
  }
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/.test(value)) return undefined
  // Without an offset the text would be read in this machine's time zone.
  const hasOffset = /(?:Z|[+-]\d{2}:?\d{2})$/i.test(value)
  return validDate(Date.parse(hasOffset ? value : `${value}Z`))
}

function validDate(ms: number): Date | undefined {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? undefined : date
}
