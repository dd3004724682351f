import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { tenantId, type TenantId } from '../../src/core/ids.ts'
import { linkDue, linkTenant } from '../../src/domain/link-audit.ts'
import { addAuditEntry } from '../../src/store/audit.ts'
import { openDatabase, type Database, type Db } from '../../src/store/database.ts'
import { addEvent } from '../../src/store/events.ts'
import * as chain from '../support/chain.ts'
import { rows } from '../support/connectors.ts'
import { connectAccount } from '../support/consent.ts'
import { startTestService, type TestService } from '../support/service.ts'

let service: TestService
/** Pools of their own, as other processes have. */
const others: Database[] = []
before(async () => {
  service = await startTestService()
  for (let made = 0; made < 3; made += 1) others.push(openDatabase(service.database.databaseUrl, { poolSize: 4 }))
})
after(async () => {
  await Promise.all(others.map((database) => database.close()))
  await service[Symbol.asyncDispose]()
})

const entry = (resourceId: string, metadata: Record<string, unknown> = {}) =>
  ({
    action: 'session.started',
    actorId: 'ada',
    resourceType: 'session',
    resourceId,
    place: undefined,
    metadata,
  }) as const

const add = (db: Db, tenant: TenantId, id: string) => addAuditEntry(db, tenant, entry(id), service.clock.now())

const chainOf = (tenant: TenantId) => chain.chainOf(service, tenant)
const unlinked = (tenant: TenantId) => chain.unlinked(service, tenant)

it('links what real flows wrote, and gives events their entries’ positions', async () => {
  const id = await connectAccount(service)
  const tenant = tenantId('acme')
  assert.ok((await linkTenant(service.context, tenant)) > 0)
  const linked = await chainOf(tenant)
  assert.ok(linked.some((row) => row.resource_id === id && row.action === 'connector.connected'))
  const events = await rows(
    service,
    `select event.position as event_position, entry.position
     from events event
     left join audit_entries entry on entry.tenant_id = event.tenant_id and entry.entry_id = event.event_id`,
  )
  assert.ok(events.length > 0)
  for (const event of events) {
    assert.ok(event['position'])
    assert.equal(event['event_position'], event['position'])
  }
  assert.equal(await linkTenant(service.context, tenant), 0)
})

it('makes one chain without a gap while many link and write at once', async () => {
  const tenants = [tenantId('busy-one'), tenantId('busy-two')]
  const contexts = others.map((database) => ({ ...service.context, database }))
  const written = new AbortController()
  const writers = contexts.flatMap(({ database }) =>
    tenants.map(async (tenant) => {
      for (let count = 0; count < 60; count += 1) await add(database.tenant(tenant), tenant, `ses_${count}`)
    }),
  )
  const linkers = contexts.map(async (context) => {
    while (!written.signal.aborted) {
      await linkDue(context)
      for (const tenant of tenants) await linkTenant(context, tenant)
    }
  })
  await Promise.all(writers)
  written.abort()
  await Promise.all(linkers)
  for (const tenant of tenants) {
    await linkTenant(service.context, tenant)
    assert.equal((await chainOf(tenant)).length, 180)
    assert.equal(await unlinked(tenant), 0)
  }
})

it('puts what is committed late behind what was linked before, and leaves nothing out', async () => {
  const tenant = tenantId('late')
  const held = Promise.withResolvers<void>()
  const written = Promise.withResolvers<void>()
  const late = service.context.database.transaction(tenant, async (db) => {
    await add(db, tenant, 'ses_late')
    written.resolve()
    await held.promise
  })
  await written.promise
  await add(service.context.database.tenant(tenant), tenant, 'ses_early')
  assert.equal(await linkTenant(service.context, tenant), 1)
  held.resolve()
  await late
  assert.equal(await linkTenant(service.context, tenant), 1)
  const order = (await chainOf(tenant)).map((row) => row.resource_id)
  assert.deepEqual(order, ['ses_early', 'ses_late'])
})

it('keeps the order of writing where the clock says otherwise', async () => {
  const tenant = tenantId('skewed')
  const db = service.context.database.tenant(tenant)
  const now = service.clock.now()
  const event = { ...entry('conn_1'), eventType: 'connector.degraded', resourceType: 'connector' } as const
  await addEvent(db, tenant, { ...event, metadata: { turn: 1 } }, now)
  await addEvent(db, tenant, { ...event, metadata: { turn: 2 } }, new Date(now.getTime() - 5_000))
  await addEvent(db, tenant, { ...event, metadata: { turn: 3 } }, now)
  await linkTenant(service.context, tenant)
  assert.deepEqual(
    (await chainOf(tenant)).map((row) => row.metadata),
    [{ turn: 1 }, { turn: 2 }, { turn: 3 }],
  )
})

it('leaves a chain to the one who works on it, and goes on with the others', async () => {
  const [held, free] = [tenantId('held'), tenantId('held-not')]
  for (const tenant of [held, free]) await add(service.context.database.tenant(tenant), tenant, 'ses_1')
  await linkTenant(service.context, held)
  await add(service.context.database.tenant(held), held, 'ses_2')
  const release = Promise.withResolvers<void>()
  const locked = Promise.withResolvers<void>()
  const other = others[0]?.transaction(held, async (db) => {
    await db.query({ name: 'test.lock', text: 'select 1 from audit_chains where tenant_id = $1 for update' }, [held])
    locked.resolve()
    await release.promise
  })
  await locked.promise
  assert.equal(await linkDue(service.context), 1)
  assert.equal(await unlinked(free), 0)
  assert.equal(await unlinked(held), 1)
  release.resolve()
  await other
  assert.equal(await linkDue(service.context), 1)
})

it('links and signs the others’ entries where one tenant’s cannot be linked', async () => {
  const [bad, good] = [tenantId('bad'), tenantId('good')]
  const now = service.clock.now()
  const event = {
    eventType: 'token.exported',
    actorId: 'ada',
    resourceType: 'connector',
    resourceId: 'conn_1',
  } as const
  // More uses than the count of an hour can hold.
  const metadata = { count: 1e30 }
  await addEvent(service.context.database.tenant(bad), bad, { ...event, place: undefined, metadata }, now)
  await add(service.context.database.tenant(good), good, 'ses_good')
  await assert.rejects(linkDue(service.context), /out of range/)
  assert.equal(await unlinked(good), 0)
  assert.equal(await unlinked(bad), 1)
  // Checkpoints are signed all the same.
  service.clock.advance(61_000)
  await assert.rejects(linkDue(service.context), /out of range/)
  assert.equal((await rows(service, `select 1 from audit_checkpoints where tenant_id = 'good'`)).length, 1)
  await rows(service, `delete from audit_entries where tenant_id = 'bad'`)
})

it('links more than one portion, of more tenants than it looks at in one round', async () => {
  const tenant = tenantId('many')
  await rows(
    service,
    `insert into audit_entries
       (tenant_id, entry_id, action, resource_type, resource_id, metadata, created_at)
     select 'many', 'aud_' || n, 'session.started', 'session', 'ses_' || n,
            jsonb_build_object('b', n, 'a', 1.50, 'c', jsonb_build_array(1e3, null, 'ü')), $1::timestamptz
     from generate_series(1, 2300) n`,
    [service.clock.now()],
  )
  await rows(
    service,
    `insert into audit_entries
       (tenant_id, entry_id, action, resource_type, resource_id, metadata, created_at)
     select 'few-' || n, 'aud_1', 'session.started', 'session', 'ses_1', '{}', $1::timestamptz
     from generate_series(1, 150) n`,
    [service.clock.now()],
  )
  // One of them is a checkpoint.
  assert.equal(await linkDue(service.context), 2_451)
  assert.equal((await chainOf(tenant)).length, 2_300)
})
