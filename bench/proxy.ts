/**
 * How fast is the proxy? A GET through `…/connectors/{connector_id}/proxy/{path}` against a bare proxy (Fastify, the same
 * JWT check, undici's `Pool.stream`, the token from memory) and against nginx with a fixed token, for a small and a
 * larger reply.
 */
import type { BareProxySettings } from './contenders/bare-proxy.ts'
import { startNginx } from './contenders/nginx.ts'
import { startServer, type Server } from './measure/child.ts'
import { createBenchDatabase } from './measure/database.ts'
import { contender, startLoad, type RequestLoad } from './measure/load.ts'
import { inRounds } from './measure/rounds.ts'
import { addConnectors, addTenants, startService, type BenchConnector } from './measure/service.ts'
import type { Asking, Comparison } from './question.ts'

const ours = 'connector-oauth'
const bare = 'Fastify + undici'
const nginx = 'nginx proxy_pass'

export const proxySmall = (asking: Asking): Promise<Comparison> => proxy(asking, 'small', 'Proxy, replies of 1 KiB')
export const proxyLarge = (asking: Asking): Promise<Comparison> => proxy(asking, 'large', 'Proxy, replies of 64 KiB')

async function proxy(asking: Asking, reply: 'small' | 'large', title: string): Promise<Comparison> {
  await using stack = new AsyncDisposableStack()
  const database = await createBenchDatabase(stack)
  const provider = stack.use(await startServer('contenders/provider.ts'))
  const service = stack.use(
    await startService({
      databaseUrl: database.databaseUrl,
      privateHosts: [new URL(provider.url).host],
      profileTo: asking.profileTo,
    }),
  )
  const tenants = await addTenants(service, provider.url, asking.tenants)
  const connectors = await addConnectors(service, tenants, asking.connectorsEach)
  const settings: BareProxySettings = {
    upstream: provider.url,
    jwtSecret: service.deployment.jwtSecret,
    tokens: Object.fromEntries(
      connectors.map(({ tenant, connectorId, accessToken }) => [`${tenant.name}/${connectorId}`, accessToken]),
    ),
  }
  const bareProxy = stack.use(await startServer('contenders/bare-proxy.ts', settings))
  const nginxServer = await startNginx(stack, provider.url, connectors[0]?.accessToken ?? '')
  const load = stack.use(startLoad())
  const loadOf = (server: Server, pathOf: (connector: BenchConnector) => string): RequestLoad => ({
    kind: 'requests',
    url: server.url,
    connections: asking.connections,
    requests: connectors.map((connector) => ({
      method: 'GET',
      path: pathOf(connector),
      headers: { authorization: `Bearer ${connector.tenant.token}` },
    })),
  })
  const throughConnector = ({ path }: BenchConnector): string => `${path}/proxy/${reply}`
  const contenders = [
    contender({ name: ours, server: service, database }, loadOf(service, throughConnector), load),
    contender({ name: bare, server: bareProxy, database: undefined }, loadOf(bareProxy, throughConnector), load),
  ]
  if (nginxServer !== undefined) {
    const subject = { name: nginx, server: nginxServer, database: undefined }
    contenders.push(
      contender(
        subject,
        loadOf(nginxServer, () => `/api/${reply}`),
        load,
      ),
    )
  }
  return {
    title,
    unit: 'calls',
    ours,
    goals: { [bare]: 0.75 },
    results: await inRounds(contenders, asking),
    postgresql: database.version,
    skipped: nginxServer === undefined ? ['nginx is not installed (Debian: apt-get install nginx-light)'] : [],
  }
}
