import { runInNewContext } from 'node:vm'
import { fits } from '../core/pattern-match.ts'
import { parsePattern, type PatternNode } from '../core/pattern.ts'

const maxValueLength = 512

/**
 * What a definition's anchored pattern finds in a whole value: its first capturing group if it has one that matched,
 * else the value; `undefined` when the value does not fit.
 *
 * Tenants write patterns for their own providers. Those that pass the catalogue's checks are judged without
 * backtracking; a capture, and a pattern outside the checked dialect, needs the regular expression itself, which has
 * 50 ms, or it would stop the whole process.
 */
export function fitPattern(pattern: string, value: string): string | undefined {
  if (value.length > maxValueLength || !pattern.startsWith('^') || !pattern.endsWith('$')) return undefined
  const parsed = parsePattern(pattern)
  if (parsed.kind === 'parsed') {
    if (!fits(parsed.node, value)) return undefined
    if (!hasCapture(parsed.node)) return value
  }
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

function hasCapture(node: PatternNode): boolean {
  switch (node.kind) {
    case 'chars':
      return false
    case 'capture':
      return true
    case 'repeat':
      return hasCapture(node.item)
    case 'sequence':
      return node.items.some(hasCapture)
    case 'choice':
      return node.options.some(hasCapture)
  }
}
