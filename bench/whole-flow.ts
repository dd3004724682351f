/**
 * How fast is a whole connection? Departure with a bearer, the provider's consent, callback with a bearer, connected:
 * against a minimal flow on Fastify and PostgreSQL, and against `grant`, which stores nothing.
 */
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { FastifyFlowSettings } from './contenders/fastify-flow.ts'
import type { GrantFlowSettings } from './contenders/grant-flow.ts'
import { startServer, type Server } from './measure/child.ts'
import { createBenchDatabase } from './measure/database.ts'
import { contender, startLoad, type FlowLoad } from './measure/load.ts'
import { inRounds } from './measure/rounds.ts'
import { addTenants, providerApp, startService } from './measure/service.ts'
import type { Asking, Comparison } from './question.ts'

const ours = 'connector-oauth'
const minimal = 'Fastify + pg'
const inMemory = 'grant'

export async function wholeFlow(asking: Asking): Promise<Comparison> {
  await using stack = new AsyncDisposableStack()
  const database = await createBenchDatabase(stack)
  await createTables(database.databaseUrl)
  const provider = stack.use(await startServer('contenders/provider.ts'))
  const service = stack.use(
    await startService({
      databaseUrl: database.databaseUrl,
      privateHosts: [new URL(provider.url).host],
      profileTo: asking.profileTo,
    }),
  )
  const tenants = await addTenants(service, provider.url, asking.tenants)
  const app: GrantFlowSettings = {
    provider: provider.url,
    clientId: providerApp.client_id,
    clientSecret: providerApp.client_secret,
  }
  const settings: FastifyFlowSettings = {
    ...app,
    databaseUrl: database.databaseUrl,
    jwtSecret: service.deployment.jwtSecret,
    key: randomBytes(32).toString('base64'),
  }
  const bare = stack.use(await startServer('contenders/fastify-flow.ts', settings))
  const grant = stack.use(await startServer('contenders/grant-flow.ts', app))
  const load = stack.use(startLoad())
  const place = `space_id=${spaceId}&collection_id=${collectionId}`
  const loadOf = (server: Server, pathOf: (slug: string) => string): FlowLoad => ({
    kind: 'flows',
    url: server.url,
    connections: asking.connections,
    departures: tenants.map(({ token, providerSlug }) => ({
      path: pathOf(providerSlug),
      headers: { authorization: `Bearer ${token}` },
    })),
  })
  const results = await inRounds(
    [
      contender(
        { name: ours, server: service, database },
        loadOf(service, (slug) => `/v1/connectors/oauth/${slug}/authorize?${place}`),
        load,
      ),
      contender(
        { name: minimal, server: bare, database },
        loadOf(bare, () => `/authorize?${place}`),
        load,
      ),
      contender(
        { name: inMemory, server: grant, database: undefined },
        loadOf(grant, () => '/connect/standin'),
        load,
      ),
    ],
    asking,
  )
  return {
    title: 'Whole flow',
    unit: 'connections',
    ours,
    goals: { [minimal]: 0.6 },
    results,
    postgresql: database.version,
    skipped: [],
  }
}

const spaceId = '123e4567-e89b-12d3-a456-426614174001'
const collectionId = '123e4567-e89b-12d3-a456-426614174000'

async function createTables(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await client.query(`create table bench_pending (
      state text primary key, verifier text, tenant_id text, subject text, space_id uuid, collection_id uuid,
      created_at timestamptz)`)
    await client.query(`create table bench_connectors (
      tenant_id text, connector_id text, space_id uuid, collection_id uuid, access_token bytea, refresh_token bytea,
      expires_at timestamptz, primary key (tenant_id, connector_id))`)
  } finally {
    await client.end()
  }
}
