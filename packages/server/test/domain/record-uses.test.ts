import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DatabaseUnavailable } from '../../src/core/database-unavailable.ts'
import { tenantId, type TenantId } from '../../src/core/ids.ts'
import { noMeter } from '../../src/core/meter.ts'
import { createActivity, type Activity } from '../../src/domain/activity.ts'
import type { Use } from '../../src/domain/use-tallies.ts'
import { linkDue, linkTenant } from '../../src/domain/link-audit.ts'
import { addAuditEntry } from '../../src/store/audit.ts'
import { openDatabase, type Database } from '../../src/store/database.ts'
import { chainOf, unlinked } from '../support/chain.ts'
import { rows } from '../support/connectors.ts'
import { startCuttableProxy, type CuttableProxy } from '../support/cuttable-proxy.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'

let service: TestService
let proxy: CuttableProxy
let database: Database
let activity: Activity
before(async () => {
  service = await startTestService()
  proxy = await startCuttableProxy(service.database.databaseUrl)
  database = openDatabase(proxy.url, { poolSize: 4 })
  activity = createActivity({ database, clock: service.clock, meter: noMeter })
})
after(async () => {
  await database.close()
  await proxy[Symbol.asyncDispose]()
  await service[Symbol.asyncDispose]()
})

const use = (tenant: TenantId, connectorId: string, more: Partial<Use> = {}): Use => ({
  action: 'token.exported',
  tenantId: tenant,
  connectorId,
  place: { space_id: spaceId, collection_id: collectionId },
  actorId: 'ada',
  metadata: {},
  ...more,
})

const start = (tenant: TenantId, id: string) =>
  addAuditEntry(
    service.context.database.tenant(tenant),
    tenant,
    {
      action: 'session.started',
      actorId: 'ada',
      resourceType: 'session',
      resourceId: id,
      place: undefined,
      metadata: {},
    },
    service.clock.now(),
  )

/** With a chain in which nothing waits. */
async function tenantWithChain(name: string): Promise<TenantId> {
  const tenant = tenantId(name)
  await start(tenant, 'ses_first')
  await linkTenant(service.context, tenant)
  return tenant
}

const order = async (tenant: TenantId) => (await chainOf(service, tenant)).map((row) => row.resource_id)

describe('uses', () => {
  it('get their places and hashes as they are written where nothing waits, whatever their words', async () => {
    const [one, other] = [await tenantWithChain('at-once'), await tenantWithChain('at-once-too')]
    const metadata = { path: '/ü/\u{2028}"\\\ud800/\0/{id}', status: 200, method: 'GET' }
    await activity.note(use(one, 'conn_1', { actorId: 'Ünïcode \u{1f511}\ud800', metadata }))
    const place = { space_id: spaceId.toUpperCase(), collection_id: 'ABCDEF00-e89b-12d3-a456-426614174000' }
    await activity.note(use(one, 'conn_2', { place }))
    await activity.note(use(other, 'conn_3', { action: 'connector.proxied' }))
    await activity.flush()
    assert.deepEqual(await order(one), ['ses_first', 'conn_1', 'conn_2'])
    assert.deepEqual(await order(other), ['ses_first', 'conn_3'])
    const events = await rows(
      service,
      `select event.position as event_position, entry.position
       from events event
       join audit_entries entry on entry.tenant_id = event.tenant_id and entry.entry_id = event.event_id
       where event.tenant_id = $1
       order by event.position`,
      [one],
    )
    assert.deepEqual(
      events.map((event) => [event['event_position'], event['position']]),
      [
        ['2', '2'],
        ['3', '3'],
      ],
    )
  })

  it('of exports are counted in their hour, each of those that one record stands for', async () => {
    const tenant = await tenantWithChain('counted')
    for (let count = 0; count < 3; count += 1) await activity.note(use(tenant, 'conn_thrice'))
    await activity.note(use(tenant, 'conn_once'))
    await activity.note(use(tenant, 'conn_once', { action: 'connector.proxied' }))
    await activity.flush()
    const counted = await rows(service, 'select event_type, events from event_counts where tenant_id = $1', [tenant])
    assert.deepEqual(counted, [{ event_type: 'token.exported', events: '4' }])
  })

  it('stand behind what was committed before them and waits', async () => {
    const tenant = await tenantWithChain('behind')
    await start(tenant, 'ses_waits')
    await activity.note(use(tenant, 'conn_behind'))
    await activity.flush()
    assert.equal(await unlinked(service, tenant), 2)
    await linkTenant(service.context, tenant)
    assert.deepEqual(await order(tenant), ['ses_first', 'ses_waits', 'conn_behind'])
  })

  it('of a tenant whose chain another works on wait for nobody, and lose nothing', async () => {
    const tenant = await tenantWithChain('busy')
    const release = Promise.withResolvers<void>()
    const locked = Promise.withResolvers<void>()
    const other = service.context.database.transaction(tenant, async (db) => {
      await db.query({ name: 'test.hold', text: 'select 1 from audit_chains where tenant_id = $1 for update' }, [
        tenant,
      ])
      locked.resolve()
      await release.promise
    })
    await locked.promise
    await activity.note(use(tenant, 'conn_meanwhile'))
    await activity.flush()
    assert.equal(await unlinked(service, tenant), 1)
    release.resolve()
    await other
    await linkTenant(service.context, tenant)
    assert.deepEqual(await order(tenant), ['ses_first', 'conn_meanwhile'])
  })

  it('that may have been written before the database went away are written once, and leave no gap', async () => {
    const tenant = await tenantWithChain('away')
    await activity.note(use(tenant, 'conn_kept'))
    proxy.cut()
    await assert.rejects(activity.flush(), DatabaseUnavailable)
    proxy.mend()
    await activity.note(use(tenant, 'conn_later'))
    await activity.flush()
    await linkTenant(service.context, tenant)
    assert.deepEqual(await order(tenant), ['ses_first', 'conn_kept', 'conn_later'])
  })

  it('make one whole chain with entries that are written and linked at the same time', async () => {
    const tenants = [await tenantWithChain('crowd-1'), await tenantWithChain('crowd-2')]
    const own = Array.from({ length: 3 }, () =>
      createActivity({ database: service.context.database, clock: service.clock, meter: noMeter }),
    )
    const isOver = new AbortController()
    const linking = (async () => {
      while (!isOver.signal.aborted) await linkDue(service.context)
    })()
    const writing = tenants.flatMap((tenant, number) => [
      ...own.map(async (process, index) => {
        for (let count = 0; count < 40; count += 1) {
          await process.note(use(tenant, `conn_${number}_${index}_${count}`))
          await process.flush()
        }
      }),
      (async () => {
        for (let count = 0; count < 40; count += 1) await start(tenant, `ses_${count}`)
      })(),
    ])
    await Promise.all(writing)
    isOver.abort()
    await linking
    for (const tenant of tenants) {
      await linkTenant(service.context, tenant)
      assert.equal(new Set(await order(tenant)).size, 1 + 3 * 40 + 40)
      assert.equal(await unlinked(service, tenant), 0)
    }
  })
})

it('that a connector is in use is written once in ten seconds', async () => {
  const tenant = tenantId('marks')
  await rows(
    service,
    `insert into connectors
       (tenant_id, connector_id, space_id, collection_id, provider_slug, context_id, principal_issuer,
        principal_subject, health, requested_scopes, granted_scopes, created_at, updated_at, tokens_granted_at)
     values ($1, 'conn_1', $2, $3, 'github', 'context', '', 'ada', 'active', '{}', '{}', now(), now(), now())`,
    [tenant, spaceId, collectionId],
  )
  const lastUse = async () => {
    await activity.note(use(tenant, 'conn_1'))
    const at = service.clock.now()
    await activity.flush()
    const [row] = await rows(service, 'select last_used_at from connectors where tenant_id = $1', [tenant])
    return { at, marked: row?.['last_used_at'] as Date }
  }
  const first = await lastUse()
  assert.ok(Math.abs(first.marked.getTime() - first.at.getTime()) < 1_000)
  service.clock.advance(4_000)
  assert.deepEqual((await lastUse()).marked, first.marked)
  service.clock.advance(8_000)
  const later = await lastUse()
  assert.ok(Math.abs(later.marked.getTime() - later.at.getTime()) < 1_000)
})
