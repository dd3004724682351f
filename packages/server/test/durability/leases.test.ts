import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { startHostileProvider, type HostileProvider } from '../support/hostile-provider.ts'
import { connectorPath } from '../support/connectors.ts'
import { proxiedConnector, proxyPath } from '../support/proxied.ts'
import { deploymentOf, type ServiceProcess } from '../support/service-process.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

let database: TestDatabase
let provider: HostileProvider
let processes: readonly ServiceProcess[]
before(async () => {
  database = await createTestDatabase()
  provider = await startHostileProvider()
  const deployment = deploymentOf(database.databaseUrl, { ALLOWED_PRIVATE_HOSTS: provider.host })
  processes = await Promise.all([1, 2].map(() => deployment.start()))
})
after(async () => {
  for (const process of processes) await process[Symbol.asyncDispose]()
  await provider.close()
  await database.drop()
})

function nth(index: number): ServiceProcess {
  const process = processes[index % processes.length]
  assert.ok(process)
  return process
}

async function lend(id: string, body: object): Promise<{ readonly id: string; readonly lease: string }> {
  const reply = await nth(0).call('POST', connectorPath(id, '/leases'), { body })
  assert.equal(reply.status, 201)
  return ((await reply.json()) as { data: { id: string; lease: string } }).data
}

it('of fifty calls at once over two processes exactly as many reach the provider as the lease holds', async () => {
  const id = await proxiedConnector(nth(0), provider.origin)
  provider.answer('/api/v1/items', (response) => void setTimeout(() => response.end('ok'), 20))
  const { lease } = await lend(id, { methods: ['GET'], paths: ['/items'], max_calls: 13, ttl_seconds: 600 })
  const replies = await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      const reply = await nth(index).call('GET', proxyPath(id, '/items'), { token: lease })
      await reply.arrayBuffer()
      return reply
    }),
  )
  assert.equal(provider.seen.filter((request) => request.path === '/api/v1/items').length, 13)
  assert.equal(replies.filter((reply) => reply.status === 200).length, 13)
  for (const reply of replies.filter((other) => other.status !== 200)) {
    assert.equal(reply.status, 403)
    assert.equal(reply.headers.get('x-connector-error'), 'lease_exhausted')
  }
})

it('once a lease is revoked by one process, no call with it gets through another', async () => {
  const id = await proxiedConnector(nth(0), provider.origin, { key: 'revoked' })
  provider.answer('/api/v1/other', { json: {} })
  const made = await lend(id, { methods: ['GET'], paths: ['/other'], ttl_seconds: 600 })
  const use = async () => (await nth(1).call('GET', proxyPath(id, '/other'), { token: made.lease })).status
  assert.equal(await use(), 200)
  assert.equal((await nth(0).call('DELETE', connectorPath(id, `/leases/${made.id}`))).status, 204)
  const seen = provider.seen.length
  assert.equal(await use(), 401)
  assert.equal(provider.seen.length, seen)
})
