import { runInNewContext } from 'node:vm'

const maxValueLength = 512

/**
 * What a definition's anchored pattern finds in a whole value: its first capturing group if it has one that matched,
 * else the value; `undefined` when the value does not fit.
 *
 * Tenants write patterns for their own providers, and a pattern that backtracks without end would stop the whole
 * process, so each trial has 50 ms. A pattern that is broken, unanchored or too slow fits nothing.
 */
export function fitPattern(pattern: string, value: string): string | undefined {
  if (value.length > maxValueLength || !pattern.startsWith('^') || !pattern.endsWith('$')) return undefined
  try {
    const found: unknown = runInNewContext(
      `{ const m = new RegExp(pattern, 'u').exec(value); m === null ? undefined : (m.slice(1).find((g) => g !== undefined) ?? m[0]) }`,
      // The outer group keeps `^a|b$` from matching half a value.
      { pattern: `^(?:${pattern.slice(1, -1)})$`, value },
      { timeout: 50 },
    )
    return typeof found === 'string' ? found : undefined
  } catch {
    return undefined
  }
}

/** Whether a whole value fits an anchored pattern, under the terms of `fitPattern`. */
export function fitsPattern(pattern: string, value: string): boolean {
  return fitPattern(pattern, value) !== undefined
}
