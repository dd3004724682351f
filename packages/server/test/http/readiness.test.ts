import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createReadiness } from '../../src/readiness.ts'
import { until } from '../support/connectors.ts'
import { connectAccount } from '../support/consent.ts'
import { startTestService } from '../support/service.ts'
import { deploymentOf } from '../support/service-process.ts'
import { createTestDatabase } from '../support/test-database.ts'

describe('readiness', () => {
  it('says no while the database does not answer, within two seconds, and asks it once for all who wait', async () => {
    await using service = await startTestService()
    let pings = 0
    const readiness = createReadiness({
      database: {
        ...service.context.database,
        ping: () => {
          pings += 1
          return new Promise(() => {})
        },
      },
      keyEncryptionKeys: { ids: [] },
      waitsForWork: false,
    })
    assert.equal(await readiness.state(), 'starting')
    readiness.migrated()
    assert.equal(await readiness.state(), 'ready')
    const startedAt = performance.now()
    const states = await Promise.all([1, 2, 3].map(() => readiness.state()))
    assert.deepEqual(states, Array(3).fill('database_unavailable'))
    assert.ok(performance.now() - startedAt < 2000)
    assert.equal(pings, 1)
  })

  it('says no to keys that open nothing of what is stored', async () => {
    await using service = await startTestService()
    await connectAccount(service)
    const { database } = service.context
    const of = (ids: string[]) => createReadiness({ database, keyEncryptionKeys: { ids }, waitsForWork: false })
    const wrong = of(['another'])
    wrong.migrated()
    assert.equal(await wrong.state(), 'keys_unknown')
    const right = of(['another', 'development'])
    right.migrated()
    assert.equal(await right.state(), 'ready')
  })

  it('waits, in a process that only works, until it does', async () => {
    await using service = await startTestService()
    const { database } = service.context
    const readiness = createReadiness({ database, keyEncryptionKeys: { ids: [] }, waitsForWork: true })
    readiness.migrated()
    assert.equal(await readiness.state(), 'starting')
    readiness.working()
    assert.equal(await readiness.state(), 'ready')
  })

  it('ends with SIGTERM, while requests are still answered; liveness stays', async () => {
    const database = await createTestDatabase()
    try {
      const deployment = deploymentOf(database.databaseUrl, { DRAIN_DELAY_SECONDS: '3' })
      await using service = await deployment.start()
      const status = async (path: string) => {
        const reply = await fetch(service.url + path)
        return `${reply.status} ${await reply.text()}`
      }
      assert.equal(await status('/health/ready'), '200 {"status":"ready"}')
      const ended = service.kill('SIGTERM')
      await until(async () => (await status('/health/ready')) === '503 {"status":"draining"}')
      assert.equal(await status('/health/live'), '200 {"status":"live"}')
      assert.equal((await service.call('GET', '/v1/connector-providers')).status, 200)
      assert.deepEqual(await ended, { code: 0, signal: null })
    } finally {
      await database.drop()
    }
  })
})
