import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { startHostileProvider, type HostileProvider } from '../support/hostile-provider.ts'
import { addProvider, connectorsPath } from '../support/process-flow.ts'
import { deploymentOf, type ServiceProcess } from '../support/service-process.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

const connectors = 160

let database: TestDatabase
let provider: HostileProvider
let services: ServiceProcess[]
let api: ServiceProcess
before(async () => {
  database = await createTestDatabase()
  provider = await startHostileProvider()
  const deployment = deploymentOf(database.databaseUrl, { ALLOWED_PRIVATE_HOSTS: provider.host })
  services = await Promise.all([deployment.start('api'), deployment.start('worker'), deployment.start('worker')])
  const [first] = services
  assert.ok(first)
  api = first
})
after(async () => {
  for (const service of services) await service[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
  await database.drop()
})

it('an order is worked off to the last connector, each once, although workers are killed in the middle of it', async () => {
  const { origin } = provider
  const { slug } = await addProvider(api, {
    display_name: 'Its own',
    authorization_url: `${origin}/auth`,
    token_url: `${origin}/token`,
    revocation_url: `${origin}/revoke`,
    client_id: 'client',
    client_secret: 'secret',
  })
  provider.answer('/revoke', { status: 200, text: '' })
  for (let begin = 0; begin < connectors; begin += 20) {
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const id = `conn_${begin + index}`
        const body = { provider_slug: slug, connector_id: id, credential: { access_token: `token-of-${id}` } }
        const reply = await api.call('POST', connectorsPath, { body, headers: { 'idempotency-key': id } })
        assert.equal(reply.status, 201, await reply.text())
      }),
    )
  }
  const ordered = await api.call('POST', '/v1/admin/revocations', { body: { provider_slug: slug } })
  assert.equal(ordered.status, 202)
  const { id } = ((await ordered.json()) as { data: { id: string } }).data

  // Both workers at a moment of their own while connectors are being disconnected, and each lives again.
  const [, ...workers] = services
  for (const [index, worker] of workers.entries()) {
    const enough = (connectors / 4) * (index + 1)
    await until(60_000, async () => ((await countsOf(id))['disconnected'] ?? 0) >= enough)
    await worker.kill('SIGKILL')
    await worker.restart()
  }
  await until(120_000, async () => (await statusOf(id)) === 'completed')
  const counts = await countsOf(id)
  assert.deepEqual([counts['matched'], counts['disconnected'], counts['revoked']], [connectors, connectors, connectors])

  const [row] = await query(
    `select count(*)::int as revocations, count(distinct connector_id)::int as connectors,
            (select count(*)::int from connectors where health <> 'disconnected') as alive,
            (select count(*)::int from events where event_type = 'connector.revoked') as events
     from revocations`,
  )
  assert.deepEqual(row, { revocations: connectors, connectors, alive: 0, events: connectors })
})

async function order(id: string): Promise<{ status: string; counts: Readonly<Record<string, number>> }> {
  const reply = await api.call('GET', `/v1/admin/revocations/${id}?limit=1`)
  assert.equal(reply.status, 200)
  return ((await reply.json()) as { data: { status: string; counts: Record<string, number> } }).data
}
const statusOf = async (id: string) => (await order(id)).status
const countsOf = async (id: string) => (await order(id)).counts

async function until(withinMs: number, happened: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!(await happened())) {
    assert.ok(Date.now() < deadline, 'it did not happen')
    await wait(20)
  }
}

async function query(text: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: database.adminUrl })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}
