import assert from 'node:assert/strict'
import { it } from 'node:test'
import pg from 'pg'
import { deploymentOf, type ServiceProcess } from '../support/service-process.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { startWebhookReceiver } from '../support/webhook-receiver.ts'

const events = 700
const connectors = 20
/** Messages that one process sends to an endpoint at the same time. */
const sentSideBySide = 8

it('of two workers one is killed while it delivers: each event arrives, in order per connector, and only what was under way twice', async () => {
  const database = await createTestDatabase()
  const client = new pg.Client({ connectionString: database.adminUrl })
  await client.connect()
  await using receiver = await startWebhookReceiver()
  try {
    const deployment = deploymentOf(database.databaseUrl, { ALLOWED_PRIVATE_HOSTS: receiver.host })
    await using api = await deployment.start('api')
    const added = await api.call('POST', '/v1/admin/webhooks', { body: { url: receiver.url } })
    assert.equal(added.status, 201, await added.text())
    await writeEvents(client)

    const target: { victim?: ServiceProcess } = {}
    let arrived = 0
    let arrivedAtKill = 0
    const killed = Promise.withResolvers<unknown>()
    receiver.answer(async () => {
      arrived += 1
      const { victim } = target
      if (arrived < 150 || victim === undefined) return 204
      if (arrivedAtKill === 0) {
        arrivedAtKill = arrived
        victim.kill('SIGKILL').then(killed.resolve, killed.reject)
      }
      // Taken, and nobody is left to hear of it.
      await killed.promise
      return 204
    })
    const first = await deployment.start('worker')
    await using _first = first
    await untilSoon(() => arrived > 0, 'the first worker delivers nothing')
    await using _second = await deployment.start('worker')
    target.victim = first
    await killed.promise
    assert.ok(arrivedAtKill < events - sentSideBySide, 'everything was delivered before the second worker was ready')
    // As if the time of the dead worker's claim had passed.
    await client.query('update webhooks set claimed_until = now()')
    const idsTaken = () => receiver.received.map((one) => one.id)
    await untilSoon(() => new Set(idsTaken()).size >= events, 'not every event arrived')

    const { rows } = await client.query<{ event_id: string }>('select event_id from events order by position')
    const expected = rows.map((row) => row.event_id)
    assert.deepEqual([...new Set(idsTaken())].toSorted(), expected.toSorted())
    for (const [resource, own] of Map.groupBy(receiver.received, (one) => one.resourceId)) {
      const order = own.map((one) => expected.indexOf(one.id))
      assert.deepEqual(
        order,
        order.toSorted((a, b) => a - b),
        resource,
      )
    }
    const repeated = idsTaken().filter((id, index, all) => all.indexOf(id) < index)
    assert.ok(repeated.length > 0 && repeated.length <= sentSideBySide, String(repeated.length))
    for (const id of repeated) {
      const seen = receiver.received.flatMap((one, index) => (one.id === id ? [index] : []))
      assert.equal(seen.length, 2, id)
      const [firstSeen = -1] = seen
      assert.ok(firstSeen >= arrivedAtKill - 2 * sentSideBySide && firstSeen < arrivedAtKill + sentSideBySide, id)
    }
  } finally {
    await client.end()
    await database.drop()
  }
})

async function writeEvents(client: pg.Client): Promise<void> {
  await client.query(
    `with event as (
       insert into events (tenant_id, event_id, category, event_type, resource_type, resource_id, metadata, created_at)
       select 'acme', 'evt_' || n, 'connector', 'connector.degraded', 'connector', 'conn_' || n % $2, '{}',
              date_trunc('milliseconds', now())
       from generate_series(1, $1::int) as n
       returning *)
     insert into audit_entries (tenant_id, entry_id, action, resource_type, resource_id, metadata, created_at)
     select tenant_id, event_id, event_type, resource_type, resource_id, metadata, created_at
     from event`,
    [events, connectors],
  )
}

async function untilSoon(happened: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 45_000
  while (!happened()) {
    assert.ok(Date.now() < deadline, what)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
