import type { ProviderDefinition } from '../core/provider-definition.ts'
import { parsePattern } from '../core/pattern.ts'
import { keptDomain } from './fixed-domain.ts'
import { endingsOf } from './pattern-facts.ts'
import { hostOf, placeholdersIn } from './url-values.ts'

/**
 * The variables that whoever connects fills in: those that say so, but for the ones that an administrator has fixed
 * with the provider app.
 */
export function openVariables(definition: ProviderDefinition, fixed: Readonly<Record<string, string>>): string[] {
  return Object.entries(definition.url_variables ?? {})
    .filter(([name, variable]) => variable.per === 'connection' && !Object.hasOwn(fixed, name))
    .map(([name]) => name)
}

/**
 * All origins that an address can have, as `https://*.zendesk.com`, where whoever connects names its host; `undefined`
 * where its host holds none of the open variables, or no domain is certain.
 */
export function originsOf(
  definition: ProviderDefinition,
  template: string,
  open: readonly string[],
): string | undefined {
  const host = hostOf(template)
  if (!placeholdersIn(host).some((name) => open.includes(name))) return undefined
  const domain = keptDomain(host, (name) => patternOf(definition, name))
  if (domain === undefined) return undefined
  const [, scheme = 'https', port = ''] = /^(https?):\/\/[^/?#:]*(:\d{1,5})?/.exec(template) ?? []
  return `${scheme}://*.${domain}${port}`
}

/**
 * Whether one of these variables decides which of a provider's customers answers where the client secret goes. Who owns an
 * Okta organisation, say, sees what is sent there; a choice between data centres is harmless.
 */
export function namesSecretHost(definition: ProviderDefinition, names: readonly string[]): boolean {
  const open = openVariables(definition, {})
  const { token_url: token, refresh_url: refresh, revocation_url: revocation, long_lived_exchange: second } = definition
  return [token, refresh, revocation, second?.url].some((template) =>
    placeholdersIn(hostOf(template ?? '')).some(
      (name) => names.includes(name) && !open.includes(name) && !isChoice(definition, name),
    ),
  )
}

/** Whether the pattern spells every value out. */
function isChoice(definition: ProviderDefinition, name: string): boolean {
  return patternOf(definition, name)
    .map(parsePattern)
    .every((parsed) => parsed.kind === 'parsed' && endingsOf(parsed.node).every((ending) => ending.whole))
}

/** What every value of a variable ends in, from a dot on: `.myshopify.com`; `undefined` where there are several ways, or none. */
export function wholeEnding(definition: ProviderDefinition, name: string): string | undefined {
  const parsed = patternOf(definition, name).map(parsePattern)[0]
  const [only, ...others] = parsed?.kind === 'parsed' ? endingsOf(parsed.node) : []
  return others.length === 0 && only?.whole === false && only.text.startsWith('.') ? only.text : undefined
}

/** The pattern of a variable; none for a name that is no variable, so that no domain is certain. */
function patternOf(definition: ProviderDefinition, name: string): string[] {
  const variables = definition.url_variables ?? {}
  const variable = Object.hasOwn(variables, name) ? variables[name] : undefined
  return variable === undefined ? [] : [variable.pattern]
}
