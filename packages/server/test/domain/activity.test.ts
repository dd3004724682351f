import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DatabaseUnavailable } from '../../src/core/database-unavailable.ts'
import { tenantId } from '../../src/core/ids.ts'
import { noMeter } from '../../src/core/meter.ts'
import { createActivity, type Activity } from '../../src/domain/activity.ts'
import type { Use } from '../../src/domain/use-tallies.ts'
import { openDatabase, type Database } from '../../src/store/database.ts'
import { dataOf, connectorsPath, eventsOf } from '../http/calls.ts'
import { readToken, rows, until } from '../support/connectors.ts'
import { connectAccount } from '../support/consent.ts'
import { startCuttableProxy, type CuttableProxy } from '../support/cuttable-proxy.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'

let service: TestService
let proxy: CuttableProxy
let database: Database
let activity: Activity
before(async () => {
  service = await startTestService()
  proxy = await startCuttableProxy(service.database.databaseUrl)
  database = openDatabase(proxy.url, { poolSize: 3 })
  activity = createActivity({ database, clock: service.clock, meter: noMeter })
})
after(async () => {
  await database.close()
  await proxy[Symbol.asyncDispose]()
  await service[Symbol.asyncDispose]()
})

const use = (connectorId: string, more: Partial<Use> = {}): Use => ({
  action: 'connector.proxied',
  tenantId: tenantId('acme'),
  connectorId,
  place: { space_id: spaceId, collection_id: collectionId },
  actorId: 'ada',
  metadata: { method: 'GET', path: '/v1/things', status: 200 },
  ...more,
})

interface Written {
  readonly action: string
  readonly actor_id: string
  readonly metadata: { readonly count: number; readonly first_at: string; readonly last_at: string }
}

async function written(connectorId: string): Promise<readonly Written[]> {
  const found = await rows(
    service,
    'select action, actor_id, metadata from audit_entries where resource_id = $1 order by written',
    [connectorId],
  )
  // The columns are those that were asked for.
  return found as unknown as readonly Written[]
}

describe('uses', () => {
  it('that differ in nothing but their moment become one record with count, first_at and last_at', async () => {
    for (let count = 0; count < 7; count += 1) await activity.note(use('conn_counted'))
    await activity.note(use('conn_counted', { metadata: { method: 'GET', path: '/v1/things', status: 404 } }))
    await activity.note(use('conn_counted', { actorId: 'bob' }))
    await activity.flush()
    const records = await written('conn_counted')
    assert.deepEqual(
      records.map((record) => [record.metadata.count, record.actor_id]),
      [
        [7, 'ada'],
        [1, 'ada'],
        [1, 'bob'],
      ],
    )
    for (const { metadata } of records) assert.ok(metadata.first_at <= metadata.last_at)
  })

  it('more than five seconds apart become records of their own', async () => {
    await activity.note(use('conn_apart'))
    service.clock.advance(5_500)
    await activity.note(use('conn_apart'))
    service.clock.advance(5_500)
    await activity.note(use('conn_apart'))
    await activity.flush()
    assert.equal((await written('conn_apart')).length, 3)
  })

  it('that repeat what was just written are counted for some seconds, and written by themselves then', async () => {
    await activity.note(use('conn_repeated'))
    await until(async () => (await written('conn_repeated')).length === 1)
    for (let count = 0; count < 3; count += 1) await activity.note(use('conn_repeated'))
    // Others are written meanwhile.
    await activity.note(use('conn_meanwhile'))
    await until(async () => (await written('conn_meanwhile')).length === 1)
    assert.equal((await written('conn_repeated')).length, 1)
    await until(async () => (await written('conn_repeated')).length === 2)
    const counts = (await written('conn_repeated')).map(({ metadata }) => metadata.count)
    assert.deepEqual(counts, [1, 3])
  })

  it('are written by themselves a moment later', async () => {
    await activity.note(use('conn_alone'))
    await until(async () => (await written('conn_alone')).length === 1)
  })

  it('of exports are events too, and show when the connector was last used', async () => {
    const id = await connectAccount(service)
    const earlier = service.clock.now()
    for (let count = 0; count < 3; count += 1) assert.equal((await readToken(service, id)).status, 200)
    const events = await eventsOf(service, { resource_id: id, category: 'token' })
    assert.ok(events.every((event) => event.event_type === 'token.exported' && event.actor_id === 'ada'))
    // One record, or more where the moment to write came in between.
    const total = (counts: readonly { readonly metadata: Record<string, unknown> }[]) =>
      counts.reduce((sum, { metadata }) => sum + Number(metadata['count']), 0)
    assert.equal(total(events), 3)
    const exports = (await written(id)).filter((record) => record.action === 'token.exported')
    assert.equal(exports.length, events.length)
    const connector = await dataOf(await service.call('GET', `${connectorsPath}/${id}`))
    assert.ok(new Date(String(connector['last_used_at'])) >= earlier)
  })

  it('with text that the database cannot hold keep nobody else’s from being written', async () => {
    const odd = { method: 'GET', path: '/\0/\ud800' }
    await activity.note(use('conn_odd', { metadata: odd, actorId: 'a\0b' }))
    await activity.note(use('conn_even'))
    await activity.flush()
    assert.equal((await written('conn_odd')).length, 1)
    assert.equal((await written('conn_even')).length, 1)
  })
})

it('a record that the database refuses keeps no other from being written', async () => {
  await activity.note(use('conn_refused', { place: { space_id: 'no uuid', collection_id: collectionId } }))
  await activity.note(use('conn_taken'))
  await activity.flush()
  assert.equal((await written('conn_taken')).length, 1)
  assert.equal((await written('conn_refused')).length, 0)
})

describe('while the database is away', () => {
  it('uses are kept and written once it is back, each once', async () => {
    await activity.note(use('conn_kept'))
    proxy.cut()
    await assert.rejects(activity.flush(), DatabaseUnavailable)
    await activity.note(use('conn_kept'))
    await assert.rejects(activity.flush(), DatabaseUnavailable)
    proxy.mend()
    await activity.flush()
    await activity.flush()
    const counts = (await written('conn_kept')).map((record) => record.metadata.count)
    assert.deepEqual(counts, [1, 1])
  })

  it('uses that are written late are dated then, in the order of positions, and tell when they were', async () => {
    await activity.note(use('conn_late', { action: 'token.exported' }))
    proxy.cut()
    await assert.rejects(activity.flush(), DatabaseUnavailable)
    const cutAt = service.clock.now()
    service.clock.advance(600_000)
    // Another process is not cut off.
    const meanwhile = await connectAccount(service)
    proxy.mend()
    await activity.flush()
    const from = new Date(cutAt.getTime() + 540_000).toISOString()
    const listed = await eventsOf(service, { from_date: from })
    const late = listed.find((event) => event.resource_id === 'conn_late')
    assert.ok(late && Date.parse(String(late.metadata['last_at'])) <= cutAt.getTime())
    assert.ok(listed.some((event) => event.resource_id === meanwhile))
  })

  it('a use is refused rather than left unrecorded when too many wait, and known ones are still counted', async () => {
    proxy.cut()
    const noted: string[] = []
    const noteMany = async () => {
      for (let count = 0; count < 6_000; count += 1) {
        await activity.note(use(`conn_full_${count}`))
        noted.push(`conn_full_${count}`)
      }
    }
    await assert.rejects(noteMany(), DatabaseUnavailable)
    assert.equal(noted.length, 5_000)
    proxy.mend()
    await activity.flush()
    const [row] = await rows(
      service,
      `select count(distinct resource_id)::int as count from audit_entries where resource_id like 'conn_full_%'`,
    )
    assert.equal(row?.['count'], 5_000)
  })
})

it('what waits is written when the process ends', async () => {
  const own = createActivity({ database, clock: service.clock, meter: noMeter })
  await own.note(use('conn_ending'))
  await own.close()
  assert.equal((await written('conn_ending')).length, 1)
})
