/**
 * How fast is a token read? `POST …/connectors/{connector_id}/token` of the real service, with tokens that need no
 * refresh, against Fastify with one prepared select, the same JWT check and the same unseal; and against itself without its record
 * of uses.
 */
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { FastifySelectSettings } from './contenders/fastify-select.ts'
import { seal } from './contenders/seal.ts'
import { startServer, type Server } from './measure/child.ts'
import { createBenchDatabase } from './measure/database.ts'
import { contender, startLoad } from './measure/load.ts'
import { inRounds } from './measure/rounds.ts'
import { addConnectors, addTenants, startService, type BenchConnector } from './measure/service.ts'
import type { Asking, Comparison } from './question.ts'

const ours = 'connector-oauth'
const bare = 'Fastify + select'
const pipelined = 'Fastify + select, one connection'
const unrecorded = 'connector-oauth without record'

export async function tokenRead(asking: Asking): Promise<Comparison> {
  await using stack = new AsyncDisposableStack()
  const database = await createBenchDatabase(stack)
  const provider = stack.use(await startServer('contenders/provider.ts'))
  const serviceOptions = { databaseUrl: database.databaseUrl, privateHosts: [new URL(provider.url).host] }
  const service = stack.use(await startService({ ...serviceOptions, profileTo: asking.profileTo }))
  const { deployment } = service
  const tenants = await addTenants(service, provider.url, asking.tenants)
  const connectors = await addConnectors(service, tenants, asking.connectorsEach)
  const key = randomBytes(32)
  await copyTokens(database.databaseUrl, connectors, key)
  const settings: Omit<FastifySelectSettings, 'connections'> = {
    databaseUrl: database.databaseUrl,
    jwtSecret: deployment.jwtSecret,
    key: key.toString('base64'),
  }
  const select = stack.use(await startServer('contenders/fastify-select.ts', { ...settings, connections: 'pool' }))
  const onOne = stack.use(await startServer('contenders/fastify-select.ts', { ...settings, connections: 'one' }))
  const silent = stack.use(
    await startService({ ...serviceOptions, deployment, script: 'contenders/unrecorded-service.ts' }),
  )
  await agree([service, silent, select, onOne], connectors)
  const load = stack.use(startLoad())
  const requests = connectors.map(({ path, tenant }) => ({
    method: 'POST' as const,
    path: `${path}/token`,
    headers: { authorization: `Bearer ${tenant.token}` },
  }))
  const loadOf = ({ url }: Server) => ({ kind: 'requests' as const, url, connections: asking.connections, requests })
  const results = await inRounds(
    [
      contender({ name: ours, server: service, database }, loadOf(service), load),
      contender({ name: bare, server: select, database }, loadOf(select), load),
      contender({ name: pipelined, server: onOne, database }, loadOf(onOne), load),
      contender({ name: unrecorded, server: silent, database }, loadOf(silent), load),
    ],
    asking,
  )
  return {
    title: 'Token read',
    unit: 'reads',
    ours,
    goals: { [bare]: 0.75, [unrecorded]: 0.9 },
    results,
    postgresql: database.version,
    skipped: [],
  }
}

/** The same tokens in a table of the bare server's own. */
async function copyTokens(databaseUrl: string, connectors: readonly BenchConnector[], key: Buffer): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await client.query(`create table bench_tokens (
      tenant_id text, connector_id text, space_id uuid, collection_id uuid, access_token bytea, token_type text,
      expires_at timestamptz, scopes text[], primary key (tenant_id, connector_id))`)
    for (const { tenant, connectorId, spaceId, collectionId, accessToken } of connectors) {
      const sealed = seal(key, accessToken, `${tenant.name}/${connectorId}`)
      const expiresAt = new Date(Date.now() + 24 * 60 * 60_000)
      const values = [tenant.name, connectorId, spaceId, collectionId, sealed, 'Bearer', expiresAt, ['read']]
      await client.query(`insert into bench_tokens values ($1, $2, $3, $4, $5, $6, $7, $8)`, values)
    }
    await client.query('analyze')
  } finally {
    await client.end()
  }
}

/** All must hand out the very token that was stored; a fast wrong answer is none. */
async function agree(servers: readonly Server[], connectors: readonly BenchConnector[]): Promise<void> {
  for (const { path, tenant, accessToken } of connectors.slice(0, 20)) {
    for (const { url } of servers) {
      const reply = await fetch(`${url}${path}/token`, {
        method: 'POST',
        headers: { authorization: `Bearer ${tenant.token}` },
      })
      const body = (await reply.json()) as { data?: { access_token: string } }
      if (body.data?.access_token !== accessToken) throw new Error(`${url} answered ${reply.status} or another token`)
    }
  }
}
