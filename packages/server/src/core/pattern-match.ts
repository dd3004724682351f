import type { PatternNode } from './pattern.ts'

/**
 * Whether a whole text fits a pattern, found without backtracking.
 *
 * A regular expression would take years over `^(?:a|a)(?:a|a)…$`, in which nothing repeats. Following all ways at
 * once takes them as one, so that the time grows with text and pattern alone; `slowness` must have passed the pattern.
 */
export function fits(node: PatternNode, text: string): boolean {
  return endsOf(node, text, new Set([0])).has(text.length)
}

type Positions = ReadonlySet<number>

/** Where a match can end that begins at one of `starts`. */
function endsOf(node: PatternNode, text: string, starts: Positions): Positions {
  switch (node.kind) {
    case 'chars':
      return new Set([...starts].filter((at) => node.chars.has(text.charAt(at))).map((at) => at + 1))
    case 'sequence':
      return node.items.reduce((ends, item) => endsOf(item, text, ends), starts)
    case 'choice':
      return new Set(node.options.flatMap((option) => [...endsOf(option, text, starts)]))
    case 'capture':
      return endsOf(node.item, text, starts)
    case 'repeat':
      return endsOfRepeat(node, text, starts)
  }
}

function endsOfRepeat(node: PatternNode & { kind: 'repeat' }, text: string, starts: Positions): Positions {
  const ends = new Set(node.min === 0 ? starts : [])
  let current = starts
  for (let times = 1; times <= node.max && current.size > 0; times += 1) {
    const next = endsOf(node.item, text, current)
    // Positions only move on, so a round that moves none is like all the rounds after it.
    const isSettled = next.size === current.size && [...next].every((at) => current.has(at))
    if (times >= node.min || isSettled) for (const at of next) ends.add(at)
    if (isSettled) break
    current = next
  }
  return ends
}
