import assert from 'node:assert/strict'
import pg from 'pg'
import type { ProviderDefinition } from '../../src/core/provider-definition.ts'
import { startHostileProvider, type HostileProvider, type SeenRequest } from './hostile-provider.ts'
import { collectionId, spaceId, startTestService, type CallOptions, type TestService } from './service.ts'

/** Shops of one provider, each at a host of its own on loopback. */
export interface Shops extends AsyncDisposable {
  readonly provider: HostileProvider
  readonly service: TestService
  readonly port: string
  /** What a shop was asked at a path. */
  askedOf(shop: string, path: string): readonly SeenRequest[]
  /** The hosts that were asked anything, sorted. */
  hostsAsked(): readonly string[]
  /** Leaves a connector as it is that was made before its provider asked for a shop. */
  forgetShopOf(connectorId: string): Promise<void>
}

export const shopSlug = 'shops'
export const shopSecret = 'secret-of-all-shops'

/** An entry whose every address stands at `{shop}.shops.localhost`. */
function shopDefinition(port: string, more: Partial<ProviderDefinition> = {}): ProviderDefinition {
  const base = `http://{shop}.shops.localhost:${port}`
  return {
    slug: shopSlug,
    display_name: 'Shops',
    categories: ['commerce'],
    authorization_url: `${base}/auth`,
    token_url: `${base}/token`,
    userinfo_url: `${base}/me`,
    revocation_url: `${base}/revoke`,
    api_base_url: `${base}/api`,
    account: { from: 'userinfo', id: 'id' },
    revocation: { style: 'rfc7009' },
    url_variables: {
      shop: {
        title: 'Shop',
        description: 'The part before .shops.localhost',
        per: 'connection',
        pattern: '^[a-z0-9][a-z0-9-]{0,30}$',
        example: 'corner',
      },
    },
    default_scopes: ['read'],
    client_auth: 'client_secret_post',
    refreshable: true,
    ...more,
  }
}

/** A service, a provider that hands out tokens named for the shop that is asked, and the app. */
export async function startShops(names: readonly string[], more: Partial<ProviderDefinition> = {}): Promise<Shops> {
  await using started = new AsyncDisposableStack()
  const provider = started.use(await startHostileProvider())
  const port = provider.host.split(':')[1] ?? ''
  const shopOf = (request: SeenRequest) => String(request.headers['host']).split('.')[0] ?? ''
  let issued = 0
  provider.answer('/token', (response, request) => {
    issued += 1
    const tokens = {
      access_token: `access-${shopOf(request)}-${issued}`,
      refresh_token: `refresh-${shopOf(request)}-${issued}`,
    }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ ...tokens, token_type: 'Bearer', expires_in: 3600 }))
  })
  // Two shops that know the same account id: they are two accounts all the same.
  provider.answer('/me', { json: { id: 'account-1' } })
  provider.answer('/revoke', { json: {} })
  provider.answer('/api/orders', (response, request) => response.end(`orders of ${shopOf(request)}`))
  const service = started.use(
    await startTestService({
      env: {
        ALLOWED_PRIVATE_HOSTS: names.map((name) => `${name}.shops.localhost:${port}`).join(','),
        PROVIDER_SHOPS_CLIENT_ID: 'client-1',
        PROVIDER_SHOPS_CLIENT_SECRET: shopSecret,
      },
      definitions: [shopDefinition(port, more)],
    }),
  )
  const askedOf: Shops['askedOf'] = (shop, path) =>
    provider.seenAt(path).filter((request) => request.headers['host'] === `${shop}.shops.localhost:${port}`)
  const hostsAsked = () => [...new Set(provider.seen.map((request) => String(request.headers['host'])))].toSorted()
  const forgetShopOf: Shops['forgetShopOf'] = async (connectorId) => {
    const admin = new pg.Client({ connectionString: service.database.adminUrl })
    await admin.connect()
    try {
      await admin.query("update connectors set url_variables = '{}' where connector_id = $1", [connectorId])
    } finally {
      await admin.end()
    }
  }
  const running = started.move()
  return {
    provider,
    service,
    port,
    askedOf,
    hostsAsked,
    forgetShopOf,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** Asks for a session at a shop. */
export function askSession(
  service: TestService,
  urlVariables: Readonly<Record<string, unknown>> | undefined,
  { body = {}, slug = shopSlug, ...options }: CallOptions & { readonly body?: object; readonly slug?: string } = {},
): Promise<Response> {
  return service.call('POST', `/v1/connectors/oauth/${slug}/sessions`, {
    ...options,
    body: {
      space_id: spaceId,
      collection_id: collectionId,
      ...(urlVariables === undefined ? {} : { url_variables: urlVariables }),
      ...body,
    },
  })
}

/** Goes through a session with the starter's bearer, and answers the callback's reply. */
export async function connectShop(
  service: TestService,
  urlVariables: Readonly<Record<string, unknown>> | undefined,
  body: object = {},
): Promise<Response> {
  const created = await askSession(service, urlVariables, { body })
  assert.equal(created.status, 201, await created.clone().text())
  const { data } = (await created.json()) as { data: { authorize_url: string } }
  const departure = await fetch(data.authorize_url, { redirect: 'manual' })
  assert.equal(departure.status, 303, await departure.text())
  const sent = new URL(departure.headers.get('location') ?? '')
  const state = sent.searchParams.get('state') ?? ''
  return service.call('GET', `/v1/connectors/oauth/${shopSlug}/callback?code=code-1&state=${state}`)
}
