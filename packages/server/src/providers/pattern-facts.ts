import type { PatternNode } from '../core/pattern.ts'

/** Every character that a match can hold. */
export function charactersOf(node: PatternNode): ReadonlySet<string> {
  return new Set(partsOf(node).flatMap((part) => (part.kind === 'chars' ? [...part.chars] : [...charactersOf(part)])))
}

/** The capturing groups of a pattern, outermost first. */
export function capturesOf(node: PatternNode): PatternNode[] {
  if (node.kind === 'capture') return [node.item, ...capturesOf(node.item)]
  return node.kind === 'chars' ? [] : partsOf(node).flatMap(capturesOf)
}

/** Why matching could take more than time in proportion to the text, or `undefined` when it cannot. */
export function slowness(node: PatternNode): string | undefined {
  if (node.kind === 'chars') return undefined
  if (node.kind === 'repeat' && node.max > 1 && variesInLength(node.item)) {
    return 'a repetition stands inside another one'
  }
  if (node.kind === 'sequence' && hasRivals(node.items)) {
    return 'two neighbouring repetitions admit the same characters'
  }
  return partsOf(node)
    .map(slowness)
    .find((reason) => reason !== undefined)
}

/** An ending that a match must have; `whole` when it is the match from its first character on. */
export interface Ending {
  readonly text: string
  readonly whole: boolean
}

/** The fixed endings of a pattern, one for each alternative. */
export function endingsOf(node: PatternNode): Ending[] {
  switch (node.kind) {
    case 'chars':
      return node.chars.size === 1 ? [{ text: [...node.chars].join(''), whole: true }] : [anyEnding]
    case 'capture':
      return endingsOf(node.item)
    case 'choice':
      return bounded(node.options.flatMap(endingsOf))
    case 'repeat':
      return node.min === 0 && node.max === 1 ? bounded([emptyEnding, ...endingsOf(node.item)]) : [anyEnding]
    case 'sequence':
      return node.items.reduceRight<Ending[]>((endings, item) => before(endingsOf(item), endings), [emptyEnding])
  }
}

const emptyEnding: Ending = { text: '', whole: true }
const anyEnding: Ending = { text: '', whole: false }
const maxEndings = 200

/** Takes endings already found: to find them anew for each one after them would take years where groups are nested. */
const before = (first: readonly Ending[], then: readonly Ending[]): Ending[] =>
  bounded(
    then.flatMap((ending) =>
      ending.whole ? first.map(({ text, whole }) => ({ text: text + ending.text, whole })) : [ending],
    ),
  )

/** Too many to list counts as nothing fixed, which every rule refuses. */
const bounded = (endings: Ending[]): Ending[] => (endings.length > maxEndings ? [anyEnding] : endings)

function partsOf(node: PatternNode): readonly PatternNode[] {
  switch (node.kind) {
    case 'chars':
      return [node]
    case 'sequence':
      return node.items
    case 'choice':
      return node.options
    case 'capture':
    case 'repeat':
      return [node.item]
  }
}

function variesInLength(node: PatternNode): boolean {
  if (node.kind === 'chars') return false
  if (node.kind === 'repeat' && node.min !== node.max) return true
  if (node.kind === 'choice' && node.options.length > 1) return true
  return partsOf(node).some(variesInLength)
}

/** Whether a run of characters could be split between two repetitions in many ways: `[a-z]{0,63}[a-z]{0,63}`. */
function hasRivals(items: readonly PatternNode[]): boolean {
  let open = new Set<string>()
  for (const item of items) {
    const starts = startsOf(item)
    const shared = [...starts].some((char) => open.has(char))
    if (variesInLength(item)) {
      if (shared) return true
      open = new Set([...open, ...openEndOf(item)])
    } else if (!shared && starts.size > 0) open = new Set()
  }
  return false
}

function startsOf(node: PatternNode): ReadonlySet<string> {
  if (node.kind === 'chars') return node.chars
  if (node.kind !== 'sequence') return unionOf(partsOf(node).map(startsOf))
  const untilCertain = node.items.findIndex((item) => !canBeEmpty(item))
  return unionOf(node.items.slice(0, untilCertain === -1 ? undefined : untilCertain + 1).map(startsOf))
}

/** Characters of the repetition that a match may end in. */
function openEndOf(node: PatternNode): ReadonlySet<string> {
  if (node.kind === 'chars') return new Set()
  if (node.kind === 'repeat' && node.max > 1) return charactersOf(node.item)
  if (node.kind !== 'sequence') return unionOf(partsOf(node).map(openEndOf))
  const last = node.items.at(-1)
  return last === undefined ? new Set() : openEndOf(last)
}

function canBeEmpty(node: PatternNode): boolean {
  if (node.kind === 'chars') return false
  if (node.kind === 'repeat') return node.min === 0 || canBeEmpty(node.item)
  return node.kind === 'choice' ? node.options.some(canBeEmpty) : partsOf(node).every(canBeEmpty)
}

const unionOf = (sets: readonly ReadonlySet<string>[]): ReadonlySet<string> => new Set(sets.flatMap((set) => [...set]))
