import { capturesOf, endingsOf, type Ending } from './pattern-facts.ts'
import { parsePattern } from '../core/pattern.ts'

/**
 * Why a host template leaves its registrable domain open, or `undefined` when every value keeps it.
 *
 * `{subdomain}.zendesk.com` is fixed by its own text, `{login_host}` only if each alternative of its pattern ends in
 * a literal domain. Whoever chose the domain would be sent the codes and the client secret.
 */
export function unpinnedHost(host: string, patternsOf: PatternsOf): string | undefined {
  if (!host.includes('{')) return undefined
  const open = hostEndings(host, patternsOf).find((ending) => !isFixed(ending))
  if (open === undefined) return undefined
  return `The values leave the domain open (only "${open.text}" is certain); fix at least the vendor's own domain.`
}

/**
 * The one domain that a host template keeps whatever the values are: `zendesk.com` for `{subdomain}.zendesk.com`.
 * `undefined` when values lead to different registrable domains, or none is certain.
 */
export function keptDomain(host: string, patternsOf: PatternsOf): string | undefined {
  const [first = [], ...rest] = hostEndings(host, patternsOf).map(certainLabels)
  const kept = rest.reduce<readonly string[]>(commonEnding, first)
  return isRegistrable(kept) ? kept.join('.') : undefined
}

/** The patterns that a placeholder's value fits one of; none where nothing is known of it. */
type PatternsOf = (name: string) => readonly string[]

/** What a filled template certainly ends in, one for each alternative. */
function hostEndings(host: string, patternsOf: PatternsOf): Ending[] {
  const pieces = host.split(/(\{[^{}]*\})/).filter((piece) => piece !== '')
  let endings: Ending[] = [{ text: '', whole: true }]
  for (const piece of pieces.toReversed()) {
    const own = piece.startsWith('{') ? valueEndings(patternsOf(piece.slice(1, -1))) : [{ text: piece, whole: true }]
    endings = endings.flatMap((ending) =>
      ending.whole ? own.map(({ text, whole }) => ({ text: text + ending.text, whole })) : [ending],
    )
  }
  return endings
}

/** The endings of what the patterns let through: of a capturing group where there is one. */
function valueEndings(patterns: readonly string[]): Ending[] {
  if (patterns.length === 0) return [{ text: '', whole: false }]
  return patterns.flatMap((pattern) => {
    const parsed = parsePattern(pattern)
    if (parsed.kind === 'refused') return [{ text: '', whole: false }]
    return endingsOf(capturesOf(parsed.node)[0] ?? parsed.node)
  })
}

/** A whole host is as fixed as can be; otherwise two labels must be certain, three under the likes of `.co.uk`. */
export function isFixed(ending: Ending): boolean {
  return ending.whole ? ending.text.includes('.') : isRegistrable(certainLabels(ending))
}

/** The labels that no value can change; what stands before the first dot may go on to the left. */
function certainLabels(ending: Ending): readonly string[] {
  if (ending.whole) return ending.text.split('.')
  return ending.text.includes('.') ? ending.text.slice(ending.text.indexOf('.') + 1).split('.') : []
}

const isRegistrable = (labels: readonly string[]): boolean =>
  labels.every((label) => label !== '') && labels.length >= (isPublicPair(labels) ? 3 : 2)

function commonEnding(one: readonly string[], other: readonly string[]): readonly string[] {
  let length = 0
  while (length < one.length && length < other.length && one.at(-1 - length) === other.at(-1 - length)) length += 1
  return length === 0 ? [] : one.slice(-length)
}

const secondLevel: ReadonlySet<string> = new Set(['ac', 'co', 'com', 'edu', 'gov', 'ne', 'net', 'or', 'org'])

const isPublicPair = (labels: readonly string[]): boolean =>
  labels.at(-1)?.length === 2 && secondLevel.has(labels.at(-2) ?? '')
