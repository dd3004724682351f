import type { Secret } from '../core/secret.ts'
import type { ProviderClient } from '../core/token.ts'
import { fillClientId } from './endpoints.ts'

/** What a provider wants on every API call. */
export interface ApiCredentials {
  readonly headers: Readonly<Record<string, string>>
  /** Query parameters that carry the token, for the few providers that take it nowhere else. */
  readonly query: Readonly<Record<string, string>>
}

/**
 * The headers, or query parameter, that carry an access token to a provider's API: `Authorization: Bearer` (RFC 6750 §2.1)
 * unless the definition says otherwise, and its constant headers.
 *
 * A prefix is set off by a space unless it brings its own end (`token=`, a trailing space).
 */
export function apiCredentials(client: ProviderClient, accessToken: Secret): ApiCredentials {
  const { api_token, api_headers } = client.definition
  const constant = Object.entries(api_headers ?? {}).map(([name, value]): [string, string] => [
    name.toLowerCase(),
    fillClientId(value, client.clientId),
  ])
  const headers: Record<string, string> = Object.fromEntries(constant)
  const rule = api_token ?? { in: 'header', name: 'authorization', prefix: 'Bearer' }
  const prefix = rule.prefix ?? ''
  const value = (prefix === '' || /[\s=]$/.test(prefix) ? prefix : `${prefix} `) + accessToken.reveal()
  if (rule.in === 'query') return { headers, query: { [rule.name]: value } }
  headers[rule.name.toLowerCase()] = value
  return { headers, query: {} }
}
