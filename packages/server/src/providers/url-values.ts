import type { ProviderDefinition } from '../core/provider-definition.ts'

/** The fields of a definition that hold an address. */
export const urlFields = [
  'docs_url',
  'authorization_url',
  'token_url',
  'refresh_url',
  'userinfo_url',
  'revocation_url',
  'issuer',
  'jwks_uri',
  'api_base_url',
] as const

/** The host of an address or of a template for one, as it is written; empty where there is none. */
export const hostOf = (template: string): string => /^https?:\/\/(\[[^\]/]*\]|[^/?#:]*)/.exec(template)?.[1] ?? ''

/** The names in braces, in order: `https://{shop}/x` gives `shop`. */
export function placeholdersIn(template: string): string[] {
  return [...template.matchAll(/\{([^{}]*)\}/g)].map((match) => match[1] ?? '')
}

/**
 * Names of the values that are there when the address in a field is used.
 *
 * Before consent only the operator's URL variables are; the callback adds its own for everything after it; the
 * replies add theirs for the API base alone. A token is never among them, so none can get into an address.
 */
export function knownValues(definition: ProviderDefinition, field: string): ReadonlySet<string> {
  const variables = Object.keys(definition.url_variables ?? {})
  if (['authorization_url', 'issuer', 'jwks_uri', 'docs_url'].includes(field)) return new Set(variables)
  const callback = Object.entries(definition.callback_params ?? {}).map(([name, rule]) => rule.url_variable ?? name)
  const replies = [
    ...Object.keys(definition.token_response_paths ?? {}),
    ...Object.keys(definition.userinfo_response_paths ?? {}),
  ].filter((name) => !tokenNames.has(name))
  if (field === 'api_base_url') return new Set([...variables, ...callback, ...replies])
  return new Set([...variables, ...callback, ...(field === 'revocation_url' ? ['client_id'] : [])])
}

/** Names of the values that the replies and the callback leave, beside those that stand for a URL variable. */
export function replyValueNames(definition: ProviderDefinition): string[] {
  return [
    ...Object.keys(definition.token_response_paths ?? {}),
    ...Object.keys(definition.userinfo_response_paths ?? {}),
    ...Object.entries(definition.callback_params ?? {})
      .filter(([, rule]) => rule.url_variable === undefined && rule.equals_url_variable === undefined)
      .map(([name]) => name),
  ]
}

const tokenNames: ReadonlySet<string> = new Set(['access_token', 'refresh_token', 'id_token'])
