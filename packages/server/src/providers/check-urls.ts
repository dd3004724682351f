import type { ProviderDefinition } from '../core/provider-definition.ts'
import type { DefinitionProblem, DefinitionRule } from './definition-problem.ts'
import { unpinnedHost } from './fixed-domain.ts'
import { reservedParameters } from './reserved-names.ts'
import { hostOf, knownValues, placeholdersIn, replyValueNames, urlFields } from './url-values.ts'

type UrlField = (typeof urlFields)[number]

/** Addresses lead where they seem to lead: https, no credentials, no reserved parameters, and a domain that no value can change. */
export function checkUrls(definition: ProviderDefinition, allowHttpHosts: readonly string[]): DefinitionProblem[] {
  const problems = urlFields.flatMap((field) => {
    const url = definition[field]
    return url === undefined ? [] : checkUrl(definition, field, url, allowHttpHosts)
  })
  const exchange = definition.long_lived_exchange?.url
  if (exchange === undefined) return problems
  return [...problems, ...checkUrl(definition, 'token_url', exchange, allowHttpHosts, ['long_lived_exchange', 'url'])]
}

function checkUrl(
  definition: ProviderDefinition,
  field: UrlField,
  template: string,
  allowHttpHosts: readonly string[],
  path: readonly string[] = [field],
): DefinitionProblem[] {
  const known = knownValues(definition, field)
  const strangers = placeholdersIn(template).filter((name) => !known.has(name))
  if (strangers.length > 0) {
    return [
      problem(
        'placeholder',
        path,
        `{${strangers.join('}, {')}} is not known when this address is used; give it a url_variables entry.`,
      ),
    ]
  }
  if (namesWholeBase(definition, template)) return checkNamedBase(definition, path)
  const sample = template.replaceAll(/\{[^{}]*\}/g, 'x1')
  const url = URL.parse(sample)
  // A host that is read in another way than it is written (`https:///x`, `0x7f.1`, `a@b`) would pass by the rules below.
  if (url === null || /[{}\\]/.test(sample) || url.hostname !== hostOf(sample).toLowerCase()) {
    return [problem('url-shape', path, 'This is not an absolute address; check its spelling.')]
  }
  return [
    ...checkScheme(url, path, allowHttpHosts),
    ...checkShape(url, path, template),
    ...checkQuery(url, path),
    ...checkHost(definition, known, template, path),
  ]
}

/** The reply names the host, so the pattern has to fix the domain; `check-patterns.ts` sees to that. */
function namesWholeBase(definition: ProviderDefinition, template: string): boolean {
  const host = hostOf(template)
  const isVouchedFor = (name: string): boolean => definition.url_variables?.[name] !== undefined
  const fromReply = new Set(replyValueNames(definition).filter((name) => !isVouchedFor(name)))
  return template.startsWith('{') || placeholdersIn(host).some((name) => fromReply.has(name))
}

function checkNamedBase(definition: ProviderDefinition, path: readonly string[]): DefinitionProblem[] {
  if (definition.api_base_url_pattern !== undefined) return []
  return [problem('fixed-domain', path, 'A reply names this host; add an api_base_url_pattern that fixes the domain.')]
}

function checkScheme(url: URL, path: readonly string[], allowHttpHosts: readonly string[]): DefinitionProblem[] {
  if (url.protocol === 'https:' || (url.protocol === 'http:' && allowHttpHosts.includes(hostAndPort(url)))) return []
  return [problem('https', path, 'Use https; http is only for hosts listed in ALLOWED_PRIVATE_HOSTS.')]
}

const hostAndPort = (url: URL): string => `${url.hostname}:${url.port === '' ? '80' : url.port}`

function checkShape(url: URL, path: readonly string[], template: string): DefinitionProblem[] {
  const problems: DefinitionProblem[] = []
  if (url.username !== '' || url.password !== '') {
    problems.push(problem('url-shape', path, 'An address must not hold a user name or password.'))
  }
  if (template.includes('#') && path[0] !== 'docs_url')
    problems.push(problem('url-shape', path, 'An address must not hold a fragment.'))
  if (placeholdersIn(template.split('?')[1] ?? '').length > 0) {
    problems.push(problem('placeholder', path, 'Values may stand in the host and the path only, not in the query.'))
  }
  return problems
}

function checkQuery(url: URL, path: readonly string[]): DefinitionProblem[] {
  return [...url.searchParams.keys()]
    .filter((name) => reservedParameters.has(name.toLowerCase()))
    .map((name) => problem('reserved-parameter', path, `"${name}" is set by this service; take it out of the address.`))
}

function checkHost(
  definition: ProviderDefinition,
  known: ReadonlySet<string>,
  template: string,
  path: readonly string[],
): DefinitionProblem[] {
  const reason = unpinnedHost(hostOf(template), (name) => (known.has(name) ? patternsOf(definition, name) : []))
  return reason === undefined ? [] : [problem('fixed-domain', path, reason)]
}

/** What the operator may set and what a callback may put in its place. */
function patternsOf(definition: ProviderDefinition, name: string): string[] {
  const callback = Object.values(definition.callback_params ?? {}).filter((rule) => rule.url_variable === name)
  return [definition.url_variables?.[name]?.pattern, ...callback.map((rule) => rule.pattern)].filter(
    (pattern) => pattern !== undefined,
  )
}

const problem = (rule: DefinitionRule, path: readonly string[], message: string): DefinitionProblem => ({
  rule,
  path,
  message,
})
