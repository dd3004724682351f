import assert from 'node:assert/strict'
import { connectorPath } from './connectors.ts'
import { connectorsPath } from './process-flow.ts'
import type { ServiceProcess } from './service-process.ts'

type Caller = Pick<ServiceProcess, 'call'>

/** A token that no provider minds and every test can look for. */
export const proxiedToken = 'tok_0123456789abcdefghijklmnopqrstuvwxyzABCDEF'

/** Adds a provider whose API is at `baseUrl` and a connector that holds `proxiedToken`; answers the connector's id. */
export async function proxiedConnector(
  service: Caller,
  origin: string,
  more: {
    readonly definition?: Readonly<Record<string, unknown>>
    readonly credential?: Readonly<Record<string, unknown>>
    readonly key?: string
  } = {},
): Promise<string> {
  const added = await service.call('POST', '/v1/admin/connector-providers', {
    body: {
      display_name: 'Behind the proxy',
      authorization_url: `${origin}/auth`,
      token_url: `${origin}/token`,
      api_base_url: `${origin}/api/v1`,
      client_id: 'client-1',
      client_secret: 'secret-1',
      ...more.definition,
    },
  })
  const provider = (await added.json()) as { data: { provider_slug: string } }
  assert.equal(added.status, 201, JSON.stringify(provider))
  const imported = await service.call('POST', connectorsPath, {
    headers: { 'idempotency-key': `${provider.data.provider_slug}${more.key ?? ''}` },
    body: {
      provider_slug: provider.data.provider_slug,
      credential: { access_token: proxiedToken, ...more.credential },
    },
  })
  const connector = (await imported.json()) as { data: { id: string } }
  assert.equal(imported.status, 201, JSON.stringify(connector))
  return connector.data.id
}

/** The proxy's path of a connector; `rest` is what follows `/proxy`. */
export const proxyPath = (id: string, rest: string): string => connectorPath(id, `/proxy${rest}`)
