import type { ProviderDefinition, ProviderEndpoints } from '../core/provider-definition.ts'
import { fitsPattern } from './pattern.ts'

const placeholder = /\{([a-z][a-z0-9_]{0,63})\}/g
/** Filled in at the request itself, from the provider app or the grant. */
const requestNames = new Set(['client_id', 'access_token'])
/** Characters with which a value could leave its place in a URL, or that a URL cannot hold. */
const outOfPlace = /[\s\\@?#%<>"{}|^`\x00-\x20\x7f-\uffff]|(?:^|\/)\.{1,2}(?:\/|$)/

/** `missing` and `invalid` are names of URL variables; incomplete addresses hold `{name}` for what is missing. */
export type ResolvedEndpoints =
  | { readonly kind: 'resolved'; readonly endpoints: ProviderEndpoints }
  | {
      readonly kind: 'incomplete'
      readonly missing: readonly string[]
      readonly invalid: readonly string[]
      readonly endpoints: ProviderEndpoints
    }

/**
 * Fills a definition's addresses from the values a tenant gave, or the defaults.
 *
 * A name that the callback or the token reply brings stays as `{name}` wherever it is only needed after that, unless
 * the tenant fixed it; `fillLater` fills it then.
 */
export function resolveEndpoints(
  definition: ProviderDefinition,
  variables: Readonly<Record<string, string>>,
): ResolvedEndpoints {
  const missing = new Set<string>()
  const invalid = new Set<string>()
  for (const [name, value] of Object.entries(variables)) {
    if (!isAllowedValue(definition, name, value)) invalid.add(name)
  }
  const later = laterNames(definition)

  function fill(url: string, isNeededLater: boolean): string {
    return url.replaceAll(placeholder, (whole, name: string) => {
      if (requestNames.has(name)) return whole
      const given = ownValue(variables, name)
      if (given !== undefined) return given
      if (isNeededLater && later.has(name)) return whole
      const fallback = ownValue(definition.url_variables ?? {}, name)?.default
      if (fallback !== undefined) return fallback
      missing.add(name)
      return whole
    })
  }
  const now = (url: string): string => fill(url, false)
  const then = (url: string): string => fill(url, true)
  const optional = (url: string | undefined, how: (url: string) => string): string | undefined =>
    url === undefined ? undefined : how(url)

  const endpoints: ProviderEndpoints = {
    authorizationUrl: now(definition.authorization_url),
    tokenUrl: then(definition.token_url),
    refreshUrl: then(definition.refresh_url ?? definition.token_url),
    userinfoUrl: optional(definition.userinfo_url, then),
    revocationUrl: optional(definition.revocation_url, then),
    issuer: optional(definition.issuer, now),
    jwksUri: optional(definition.jwks_uri, now),
    apiBaseUrl: optional(definition.api_base_url, then),
    variables: { ...defaultsOf(definition), ...variables },
  }
  if (missing.size === 0 && invalid.size === 0) return { kind: 'resolved', endpoints }
  return { kind: 'incomplete', missing: [...missing], invalid: [...invalid], endpoints }
}

/**
 * Fills the names that `resolveEndpoints` left open from the values kept with the grant, else from the defaults.
 *
 * `undefined` when a value is absent or does not fit: the URL must then not be used, since these values come from
 * outside and decide where codes and tokens go. Where a value without a rule of its own names a host, or the whole base, the
 * filled URL must fit `api_base_url_pattern`. `{client_id}` and `{access_token}` stay.
 */
export function fillLater(
  url: string,
  kept: Readonly<Record<string, string>>,
  definition: ProviderDefinition,
): string | undefined {
  let isComplete = true
  let needsPattern = url.startsWith('{')
  const filled = url.replaceAll(placeholder, (text, name: string) => {
    if (requestNames.has(name)) return text
    const value = ownValue(kept, name) ?? ownValue(definition.url_variables ?? {}, name)?.default
    const hasRule = ownValue(definition.url_variables ?? {}, name) !== undefined
    const isAllowed = value !== undefined && isAllowedValue(definition, name, value)
    if (isAllowed) return value
    if (hasRule || value === undefined || outOfPlace.test(value)) isComplete = false
    needsPattern = true
    return value?.replace(/\/+$/, '') ?? text
  })
  if (!isComplete || !URL.canParse(filled.replaceAll(placeholder, 'x'))) return undefined
  if (!needsPattern) return filled
  const pattern = definition.api_base_url_pattern
  const isHttps = URL.parse(filled)?.protocol === 'https:'
  return isHttps && pattern !== undefined && fitsPattern(pattern, filled) ? filled : undefined
}

/** Fills `{client_id}` in an address or header, encoded for a URL. */
export function fillClientId(text: string, clientId: string): string {
  return text.replaceAll('{client_id}', encodeURIComponent(clientId))
}

/**
 * Whether a value may stand for a URL variable. A name without a rule of its own may hold a single label or path segment,
 * so that it cannot name a host.
 *
 * Used when the value arrives, so that nothing unchecked is kept, and again when it is used.
 */
export function isAllowedValue(definition: ProviderDefinition, name: string, value: string): boolean {
  if (value === '' || outOfPlace.test(value)) return false
  const rule = ownValue(definition.url_variables ?? {}, name)
  if (rule === undefined) return /^[A-Za-z0-9_-]{1,128}$/.test(value)
  if (rule.allowed !== undefined && !rule.allowed.includes(value)) return false
  return fitsPattern(rule.pattern, value)
}

function defaultsOf(definition: ProviderDefinition): Record<string, string> {
  const defaults: Record<string, string> = {}
  for (const [name, rule] of Object.entries(definition.url_variables ?? {})) {
    if (rule.default !== undefined) defaults[name] = rule.default
  }
  return defaults
}

function laterNames(definition: ProviderDefinition): Set<string> {
  const fromCallback = Object.entries(definition.callback_params ?? {}).map(
    ([parameter, rule]) => rule.url_variable ?? parameter,
  )
  return new Set([
    ...fromCallback,
    ...Object.keys(definition.token_response_paths ?? {}),
    ...Object.keys(definition.userinfo_response_paths ?? {}),
  ])
}

function ownValue<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}
