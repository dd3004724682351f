/**
 * The small regular-expression dialect that definitions may use, as a tree that can be reasoned about.
 *
 * Allowed: literals, escaped punctuation, `\d`, `\w`, character classes, groups with alternatives, `?` and bounded
 * repetition. Refused: `.`, negated classes, `*`, `+`, `{n,}`, look-around, back-references. What is left can be
 * checked for the characters it admits and cannot be made to backtrack for long.
 */
export type PatternNode =
  | { readonly kind: 'chars'; readonly chars: ReadonlySet<string> }
  | { readonly kind: 'sequence'; readonly items: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly options: readonly PatternNode[] }
  | { readonly kind: 'capture'; readonly item: PatternNode }
  | { readonly kind: 'repeat'; readonly item: PatternNode; readonly min: number; readonly max: number }

/** A pattern as a tree, or the reason why it is outside the dialect. */
export type ParsedPattern =
  | { readonly kind: 'parsed'; readonly node: PatternNode }
  | { readonly kind: 'refused'; readonly reason: string }

/** Parses an anchored pattern, `^…$`. */
export function parsePattern(pattern: string): ParsedPattern {
  if (!pattern.startsWith('^') || !pattern.endsWith('$') || /(?<!\\)(?:\\\\)*\\\$$/.test(pattern)) {
    return refused('it must begin with ^ and end with $')
  }
  return parsePatternBody(pattern.slice(1, -1))
}

/** Parses what stands between the anchors. */
export function parsePatternBody(body: string): ParsedPattern {
  const cursor: Cursor = { text: body, at: 0, repeats: 0 }
  try {
    const node = sequence(cursor)
    if (peek(cursor) === '|')
      return refused('alternatives must stand inside a group, or the anchors bind only two of them')
    if (cursor.at < body.length) return refused(`"${body.slice(cursor.at, cursor.at + 10)}" is not expected here`)
    return { kind: 'parsed', node }
  } catch (error) {
    if (error instanceof OutsideDialect) return refused(error.message)
    throw error
  }
}

class OutsideDialect extends Error {}

interface Cursor {
  readonly text: string
  at: number
  repeats: number
}

/** Each optional part doubles the ways to match; more than this many could add up. */
const maxRepeats = 12
const maxRepetition = 512

const refused = (reason: string): ParsedPattern => ({ kind: 'refused', reason })
const peek = (cursor: Cursor): string => cursor.text.charAt(cursor.at)
const take = (cursor: Cursor): string => cursor.text.charAt(cursor.at++)

function sequence(cursor: Cursor): PatternNode {
  const items: PatternNode[] = []
  while (cursor.at < cursor.text.length && peek(cursor) !== '|' && peek(cursor) !== ')') {
    items.push(repeated(cursor, atom(cursor)))
  }
  return { kind: 'sequence', items }
}

function atom(cursor: Cursor): PatternNode {
  const char = take(cursor)
  if (char === '(') return group(cursor)
  if (char === '[') return { kind: 'chars', chars: characterClass(cursor) }
  if (char === '\\') return { kind: 'chars', chars: escaped(cursor, '') }
  if ('.^$*+?{}]'.includes(char)) throw new OutsideDialect(`"${char}" must be escaped or left out`)
  return { kind: 'chars', chars: new Set(char) }
}

function group(cursor: Cursor): PatternNode {
  const captures = peek(cursor) !== '?'
  if (!captures) {
    take(cursor)
    if (take(cursor) !== ':') throw new OutsideDialect('of the (?…) groups only (?:…) is allowed')
  }
  const options = [sequence(cursor)]
  while (peek(cursor) === '|') {
    take(cursor)
    options.push(sequence(cursor))
  }
  if (take(cursor) !== ')') throw new OutsideDialect('a group is not closed')
  const item: PatternNode = { kind: 'choice', options }
  return captures ? { kind: 'capture', item } : item
}

function characterClass(cursor: Cursor): Set<string> {
  const chars = new Set<string>()
  if (peek(cursor) === '^') throw new OutsideDialect('a negated class admits more than can be checked')
  while (cursor.at < cursor.text.length) {
    const char = take(cursor)
    if (char === ']') return chars
    const low = char === '\\' ? escaped(cursor, '-') : new Set(char)
    const next = cursor.text.charAt(cursor.at + 1)
    if (peek(cursor) === '-' && next !== ']' && next !== '' && low.size === 1) {
      take(cursor)
      for (const each of range(first(low), take(cursor))) chars.add(each)
    } else for (const each of low) chars.add(each)
  }
  throw new OutsideDialect('a character class is not closed')
}

function range(from: string, to: string): string[] {
  const low = from.charCodeAt(0)
  const high = to.charCodeAt(0)
  if (to === '\\' || high < low || high > 0x7e) throw new OutsideDialect(`"${from}-${to}" is not a plain range`)
  return Array.from({ length: high - low + 1 }, (_, index) => String.fromCharCode(low + index))
}

/** Only what must be escaped may be: patterns are matched in Unicode mode, which refuses the rest. */
function escaped(cursor: Cursor, more: string): Set<string> {
  const char = take(cursor)
  const digits = range('0', '9')
  if (char === 'd') return new Set(digits)
  if (char === 'w') return new Set([...digits, ...range('A', 'Z'), ...range('a', 'z'), '_'])
  if (char === '' || !`^$\\.*+?()[]{}|/${more}`.includes(char)) throw new OutsideDialect(`\\${char} is not allowed`)
  return new Set(char)
}

function repeated(cursor: Cursor, item: PatternNode): PatternNode {
  const times = quantifier(cursor)
  if (times === undefined) return item
  cursor.repeats += 1
  if (cursor.repeats > maxRepeats) throw new OutsideDialect(`there are more than ${maxRepeats} repetitions`)
  if (times.max > maxRepetition) throw new OutsideDialect(`a repetition goes beyond ${maxRepetition}`)
  return { kind: 'repeat', item, ...times }
}

function quantifier(cursor: Cursor): { min: number; max: number } | undefined {
  const char = peek(cursor)
  if (char === '*' || char === '+') throw new OutsideDialect(`"${char}" has no upper bound; write {1,63}`)
  if (char === '?') {
    take(cursor)
    return { min: 0, max: 1 }
  }
  if (char !== '{') return undefined
  const bounds = /^\{(\d{1,4})(?:,(\d{1,4}))?\}/.exec(cursor.text.slice(cursor.at))
  if (bounds === null) throw new OutsideDialect('a repetition needs an upper bound, as in {1,63}')
  cursor.at += bounds[0].length
  const min = Number(bounds[1])
  return { min, max: bounds[2] === undefined ? min : Number(bounds[2]) }
}

const first = (chars: ReadonlySet<string>): string => [...chars][0] ?? ''
