import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { connectAccount } from '../support/consent.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'
import { connectorsPath, eventsOf, jsonOf, otherId, parkedSession, complete, signed, type EventBody } from './calls.ts'
import { addProvider } from './own-providers.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

it('tells a connection with exactly the contract’s fields', async () => {
  const id = await connectAccount(service)
  const [event] = await eventsOf(service, { resource_id: id })
  assert.deepEqual(Object.keys(event ?? {}), [
    'id',
    'tenant_id',
    'category',
    'event_type',
    'actor_id',
    'resource_type',
    'resource_id',
    'metadata',
    'created_at',
  ])
  assert.deepEqual(
    [event?.tenant_id, event?.category, event?.event_type, event?.actor_id, event?.resource_type, event?.resource_id],
    ['acme', 'connector', 'connector.connected', 'ada', 'connector', id],
  )
  assert.equal(event?.metadata['provider_slug'], 'sandbox')
  assert.match(event?.created_at ?? '', /Z$/)
})

it('returns the caller’s context to the platform in the connected event', async () => {
  const id = await connectAccount(service, { query: { token: 'pre_shared_token' } })
  const [event] = await eventsOf(service, { resource_id: id })
  assert.equal(event?.metadata['caller_context'], 'pre_shared_token')
  const parked = await parkedSession(service, {
    token: 'context of a session'.replaceAll(' ', '_'),
    connector_id: 'conn_context',
  })
  const done = await complete(service, { session_id: parked.sessionId, completion_code: parked.completionCode })
  assert.equal(done.status, 200)
  const [other] = await eventsOf(service, { resource_id: 'conn_context' })
  assert.equal(other?.metadata['caller_context'], 'context_of_a_session')
})

it('keeps the caller’s context from other users of the tenant, and from the log', async () => {
  const id = await connectAccount(service, { query: { token: 'context-for-ada-only' } })
  const token = await service.token({ sub: 'bob', scope: 'connectors:read' })
  const seen = await eventsOf(service, { resource_id: id }, { token })
  assert.equal(seen.length, 1)
  assert.ok(!JSON.stringify(seen).includes('context-for-ada-only'))
  assert.ok(!service.logs.some((line) => line.includes('context-for-ada-only')))
})

it('filters by category, resource_type, resource_id and time', async () => {
  const id = await connectAccount(service)
  await service.call('POST', `${connectorsPath}/${id}/token`)
  await addProvider(service, { origin: 'https://provider.example' })
  const all = await eventsOf(service)
  const kinds = (events: readonly EventBody[]) => new Set(events.map((event) => event.category))
  for (const category of ['connector', 'token', 'provider_app']) {
    const some = await eventsOf(service, { category })
    assert.ok(some.length > 0 && some.length < all.length, category)
    assert.deepEqual([...kinds(some)], [category])
  }
  const apps = await eventsOf(service, { resource_type: 'provider_app' })
  assert.ok(
    apps.every((event) => event.resource_type === 'provider_app' && event.event_type.startsWith('provider_app.')),
  )
  const turn = service.clock.now().toISOString()
  service.clock.advance(60_000)
  const later = await connectAccount(service)
  assert.ok((await eventsOf(service, { to_date: turn })).every((event) => event.resource_id !== later))
  assert.ok((await eventsOf(service, { from_date: turn })).some((event) => event.resource_id === later))
  for (const bad of [
    'yesterday',
    '2026-13-01T00:00:00Z',
    '2026-01-01',
    '2016-12-31T23:59:60Z',
    '2026-01-01T00:00:00Z[Europe/Paris]',
  ]) {
    assert.equal((await service.call('GET', `/v1/events?from_date=${encodeURIComponent(bad)}`)).status, 422)
  }
})

it('pages through every event once, oldest first', async () => {
  const all = await eventsOf(service)
  const seen: EventBody[] = []
  let cursor = ''
  for (let page = 0; page < 50; page += 1) {
    const body = (await jsonOf(await service.call('GET', `/v1/events?limit=3${cursor}`))) as {
      data: EventBody[]
      meta: { next_cursor: string | null; has_more: boolean }
    }
    seen.push(...body.data)
    if (body.meta.next_cursor === null) break
    cursor = `&cursor=${encodeURIComponent(body.meta.next_cursor)}`
  }
  assert.deepEqual(
    seen.map((event) => event.id),
    all.map((event) => event.id),
  )
  // Exports are written a moment after they happened, together.
  const times = all.filter((event) => event.event_type !== 'token.exported').map((event) => event.created_at)
  assert.deepEqual(times, times.toSorted())
})

it('pages backwards from the newest where that is asked for', async () => {
  const all = await eventsOf(service)
  const seen: string[] = []
  let cursor = ''
  for (let page = 0; page < 50; page += 1) {
    const reply = await service.call('GET', `/v1/events?order=desc&limit=3${cursor}`)
    const body = (await jsonOf(reply)) as { data: EventBody[]; meta: { next_cursor: string | null } }
    seen.push(...body.data.map((event) => event.id))
    if (body.meta.next_cursor === null) break
    cursor = `&cursor=${encodeURIComponent(body.meta.next_cursor)}`
  }
  assert.deepEqual(
    seen.toReversed(),
    all.map((event) => event.id),
  )
  const reply = await service.call('GET', '/v1/events?order=newest')
  assert.equal(reply.status, 422)
})

it('narrows by the spaces and collections of the bearer', async () => {
  const id = await connectAccount(service)
  const here = await signed(service, { spaces: [spaceId], collections: [collectionId] })
  assert.equal((await eventsOf(service, { resource_id: id }, { token: here })).length, 1)
  for (const claims of [{ spaces: [otherId] }, { collections: [otherId] }, { spaces: [] }]) {
    assert.deepEqual(await eventsOf(service, {}, { token: await signed(service, claims) }), [])
  }
})

it('shows a tenant its own events alone', async () => {
  assert.deepEqual(await eventsOf(service, {}, { token: await service.token({ tenant: 'globex' }) }), [])
})
