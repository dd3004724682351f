import type { ProviderDefinition } from '../core/provider-definition.ts'
import type { DefinitionProblem, DefinitionRule } from './definition-problem.ts'
import { isFixed } from './fixed-domain.ts'
import { capturesOf, charactersOf, endingsOf, slowness } from './pattern-facts.ts'
import { fits } from '../core/pattern-match.ts'
import { parsePattern, parsePatternBody } from '../core/pattern.ts'
import { placeholdersIn } from './url-values.ts'

/** Characters that end a host or a path segment, or begin an escape; one of them in a value would rewrite the address. */
const separators = '/\\@:#?%&=;{}"\'<>`^|, \t\n\r'

/** Patterns compile, are quick, and admit nothing that could lead an address elsewhere. */
export function checkPatterns(definition: ProviderDefinition): DefinitionProblem[] {
  return [
    ...Object.entries(definition.url_variables ?? {}).flatMap(([name, variable]) => {
      const path = ['url_variables', name]
      const pattern = [...path, 'pattern']
      return [
        ...checkCaptures(variable.pattern, pattern, 0),
        ...checkValuePattern(variable.pattern, pattern),
        ...checkExamples(variable, path),
      ]
    }),
    ...Object.entries(definition.callback_params ?? {}).flatMap(([name, rule]) => {
      const path = ['callback_params', name, 'pattern']
      const inAddress = rule.url_variable !== undefined || placeholdersIn(definition.api_base_url ?? '').includes(name)
      const namesBase = definition.api_base_url?.startsWith(`{${name}}`) === true
      return [
        ...checkCaptures(rule.pattern, path, 1),
        ...(inAddress && !namesBase ? checkValuePattern(rule.pattern, path) : checkDialect(rule.pattern, path)),
      ]
    }),
    ...checkBasePattern(definition.api_base_url_pattern, ['api_base_url_pattern']),
    ...checkBasePattern(definition.issuer_pattern, ['issuer_pattern']),
  ]
}

function checkDialect(pattern: string, path: readonly string[]): DefinitionProblem[] {
  const parsed = parsePattern(pattern)
  if (parsed.kind === 'refused')
    return [problem('pattern-dialect', path, `The pattern cannot be used: ${parsed.reason}.`)]
  const slow = slowness(parsed.node)
  return slow === undefined ? [] : [problem('pattern-slow', path, `The pattern could take long to match: ${slow}.`)]
}

/** What is kept must be certain: one part that every match has, or the whole. */
function checkCaptures(pattern: string, path: readonly string[], allowed: 0 | 1): DefinitionProblem[] {
  const parsed = parsePattern(pattern)
  if (parsed.kind === 'refused') return []
  const count = capturesOf(parsed.node).length
  const outside =
    parsed.node.kind === 'sequence' ? parsed.node.items.filter((item) => item.kind === 'capture').length : 0
  if (count === 0 || (count === allowed && outside === count)) return []
  const what = allowed === 0 ? 'has a capturing group' : 'captures more than one part, or one that may be missing'
  return [problem('pattern-dialect', path, `The pattern ${what}; write (?:…) for groups.`)]
}

/**
 * A value that stands in an address: its capturing group, or the whole of it. Patterns come from tenants: none is ever run
 * here, and none that is outside the dialect or slow is looked at further.
 */
function checkValuePattern(pattern: string, path: readonly string[]): DefinitionProblem[] {
  const problems = checkDialect(pattern, path)
  const parsed = parsePattern(pattern)
  if (problems.length > 0 || parsed.kind === 'refused') return problems
  const admitted = charactersOf(capturesOf(parsed.node)[0] ?? parsed.node)
  const harmful = [...admitted].filter((char) => separators.includes(char))
  if (harmful.length > 0) {
    problems.push(
      problem(
        'pattern-characters',
        path,
        `The pattern admits ${JSON.stringify(harmful.join(''))}, which would rewrite the address.`,
      ),
    )
  }
  if (['', '.', '..'].some((value) => fits(parsed.node, value))) {
    problems.push(problem('pattern-characters', path, 'The pattern admits an empty value or a dot segment.'))
  }
  return problems
}

function checkExamples(
  variable: NonNullable<ProviderDefinition['url_variables']>[string],
  path: readonly string[],
): DefinitionProblem[] {
  const parsed = parsePattern(variable.pattern)
  if (parsed.kind === 'refused' || slowness(parsed.node) !== undefined) return []
  const samples = [
    ['example', variable.example],
    ['default', variable.default],
    ...(variable.allowed ?? []).map((value) => ['allowed', value] as const),
  ] as const
  return samples
    .filter(([, value]) => value !== undefined && !fits(parsed.node, value))
    .map(([field, value]) =>
      problem('pattern-example', [...path, field], `"${String(value)}" does not match the pattern.`),
    )
}

/** `^https://host/path$` whose host ends in a literal domain, whatever the reply says. */
function checkBasePattern(pattern: string | undefined, path: readonly string[]): DefinitionProblem[] {
  if (pattern === undefined) return []
  const dialect = checkDialect(pattern, path)
  if (dialect.length > 0) return dialect
  const [, rest] = /^\^https:(?:\/\/|\\\/\\\/)(.*)\$$/.exec(pattern) ?? []
  const host = parsePatternBody(hostPart(rest ?? ''))
  if (rest === undefined || host.kind === 'refused') {
    return [
      problem(
        'fixed-domain',
        path,
        'The pattern must read ^https://host/path$, with the host outside any group that goes on.',
      ),
    ]
  }
  const harmful = [...charactersOf(host.node)].filter((char) => separators.includes(char))
  if (harmful.length > 0) {
    return [problem('pattern-characters', path, `The host part admits ${JSON.stringify(harmful.join(''))}.`)]
  }
  if (endingsOf(host.node).every(isFixed)) return []
  return [problem('fixed-domain', path, 'The host part must end in the domain of the vendor, letter for letter.')]
}

/** What stands before the first `/` outside groups, or before a group that begins with one. */
function hostPart(rest: string): string {
  let depth = 0
  for (const [index, char] of [...rest].entries()) {
    if (depth === 0 && /^(?:\\?\/|\((?:\?:)?\\?\/)/.test(rest.slice(index))) return rest.slice(0, index)
    if (char === '(') depth += 1
    if (char === ')') depth -= 1
  }
  return rest
}

const problem = (rule: DefinitionRule, path: readonly string[], message: string): DefinitionProblem => ({
  rule,
  path,
  message,
})
