import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { startCuttableProxy, type CuttableProxy } from '../support/cuttable-proxy.ts'
import { startInstantProvider, type InstantProvider } from '../support/instant-provider.ts'
import {
  accessTokenOf,
  addProvider,
  connectedId,
  connectorsPath,
  depart,
  readToken,
  returnWithBearer,
} from '../support/process-flow.ts'
import { deploymentOf, type ServiceProcess } from '../support/service-process.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

let database: TestDatabase
let proxy: CuttableProxy
let provider: InstantProvider
let service: ServiceProcess
let slug: string

before(async () => {
  database = await createTestDatabase()
  proxy = await startCuttableProxy(database.databaseUrl)
  provider = await startInstantProvider()
  service = await deploymentOf(proxy.url, { ALLOWED_PRIVATE_HOSTS: provider.server.host }).start()
  slug = (await addProvider(service, provider.definition)).slug
})
after(async () => {
  await service[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
  await proxy[Symbol.asyncDispose]()
  await database.drop()
})

it('answers 503 while the database is away, goes on living, and serves again once it is back', async () => {
  const running = Array.from({ length: 40 }, () => service.call('GET', connectorsPath))
  // In the midst of them.
  await running[0]
  proxy.cut()
  for (const reply of await Promise.all(running)) assert.ok([200, 503].includes(reply.status), String(reply.status))
  for (let round = 0; round < 5; round += 1) {
    const reply = await service.call('GET', connectorsPath)
    assert.equal(reply.status, 503)
    assert.ok(Number(reply.headers.get('retry-after')) > 0)
    assert.equal(((await reply.json()) as { code: string }).code, 'database_unavailable')
  }
  assert.equal((await fetch(`${service.url}/health/ready`)).status, 503)
  assert.equal((await fetch(`${service.url}/health/live`)).status, 200)
  proxy.mend()
  assert.equal((await fetch(`${service.url}/health/ready`)).status, 200)
  assert.equal((await service.call('GET', connectorsPath)).status, 200)
})

it('stores a refresh whose reply came while the database was away', async () => {
  provider.behave({ lifetimeSeconds: 5 })
  const id = await connectedId(await returnWithBearer(service, provider.consent(await depart(service, slug))))
  assert.ok(id)
  provider.behave({ lifetimeSeconds: 3600, replyAfterMs: 300 })
  const asked = provider.nextTokenRequest()
  const reading = readToken(service, id)
  await asked
  proxy.cut()
  // Longer than the reply takes: the first attempts to store it fail.
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  proxy.mend()
  assert.ok(provider.knows(await accessTokenOf(await reading)))
  assert.ok(provider.knows(await accessTokenOf(await readToken(service, id))))
  assert.equal(provider.refreshes, 1)
  assert.equal(provider.reuses, 0)
})

it('gives back a grant that it cannot store, and leaves no half of a connector', async () => {
  provider.behave({ lifetimeSeconds: 3600, replyAfterMs: 300 })
  const callback = provider.consent(await depart(service, slug))
  const asked = provider.nextTokenRequest()
  const answer = returnWithBearer(service, callback)
  await asked
  proxy.cut()
  const reply = await answer
  proxy.mend()
  assert.equal(reply.status, 503)
  assert.equal(provider.server.seenAt('/revoke').length, 2)
  assert.equal((await returnWithBearer(service, callback)).status, 400)
})
