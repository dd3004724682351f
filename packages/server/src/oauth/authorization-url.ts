import type { ProviderDefinition } from '../core/provider-definition.ts'
import type { ProviderClient } from '../core/token.ts'
import { fillClientId } from './endpoints.ts'

/** What one attempt adds to the provider app. */
export interface AuthorizationRequest {
  readonly redirectUri: string
  readonly state: string
  /** From `s256Challenge`; `undefined` only where `usesPkce` says so. */
  readonly codeChallenge: string | undefined
  readonly scopes: readonly string[]
  readonly nonce: string | undefined
  readonly loginHint: string | undefined
}

// What only this function may say. A provider's own address could otherwise carry a second `redirect_uri` or `state`,
// or a request object that overrides them all (RFC 9101).
const reservedNames = [
  'response_type',
  'redirect_uri',
  'state',
  'code_challenge',
  'code_challenge_method',
  'nonce',
  'request',
  'request_uri',
]

/**
 * The address to send the browser to (RFC 6749 §4.1.1, RFC 7636 §4.3).
 *
 * Each parameter stands in it once, whatever the definition's address or extra parameters hold.
 */
export function buildAuthorizationUrl(client: ProviderClient, request: AuthorizationRequest): string {
  const { definition } = client
  const url = new URL(fillClientId(client.endpoints.authorizationUrl, client.clientId))
  const query = url.searchParams
  for (const [name, value] of Object.entries(definition.extra_authorize_params ?? {})) query.set(name, value)
  for (const name of reservedNames) query.delete(name)

  if (definition.response_type_omitted !== true) query.set('response_type', 'code')
  query.set(definition.client_id_parameter ?? 'client_id', client.clientId)
  query.set(definition.redirect_uri_parameter ?? 'redirect_uri', request.redirectUri)
  query.set('state', request.state)
  if (request.codeChallenge !== undefined) {
    query.set('code_challenge', request.codeChallenge)
    query.set('code_challenge_method', 'S256')
  }
  if (request.nonce !== undefined) query.set('nonce', request.nonce)
  if (request.loginHint !== undefined) query.set('login_hint', request.loginHint)
  setScopes(query, definition, request.scopes)

  // Some servers read `+` as a plus sign; `%20` is a space to all of them.
  url.search = query.toString().replaceAll('+', '%20')
  url.hash = definition.authorization_fragment ?? ''
  return url.href
}

/** Whether the request carries a nonce: for an ID token (OIDC Core §3.1.2.1), unless the definition says otherwise. */
export function usesNonce(definition: ProviderDefinition, scopes: readonly string[]): boolean {
  return definition.nonce ?? scopes.includes('openid')
}

/** Whether the request carries a code challenge: always, but for providers reviewed as refusing it (RFC 9700 §2.1.1). */
export function usesPkce(definition: ProviderDefinition): boolean {
  return definition.pkce !== 'none'
}

function setScopes(query: URLSearchParams, definition: ProviderDefinition, scopes: readonly string[]): void {
  const separator = definition.scope_separator ?? ' '
  const second = definition.second_scope
  const isSecond = (scope: string): boolean => second !== undefined && scope.startsWith(second.prefix)
  const first = scopes.filter((scope) => !isSecond(scope))
  const parameter = definition.scope_parameter === undefined ? 'scope' : definition.scope_parameter
  if (parameter !== null && first.length > 0) query.set(parameter, first.join(separator))
  if (second === undefined) return
  const rest = scopes.filter(isSecond).map((scope) => scope.slice(second.prefix.length))
  if (rest.length > 0) query.set(second.parameter, rest.join(separator))
}
