import type { Secret } from '../core/secret.ts'
import type { ProviderClient } from '../core/token.ts'
import { apiCredentials } from './api-call.ts'
import { authenticateClient, basic, clientAuthMethod } from './client-auth.ts'
import type { EgressRequest } from './egress.ts'

/** `token_type_hint` (RFC 7009 §2.1). */
export type TokenKind = 'refresh_token' | 'access_token'

/** The request that revokes one token the provider's way; RFC 7009 §2.1 where the definition names no other. */
export function revocationRequest(client: ProviderClient, address: URL, kind: TokenKind, token: Secret): EgressRequest {
  const url = address.href
  const rule = client.definition.revocation
  const named = rule?.token_parameter
  switch (rule?.style ?? 'rfc7009') {
    case 'rfc7009': {
      const authentication = authenticateClient(client, clientAuthMethod(client, 'revocation'))
      const parameters = {
        [named ?? 'token']: token.reveal(),
        token_type_hint: kind,
        ...authentication.parameters,
      }
      return {
        method: 'POST',
        url,
        ...bodyOf(parameters, rule?.request_format ?? 'form', authentication.headers),
      }
    }
    case 'bearer_get':
      return { method: 'GET', ...bearerCall(client, address, token) }
    case 'bearer_delete':
      return { method: 'DELETE', ...bearerCall(client, address, token) }
    case 'bearer_post': {
      const call = bearerCall(client, address, token)
      if (named === undefined) return { method: 'POST', ...call }
      const body = bodyOf({ [named]: token.reveal() }, rule?.request_format ?? 'form', call.headers)
      return { method: 'POST', url: call.url, ...body }
    }
    case 'basic_delete_json': {
      const headers = { ...client.definition.api_headers, authorization: basic(client, 'raw') }
      return {
        method: 'DELETE',
        url,
        ...bodyOf({ [named ?? 'access_token']: token.reveal() }, 'json', headers),
      }
    }
  }
}

function bearerCall(
  client: ProviderClient,
  address: URL,
  token: Secret,
): { url: string; headers: Readonly<Record<string, string>> } {
  const { headers, query } = apiCredentials(client, token)
  const url = new URL(address.href)
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  return { url: url.href, headers: { accept: 'application/json', ...headers } }
}

function bodyOf(
  parameters: Readonly<Record<string, string>>,
  format: 'form' | 'json',
  headers: Readonly<Record<string, string>>,
): { headers: Record<string, string>; body: string } {
  const isJson = format === 'json'
  const type = isJson ? 'application/json' : 'application/x-www-form-urlencoded'
  return {
    headers: { accept: 'application/json', ...headers, 'content-type': type },
    body: isJson ? JSON.stringify(parameters) : new URLSearchParams(parameters).toString(),
  }
}
