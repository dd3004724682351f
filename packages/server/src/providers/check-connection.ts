import type { ProviderDefinition } from '../core/provider-definition.ts'
import { openVariables, originsOf } from './connection-variables.ts'
import type { DefinitionProblem } from './definition-problem.ts'
import { hostOf, placeholdersIn, urlFields } from './url-values.ts'

/**
 * Whatever those who connect enter, code, client secret and tokens stay with the provider: each address keeps one
 * registrable domain, and nothing that comes back later takes the value's place. Who runs the hosts, only a reviewer can say.
 */
export function checkConnection(definition: ProviderDefinition): DefinitionProblem[] {
  const open = openVariables(definition, {})
  return open.flatMap((name) => [
    ...checkDomains(definition, name, open),
    ...(isSetLater(definition, name)
      ? [problem(['url_variables', name, 'per'], 'A callback or a reply sets this value; it belongs to the app.')]
      : []),
  ])
}

function checkDomains(definition: ProviderDefinition, name: string, open: readonly string[]): DefinitionProblem[] {
  const addresses = [
    ...urlFields.map((field) => [field, definition[field]] as const),
    ['long_lived_exchange', definition.long_lived_exchange?.url] as const,
  ]
  return addresses.flatMap(([field, template]) => {
    if (template === undefined || !placeholdersIn(hostOf(template)).includes(name)) return []
    if (originsOf(definition, template, open) !== undefined) return []
    return [problem([field], `{${name}} is chosen by whoever connects, so all its values must keep one domain.`)]
  })
}

function isSetLater(definition: ProviderDefinition, name: string): boolean {
  return (
    Object.values(definition.callback_params ?? {}).some((rule) => rule.url_variable === name) ||
    Object.hasOwn(definition.token_response_paths ?? {}, name) ||
    Object.hasOwn(definition.userinfo_response_paths ?? {}, name)
  )
}

const problem = (path: readonly string[], message: string): DefinitionProblem => ({
  rule: 'connection-variable',
  path,
  message,
})
