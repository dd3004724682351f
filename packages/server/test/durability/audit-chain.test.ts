import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import pg from 'pg'
import { emptyExport, endExport, readExportLine } from '../../src/core/verify-export.ts'
import { startInstantProvider, type InstantProvider } from '../support/instant-provider.ts'
import { accessTokenOf, addProvider, connectorsPath, readToken } from '../support/process-flow.ts'
import { deploymentOf, type Deployment, type ServiceProcess } from '../support/service-process.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

let database: TestDatabase
let provider: InstantProvider
let deployment: Deployment
let services: readonly ServiceProcess[]
let slug: string

before(async () => {
  database = await createTestDatabase()
  provider = await startInstantProvider()
  deployment = deploymentOf(database.databaseUrl, { ALLOWED_PRIVATE_HOSTS: provider.server.host })
  services = await Promise.all([1, 2, 3].map(() => deployment.start()))
  slug = (await addProvider(first(), provider.definition)).slug
})
after(async () => {
  for (const service of services) await service[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
  await database.drop()
})

const first = (): ServiceProcess => {
  const [service] = services
  assert.ok(service)
  return service
}

async function rows<Row extends object>(text: string): Promise<readonly Row[]> {
  const client = new pg.Client({ connectionString: database.adminUrl })
  await client.connect()
  try {
    return (await client.query<Row>(text)).rows
  } finally {
    await client.end()
  }
}

const perProcess = 25
const readsEach = 4

/** Imports connectors and reads the token of each; answers those of which everything was acknowledged. */
async function work(service: ServiceProcess, name: string): Promise<readonly string[]> {
  const done: string[] = []
  await Promise.all(
    Array.from({ length: perProcess }, async (_, index) => {
      const id = `conn_${name}_${index}`
      const body = { provider_slug: slug, connector_id: id, credential: { access_token: `of-${id}` } }
      const imported = await service.call('POST', connectorsPath, { headers: { 'idempotency-key': id }, body })
      if (imported.status !== 201) return
      for (let read = 0; read < readsEach; read += 1) await accessTokenOf(await readToken(service, id))
      done.push(id)
    }),
  ).catch((error: unknown) => {
    // Cut off by the kill; an answer that is wrong is no such error.
    if (!(error instanceof TypeError)) throw error
  })
  return done
}

it('processes that write and link at once, one killed in the midst, leave one whole chain with all that was acknowledged', async () => {
  const [one, two, killed] = services
  assert.ok(one && two && killed)
  const victim = work(killed, 'killed')
  const survivors = Promise.all([work(one, 'one'), work(two, 'two')])
  await killed.kill('SIGKILL')
  await killed.restart()
  const [acknowledged] = await Promise.all([survivors, victim, work(killed, 'again')])
  const all = acknowledged.flat()
  assert.equal(all.length, 2 * perProcess)
  // An end in good order writes what waits.
  for (const service of services) assert.deepEqual(await service.kill('SIGTERM'), { code: 0, signal: null })
  const exported = await rows<{ resource_id: string; reads: number }>(
    `select resource_id, sum((metadata->>'count')::integer)::integer as reads
     from audit_entries
     where action = 'token.exported'
     group by resource_id`,
  )
  const reads = new Map(exported.map((row) => [row.resource_id, row.reads]))
  for (const id of all) assert.equal(reads.get(id), readsEach, id)
  const connectors = await rows<{ n: number }>('select count(*)::int as n from connectors')
  const imports = await rows<{ n: number }>(
    `select count(*)::int as n from audit_entries where action = 'connector.connected'`,
  )
  assert.deepEqual(imports, connectors)

  await first().restart()
  const reply = await first().call('GET', '/v1/admin/audit/export')
  const lines = (await reply.text()).trimEnd().split('\n')
  const state = endExport(lines.reduce((seen, line) => readExportLine(seen, line, undefined), emptyExport))
  assert.equal(state.kind, 'complete', JSON.stringify(state))
  const [written] = await rows<{ n: number }>('select count(*)::int as n from audit_entries')
  assert.equal(state.kind === 'complete' && state.chain.entries, written?.n)
  const verdict = JSON.parse(await deployment.command('audit', 'verify', '--tenant', 'acme')) as Record<string, unknown>
  assert.deepEqual([verdict['verified'], verdict['entries'], verdict['not_linked_yet']], [true, written?.n, 0])
})

it('a use is written a fifth of a second after it, so that a kill loses no more', async () => {
  const service = first()
  await accessTokenOf(await readToken(service, 'conn_one_0'))
  const count = async () => {
    const [row] = await rows<{ n: number }>(
      `select sum((metadata->>'count')::integer)::integer as n from audit_entries
       where action = 'token.exported' and resource_id = 'conn_one_0'`,
    )
    return row?.n
  }
  const deadline = Date.now() + 5_000
  while ((await count()) !== readsEach + 1) assert.ok(Date.now() < deadline, 'it was not written by itself')
  await service.kill('SIGKILL')
  assert.equal(await count(), readsEach + 1)
})

it('what was used a moment before SIGTERM is written', async () => {
  const service = first()
  await service.restart()
  for (let read = 0; read < 5; read += 1) await accessTokenOf(await readToken(service, 'conn_two_0'))
  assert.deepEqual(await service.kill('SIGTERM'), { code: 0, signal: null })
  const [row] = await rows<{ n: number }>(
    `select sum((metadata->>'count')::integer)::integer as n from audit_entries
     where action = 'token.exported' and resource_id = 'conn_two_0'`,
  )
  assert.equal(row?.n, readsEach + 5)
})
