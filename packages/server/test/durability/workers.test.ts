import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { startHostileProvider, type HostileProvider } from '../support/hostile-provider.ts'
import { addProvider, connectorsPath } from '../support/process-flow.ts'
import { deploymentOf, type Deployment, type ServiceProcess } from '../support/service-process.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

let database: TestDatabase
let provider: HostileProvider
let deployment: Deployment
let api: ServiceProcess
let workers: ServiceProcess[]
let slug: string

before(async () => {
  database = await createTestDatabase()
  provider = await startHostileProvider()
  deployment = deploymentOf(database.databaseUrl, { ALLOWED_PRIVATE_HOSTS: provider.host, LOG_LEVEL: 'debug' })
  api = await deployment.start('api')
  const { origin } = provider
  const definition = {
    display_name: 'Slow to revoke',
    authorization_url: `${origin}/auth`,
    token_url: `${origin}/token`,
    revocation_url: `${origin}/revoke`,
    client_id: 'client',
    client_secret: 'secret',
  }
  slug = (await addProvider(api, definition)).slug
})
after(async () => {
  for (const process of [api, ...workers]) await process[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
  await database.drop()
})

/** Imports a connector and disconnects it. */
async function disconnectOne(id: string): Promise<void> {
  const body = { provider_slug: slug, connector_id: id, credential: { access_token: `access-token-of-${id}` } }
  const imported = await api.call('POST', connectorsPath, { body, headers: { 'idempotency-key': id } })
  assert.equal(imported.status, 201, await imported.text())
  assert.equal((await api.call('DELETE', `${connectorsPath}/${id}`)).status, 202)
}

async function within(ms: number, happened: () => boolean | Promise<boolean>): Promise<number> {
  const began = performance.now()
  while (!(await happened())) {
    assert.ok(performance.now() - began < ms, `not within ${ms} ms`)
    await wait(10)
  }
  return performance.now() - began
}

const asked = (token: string) => provider.seenAt('/revoke').filter(({ body }) => body.includes(token)).length

async function endOf(id: string): Promise<string | undefined> {
  const reply = await api.call('GET', `/v1/events?resource_id=${id}&limit=100`)
  const { data } = (await reply.json()) as { data: { event_type: string }[] }
  return data.map((event) => event.event_type).find((type) => type === 'connector.revoked')
}

it('a process of the role api leaves all work to workers', async () => {
  workers = []
  provider.answer('/revoke', { status: 200, text: '' })
  await disconnectOne('conn_waits')
  // Three times as long as anybody who worked would need to look.
  await wait(3_000)
  assert.equal(asked('conn_waits'), 0)
})

it('workers do what had piled up, and answer their probes and nothing else', async () => {
  workers = await Promise.all([deployment.start('worker'), deployment.start('worker'), deployment.start('worker')])
  await within(10_000, async () => (await endOf('conn_waits')) !== undefined)
  assert.equal(asked('conn_waits'), 1)
  for (const worker of workers) {
    assert.equal((await fetch(`${worker.url}/health/live`)).status, 200)
    assert.equal((await worker.call('GET', connectorsPath)).status, 404)
    assert.equal((await fetch(`${worker.url}/openapi.json`)).status, 404)
  }
})

it('a revocation begins well under a second after its cause is committed, in another process', async () => {
  const delays: number[] = []
  for (const id of ['conn_a', 'conn_b', 'conn_c', 'conn_d', 'conn_e']) {
    await disconnectOne(id)
    delays.push(await within(2_000, () => asked(id) === 1))
  }
  delays.sort((a, b) => a - b)
  assert.ok((delays[2] ?? Infinity) < 500, `median ${delays[2]} ms`)
})

it('a worker that is killed in the middle of a job has it taken over by another', async () => {
  let hangs = true
  provider.answer('/revoke', (response) => {
    if (!hangs) response.writeHead(200).end()
  })
  await disconnectOne('conn_orphan')
  await within(5_000, () => asked('conn_orphan') === 1)
  const holders = workers.filter((worker) => isAtWork(worker.output, 'revoke'))
  assert.equal(holders.length, 1, 'one process at a time')
  const [holder] = holders
  hangs = false
  assert.ok(holder)
  await holder.kill('SIGKILL')
  const killed = performance.now()
  // The claim on the row ends a little later than the claim on the job.
  await within(40_000, async () => (await endOf('conn_orphan')) !== undefined)
  assert.ok(performance.now() - killed < 30_000)
  assert.equal(asked('conn_orphan'), 2)
})

it('SIGTERM lets what runs end, starts nothing more, and ends with 0', async () => {
  let release = (): void => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  provider.answer('/revoke', (response) => void released.then(() => response.writeHead(200).end()))
  await disconnectOne('conn_last')
  await within(5_000, () => asked('conn_last') === 1)
  const ends = workers.map((worker) => worker.kill('SIGTERM'))
  await disconnectOne('conn_too_late')
  release()
  const codes = (await Promise.all(ends)).map((end) => end.code)
  assert.deepEqual(codes.filter((code) => code === 0).length, 2, JSON.stringify(codes))
  assert.equal(await endOf('conn_last'), 'connector.revoked')
  assert.equal(asked('conn_too_late'), 0)
})

/** Whether the last that a process said of this work is that it begins. */
function isAtWork(output: string, work: string): boolean {
  const lines = output.split('\n').filter((line) => line.includes(`"work":"${work}"`))
  return lines.at(-1)?.includes('work begins') ?? false
}
