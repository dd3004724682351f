import type { ProviderClient, TokenGrant } from '../core/token.ts'
import { apiCredentials } from './api-call.ts'
import { EgressError, type Egress, type EgressRequest } from './egress.ts'
import { fillClientId, fillLater } from './endpoints.ts'
import { jsonObject } from './json-path.ts'

/** The document at the definition's userinfo address (OIDC Core §5.3, or the provider's own "me"); `undefined` when it cannot be had. */
export async function fetchUserinfo(
  egress: Egress,
  client: ProviderClient,
  grant: TokenGrant,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const request = userinfoRequest(client, grant)
  if (request === undefined) return undefined
  try {
    const reply = await egress.request(request)
    return reply.status === 200 ? documentIn(reply.body) : undefined
  } catch (error) {
    if (error instanceof EgressError) return undefined
    throw error
  }
}

function userinfoRequest(client: ProviderClient, grant: TokenGrant): EgressRequest | undefined {
  const { account } = client.definition
  const given = client.endpoints.userinfoUrl
  const filled = given === undefined ? undefined : fillLater(given, grant.kept, client.definition)
  if (filled === undefined) return undefined
  // HubSpot names the token in the path and wants no header then; only reviewed definitions hold this name.
  const isTokenInUrl = filled.includes('{access_token}')
  const credentials = apiCredentials(client, grant.accessToken)
  const url = URL.parse(
    fillClientId(filled, client.clientId).replaceAll('{access_token}', () =>
      encodeURIComponent(grant.accessToken.reveal()),
    ),
  )
  if (url === null) return undefined
  if (!isTokenInUrl) for (const [name, value] of Object.entries(credentials.query)) url.searchParams.set(name, value)
  const { authorization: _named, ...withoutToken } = credentials.headers
  const headers = { accept: 'application/json', ...(isTokenInUrl ? withoutToken : credentials.headers) }
  if (account?.method !== 'POST') return { method: 'GET', url: url.href, headers }
  const body = account.body ?? ''
  const type = /^\s*[{[]/.test(body) ? 'application/json' : 'application/x-www-form-urlencoded'
  return { method: 'POST', url: url.href, headers: { ...headers, 'content-type': type }, body }
}

/** Some "me" calls answer with a list; it is then read by element number. */
function documentIn(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  const object = jsonObject(body)
  if (object !== undefined) return object
  try {
    const list: unknown = JSON.parse(body.toString('utf8'))
    if (!Array.isArray(list)) return undefined
    const items: readonly unknown[] = list
    return Object.fromEntries(items.entries())
  } catch {
    return undefined
  }
}
