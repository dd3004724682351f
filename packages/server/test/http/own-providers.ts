import assert from 'node:assert/strict'
import type { HostileProvider } from '../support/hostile-provider.ts'
import { authorizePath } from '../support/consent.ts'
import { startTestService, type CallOptions, type TestService } from '../support/service.ts'
import { dataOf, type Json } from './calls.ts'

export const adminPath = '/v1/admin/connector-providers'

/** A service that may reach these providers on loopback. */
export function serviceBeside(providers: readonly HostileProvider[]): Promise<TestService> {
  return startTestService({ env: { ALLOWED_PRIVATE_HOSTS: providers.map((provider) => provider.host).join(',') } })
}

/** Adds a provider of the tenant's own whose endpoints are all at one origin, and answers its slug. */
export async function addProvider(
  service: TestService,
  at: Pick<HostileProvider, 'origin'>,
  more: Json = {},
  options: CallOptions = {},
): Promise<string> {
  const body = {
    display_name: 'Its own',
    authorization_url: `${at.origin}/auth`,
    token_url: `${at.origin}/token`,
    client_id: 'client-1',
    client_secret: 'secret-1',
    client_auth: 'client_secret_post',
    ...more,
  }
  const provider = await dataOf(await service.call('POST', adminPath, { ...options, body }), 201)
  return String(provider['provider_slug'])
}

/** Starts with a bearer and answers the callback such a provider would send, without anybody's consent. */
export async function craftedCallback(
  service: TestService,
  slug: string,
  parameters: Readonly<Record<string, string>> = {},
  options: CallOptions & { readonly query?: Readonly<Record<string, string>> } = {},
): Promise<URL> {
  const { query, ...call } = options
  const departure = await service.call('GET', authorizePath(query, slug), call)
  assert.equal(departure.status, 303, await departure.text())
  const sent = new URL(departure.headers.get('location') ?? '').searchParams
  const callback = new URL(sent.get('redirect_uri') ?? '')
  callback.search = new URLSearchParams({ code: 'code-1', state: sent.get('state') ?? '', ...parameters }).toString()
  return callback
}

/** What a well-behaved token endpoint answers. */
export const grant = (more: Json = {}): { readonly json: Json } => ({
  json: { access_token: 'access-1', token_type: 'Bearer', expires_in: 3600, refresh_token: 'refresh-1', ...more },
})
