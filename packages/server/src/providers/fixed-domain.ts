import { capturesOf, endingsOf, type Ending } from './pattern-facts.ts'
import { parsePattern } from '../core/pattern.ts'

/**
 * Why a host template leaves its registrable domain open, or `undefined` when every value keeps it.
 *
 * `{subdomain}.zendesk.com` is fixed by its own text, `{login_host}` only if each alternative of its pattern ends in
 * a literal domain. Whoever chose the domain would be sent the codes and the client secret.
 */
export function unpinnedHost(host: string, patternsOf: (name: string) => readonly string[]): string | undefined {
  const pieces = host.split(/(\{[^{}]*\})/).filter((piece) => piece !== '')
  let endings: Ending[] = [{ text: '', whole: true }]
  for (const piece of pieces.toReversed()) {
    const own = piece.startsWith('{') ? valueEndings(patternsOf(piece.slice(1, -1))) : [{ text: piece, whole: true }]
    endings = endings.flatMap((ending) =>
      ending.whole ? own.map(({ text, whole }) => ({ text: text + ending.text, whole })) : [ending],
    )
  }
  if (pieces.every((piece) => !piece.startsWith('{'))) return undefined
  const open = endings.find((ending) => !isFixed(ending))
  if (open === undefined) return undefined
  return `The values leave the domain open (only "${open.text}" is certain); fix at least the vendor's own domain.`
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
  if (ending.whole) return ending.text.includes('.')
  const certain = ending.text.includes('.') ? ending.text.slice(ending.text.indexOf('.') + 1).split('.') : []
  return certain.every((label) => label !== '') && certain.length >= (isPublicPair(certain) ? 3 : 2)
}

const secondLevel: ReadonlySet<string> = new Set(['ac', 'co', 'com', 'edu', 'gov', 'ne', 'net', 'or', 'org'])

const isPublicPair = (labels: readonly string[]): boolean =>
  labels.at(-1)?.length === 2 && secondLevel.has(labels.at(-2) ?? '')
