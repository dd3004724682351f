import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { it } from 'node:test'
import pg from 'pg'
import { until } from '../support/connectors.ts'
import { deploymentOf } from '../support/service-process.ts'
import { startStalledReader, writeLargeEvents } from '../support/stalled-reader.ts'
import { createTestDatabase } from '../support/test-database.ts'

it('SIGTERM ends the process although a reader of the stream has stopped reading, and tells the others why', async () => {
  const database = await createTestDatabase()
  try {
    const deployment = deploymentOf(database.databaseUrl)
    await using service = await deployment.start()
    await writeLargeEvents(database.adminUrl, 'acme')
    await until(() => isLinked(database.adminUrl))
    const token = await deployment.token()
    using _stalled = await startStalledReader(service.url, token)
    const reader = await service.call('GET', '/v1/events/stream')
    assert.deepEqual([reader.status, reader.headers.get('connection')], [200, 'close'])
    assert.ok(reader.body)
    const told = text(reader.body)
    const toldAt = Date.now()
    assert.deepEqual(await service.kill('SIGTERM'), { code: 0, signal: null })
    assert.ok(Date.now() - toldAt < 15_000, `${Date.now() - toldAt} ms`)
    assert.ok((await told).endsWith(': shutting down\n\n'), await told)
  } finally {
    await database.drop()
  }
})

async function isLinked(adminUrl: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: adminUrl })
  await client.connect()
  try {
    const { rows } = await client.query<{ unlinked: number }>(
      'select count(*)::int as unlinked from events where position is null',
    )
    return rows[0]?.unlinked === 0
  } finally {
    await client.end()
  }
}
