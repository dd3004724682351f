import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import pg from 'pg'
import { tenantId } from '../../src/core/ids.ts'
import { addUpConnectorCounts } from '../../src/domain/add-up-connector-counts.ts'
import { linkTenant } from '../../src/domain/link-audit.ts'
import { purge } from '../../src/domain/purge.ts'
import { addEvent } from '../../src/store/events.ts'
import { rows } from '../support/connectors.ts'
import { connectAccount } from '../support/consent.ts'
import { addManyRows } from '../support/many-rows.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

const acme = tenantId('acme')
const base = `/v1/spaces/${spaceId}/collections/${collectionId}/connectors`

/** Whatever the counts say and the connectors do not, or the other way round. */
const drift = () =>
  rows(
    service,
    `select tenant_id, provider_slug, status, sum(connectors) as off_by
     from (
       select tenant_id, provider_slug, status, connectors from connector_counts
       union all
       select tenant_id, provider_slug, status, -1 from connectors) as both_ways
     group by tenant_id, provider_slug, status
     having sum(connectors) <> 0`,
  )

const countRows = async (): Promise<number> => {
  const [row] = await rows(service, 'select count(*)::int as count from connector_counts')
  return Number(row?.['count'])
}

it('knows what was connected, paused and disconnected', async () => {
  const ids = [await connectAccount(service), await connectAccount(service), await connectAccount(service)]
  assert.equal((await service.call('PATCH', `${base}/${ids[0]}`, { body: { paused: true } })).status, 200)
  assert.equal((await service.call('DELETE', `${base}/${ids[1]}`)).status, 202)
  const counts = await rows(
    service,
    `select status, sum(connectors)::int as connectors
     from connector_counts
     where tenant_id = 'acme' and provider_slug = 'sandbox'
     group by status
     having sum(connectors) <> 0
     order by status`,
  )
  assert.deepEqual(counts, [
    { status: 'active', connectors: 1 },
    { status: 'disconnected', connectors: 1 },
    { status: 'paused', connectors: 1 },
  ])
})

it('adds up changes while others are being written, and loses none', async () => {
  const client = new pg.Client({ connectionString: service.database.adminUrl })
  await client.connect()
  await addManyRows(client, { tenant: 'large', connectors: 1_000, events: 10 })
  assert.ok((await countRows()) > 1_000)
  const change = async (): Promise<void> => {
    for (let round = 0; round < 20; round += 1) {
      await client.query(
        `update connectors
         set health = (array['active', 'degraded', 'reauth_required'])[1 + ($1 + hashtext(connector_id) & 65535) % 3]
         where tenant_id = 'large' and health <> 'disconnected'`,
        [round],
      )
    }
    await client.query(`delete from connectors where tenant_id = 'large' and health = 'degraded'`)
  }
  const addUp = async (): Promise<void> => {
    for (let round = 0; round < 20; round += 1) await addUpConnectorCounts(service.context)
  }
  await Promise.all([change(), addUp(), addUp()])
  await client.end()
  assert.deepEqual(await drift(), [])
  await addUpConnectorCounts(service.context)
  assert.deepEqual(await drift(), [])
  const [row] = await rows(
    service,
    'select count(*)::int as count from (select from connectors group by tenant_id, provider_slug, status) as kinds',
  )
  assert.ok((await countRows()) <= 2 * Number(row?.['count']), String(await countRows()))
})

it('would see a change that was not counted', async () => {
  const client = new pg.Client({ connectionString: service.database.adminUrl })
  await client.connect()
  await client.query('begin')
  await client.query('alter table connectors disable trigger count_changed')
  await client.query(`update connectors set health = 'degraded' where health = 'active'`)
  await client.query('alter table connectors enable trigger count_changed')
  await client.query('commit')
  assert.notEqual((await drift()).length, 0)
  await client.query(`delete from connectors`)
  await client.query(`delete from connector_counts`)
  await client.end()
})

const add = (eventType: string, at: Date, metadata: Readonly<Record<string, unknown>> = {}) =>
  addEvent(
    service.context.database.tenant(acme),
    acme,
    { eventType, actorId: 'ada', resourceType: 'connector', resourceId: 'conn_1', place: undefined, metadata },
    at,
  )
const hours = (types: readonly string[]) =>
  rows(
    service,
    `select hour, event_type, events::int
     from event_counts
     where tenant_id = 'acme' and event_type = any($1)
     order by hour, event_type`,
    [types],
  )

it('counts an event in its hour once it has a position, and each use of one that stands for several', async () => {
  const hour = new Date(Math.floor(service.clock.now().getTime() / 3_600_000) * 3_600_000)
  const types = ['sync.started', 'token.exported']
  await linkTenant(service.context, acme)
  await add('sync.started', hour)
  await add('sync.started', new Date(hour.getTime() + 3_599_999))
  await add('sync.started', new Date(hour.getTime() - 1))
  await add('token.exported', hour, { count: 40 })
  await add('token.exported', hour, { count: 'many' })
  assert.deepEqual(await hours(types), [])
  await linkTenant(service.context, acme)
  const earlier = new Date(hour.getTime() - 3_600_000)
  const counted = [
    { hour: earlier, event_type: 'sync.started', events: 1 },
    { hour, event_type: 'sync.started', events: 2 },
    { hour, event_type: 'token.exported', events: 41 },
  ]
  assert.deepEqual(await hours(types), counted)
  // Nothing is counted twice, and what comes late still is.
  await linkTenant(service.context, acme)
  assert.deepEqual(await hours(types), counted)
  await add('sync.started', earlier)
  await linkTenant(service.context, acme)
  assert.deepEqual((await hours(types))[0], { hour: earlier, event_type: 'sync.started', events: 2 })
})

it('forgets the counts of hours that no picture shows any more', async () => {
  const dayMs = 86_400_000
  const now = service.clock.now().getTime()
  await add('sync.completed', new Date(now - 33 * dayMs))
  await add('sync.completed', new Date(now - 30 * dayMs))
  await linkTenant(service.context, acme)
  assert.equal((await hours(['sync.completed'])).length, 2)
  await purge(service.context)
  assert.equal((await hours(['sync.completed'])).length, 1)
})
