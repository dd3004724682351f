import assert from 'node:assert/strict'
import { it } from 'node:test'
import pg from 'pg'
import { connectorsPath } from '../support/process-flow.ts'
import { deploymentOf } from '../support/service-process.ts'
import { createTestDatabase } from '../support/test-database.ts'

it('goes on serving when the database fails it between the migrations and the greeting', async (test) => {
  const database = await createTestDatabase()
  test.after(() => database.drop())
  const admin = new pg.Client({ connectionString: database.adminUrl })
  await admin.connect()
  // The greeting stores a sign-in link.
  await admin.query('alter table login_links rename to login_links_away')
  await admin.end()
  await using service = await deploymentOf(database.databaseUrl, { NODE_ENV: 'development' }).start()
  // It is ready before it greets.
  for (let looks = 0; !service.output.includes('could not be told'); looks += 1) {
    assert.ok(looks < 2_000, service.output)
    await service.call('GET', '/health/live')
  }
  assert.equal((await service.call('GET', connectorsPath)).status, 200)
  assert.deepEqual(await service.kill('SIGTERM'), { code: 0, signal: null })
})
