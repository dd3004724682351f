import type { ProviderDefinition } from '../core/provider-definition.ts'
import type { ProviderClient } from '../core/token.ts'

/** RFC 7591 §2's names. */
export type ClientAuthMethod = NonNullable<ProviderDefinition['client_auth']>

/** What a request carries to say which provider app asks: headers or body parameters, never both. */
export interface ClientAuthentication {
  readonly headers: Readonly<Record<string, string>>
  readonly parameters: Readonly<Record<string, string>>
}

/** The method for a grant; `client_secret_post` where the definition is silent, `none` where there is no secret. */
export function clientAuthMethod(client: ProviderClient, purpose: 'code' | 'refresh' | 'revocation'): ClientAuthMethod {
  if (client.clientSecret === undefined) return 'none'
  const { client_auth, refresh_client_auth } = client.definition
  return (purpose === 'refresh' ? refresh_client_auth : undefined) ?? client_auth ?? 'client_secret_post'
}

/**
 * Authenticates a provider app by exactly one method (RFC 6749 §2.3).
 *
 * With Basic the id and secret are form-urlencoded first (§2.3.1), unless the definition says that the server wants them raw.
 */
export function authenticateClient(client: ProviderClient, method: ClientAuthMethod): ClientAuthentication {
  const { definition, clientId, clientSecret } = client
  const idParameter = definition.client_id_parameter ?? 'client_id'
  if (method === 'none' || clientSecret === undefined) return { headers: {}, parameters: { [idParameter]: clientId } }
  if (method === 'client_secret_post') {
    const secretParameter = definition.client_secret_parameter ?? 'client_secret'
    return { headers: {}, parameters: { [idParameter]: clientId, [secretParameter]: clientSecret.reveal() } }
  }
  return { headers: { authorization: basic(client, definition.basic_encoding ?? 'form') }, parameters: {} }
}

/** An `Authorization: Basic` value (RFC 7617). */
export function basic(client: ProviderClient, encoding: 'form' | 'raw' | 'secret_as_user'): string {
  const secret = client.clientSecret?.reveal() ?? ''
  const pairs = {
    form: () => `${formEncode(client.clientId)}:${formEncode(secret)}`,
    raw: () => `${client.clientId}:${secret}`,
    secret_as_user: () => `${secret}:`,
  }
  return `Basic ${Buffer.from(pairs[encoding](), 'utf8').toString('base64')}`
}

/** application/x-www-form-urlencoded (RFC 6749 Appendix B). */
function formEncode(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}
