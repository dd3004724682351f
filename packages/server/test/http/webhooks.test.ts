import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { rows } from '../support/connectors.ts'
import { startTestService, type TestService } from '../support/service.ts'
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts'
import { assertProblem, dataOf, jsonOf, signed, type Json } from './calls.ts'

const base = '/v1/admin/webhooks'

let service: TestService
let receiver: WebhookReceiver
before(async () => {
  receiver = await startWebhookReceiver()
  service = await startTestService({ env: { ALLOWED_PRIVATE_HOSTS: receiver.host } })
})
after(async () => {
  await service[Symbol.asyncDispose]()
  await receiver[Symbol.asyncDispose]()
})

const post = (body: unknown, path = '') => service.call('POST', base + path, { body })
const add = async (more: Readonly<Record<string, unknown>> = {}) =>
  dataOf(await post({ url: receiver.url, ...more }), 201)

it('shows the secret once, and never again', async () => {
  const added = await add({ description: 'The platform', event_types: ['connector.*'] })
  assert.match(String(added['secret']), /^whsec_[A-Za-z0-9+/]{43}=$/)
  const { secret: _secret, ...rest } = added
  assert.deepEqual(await dataOf(await service.call('GET', `${base}/${String(added['id'])}`), 200), rest)
  assert.deepEqual(Object.keys(rest), [
    'id',
    'url',
    'description',
    'event_types',
    'enabled',
    'disabled_reason',
    'failing_since',
    'last_delivered_at',
    'previous_secret_expires_at',
    'created_at',
    'updated_at',
  ])
})

it('lists, changes and removes endpoints', async () => {
  const id = String((await add())['id'])
  const changed = await dataOf(await service.call('PATCH', `${base}/${id}`, { body: { enabled: false } }), 200)
  assert.deepEqual([changed['enabled'], changed['url']], [false, receiver.url])
  const list = (await jsonOf(await service.call('GET', `${base}?limit=100`))) as { data: { id: string }[] }
  assert.ok(list.data.some((one) => one.id === id))
  assert.equal((await service.call('DELETE', `${base}/${id}`)).status, 204)
  await assertProblem(await service.call('GET', `${base}/${id}`), 404, 'webhook_unknown')
  await assertProblem(await service.call('DELETE', `${base}/${id}`), 404, 'webhook_unknown')
})

it('sends a test message at once and says what came of it', async () => {
  const id = String((await add())['id'])
  const good = await dataOf(await service.call('POST', `${base}/${id}/test`), 200)
  assert.deepEqual([good['delivered'], good['status']], [true, 204])
  assert.equal(receiver.received.at(-1)?.type, 'webhook.test')
  receiver.answer(() => undefined)
  const bad = await dataOf(await service.call('POST', `${base}/${id}/test`), 200)
  assert.deepEqual([bad['delivered'], bad['error']], [false, 'network'])
  const written = await rows(
    service,
    `select actor_id, metadata->'delivered' as delivered from audit_entries
     where action = 'webhook.tested' and resource_id = $1
     order by written`,
    [id],
  )
  assert.deepEqual(written, [
    { actor_id: 'ada', delivered: true },
    { actor_id: 'ada', delivered: false },
  ])
  receiver.answer(() => 204)
})

it('refuses addresses that the service must not reach', async () => {
  for (const url of [
    'http://receiver.example/hook',
    'https://127.0.0.1/hook',
    'https://2130706433/hook',
    'https://[::1]/hook',
    'https://[::ffff:10.0.0.1]/hook',
    'https://169.254.169.254/latest/meta-data',
    'https://user:password@receiver.example/hook',
    'http://127.0.0.1:1/hook',
  ]) {
    await assertProblem(await post({ url }), 400, 'url_not_allowed')
  }
})

it('names every problem of a body', async () => {
  const reply = await post({ url: 'ftp://x', event_types: ['connector', 'a.b.c'], enabled: 'yes', secret: 'mine' })
  assert.equal(reply.status, 422)
  const { detail } = (await jsonOf(reply)) as unknown as { detail: { loc: (string | number)[] }[] }
  const places = new Set(detail.map((problem) => problem.loc.slice(0, 2).join('.')))
  for (const name of ['url', 'event_types', 'enabled', 'secret']) assert.ok(places.has(`body.${name}`), name)
  assert.equal((await post({})).status, 422)
})

it('is for administrators of the whole tenant', async () => {
  const body = { url: receiver.url }
  const ask = (token: string) => service.call('POST', base, { token, body })
  await assertProblem(await ask(await service.token({ scope: 'connectors:manage' })), 403, 'missing_right')
  await assertProblem(await ask(await signed(service, { spaces: [] })), 403, 'space_forbidden')
})

it('stores fifty of a tenant and no more, however many come at once', async () => {
  const token = await service.token({ tenant: 'crowded' })
  const ask = () => service.call('POST', base, { token, body: { url: receiver.url } })
  const replies = await Promise.all(Array.from({ length: 70 }, ask))
  assert.equal(replies.filter((reply) => reply.status === 201).length, 50)
  assert.equal(replies.filter((reply) => reply.status === 409).length, 20)
  const found = await rows(service, `select count(*)::int as count from webhooks where tenant_id = 'crowded'`)
  assert.deepEqual(found, [{ count: 50 }])
})

it('lists deliveries of every status or of one, newest first', async () => {
  const id = String((await add())['id'])
  const statuses = ['delivered', 'dead', 'pending'] as const
  await rows(
    service,
    `insert into webhook_deliveries
       (tenant_id, webhook_id, event_id, position, event_type, resource_id, status, created_at)
     select 'acme', $1, 'evt_' || n, n, 'connector.degraded', 'conn-1', ($2::text[])[n % 3 + 1], now()
     from generate_series(0, 29) as n`,
    [id, [...statuses]],
  )
  const walk = async (query: string): Promise<readonly unknown[]> => {
    const seen: unknown[] = []
    let cursor = ''
    do {
      const reply = await service.call('GET', `${base}/${id}/deliveries?limit=4${query}${cursor}`)
      const body = (await jsonOf(reply)) as { data: Json[]; meta: { next_cursor: string | null } }
      seen.push(...body.data.map((delivery) => delivery['event_id']))
      cursor = body.meta.next_cursor === null ? '' : `&cursor=${body.meta.next_cursor}`
    } while (cursor !== '')
    return seen
  }
  const newest = Array.from({ length: 30 }, (_, index) => 29 - index)
  const named = (numbers: readonly number[]) => numbers.map((number) => `evt_${number}`)
  assert.deepEqual(await walk(''), named(newest))
  for (const [index, status] of statuses.entries()) {
    assert.deepEqual(await walk(`&status=${status}`), named(newest.filter((number) => number % 3 === index)))
  }
  assert.deepEqual(await walk('&event_id=evt_7'), ['evt_7'])
  assert.deepEqual(await walk('&event_id=evt_7&status=pending'), [])
})

it('replays nothing that is not there', async () => {
  const id = String((await add())['id'])
  await assertProblem(
    await service.call('POST', `${base}/${id}/deliveries/evt_unknown/replay`),
    404,
    'delivery_unknown',
  )
  assert.deepEqual(await dataOf(await service.call('POST', `${base}/${id}/replay`), 202), { replayed: 0 })
})

it('replays ten thousand at once, by the time of events, and says from when to go on', async () => {
  const id = String((await add())['id'])
  const began = Date.parse('2026-01-01T00:00:00.000Z')
  await rows(
    service,
    `with event as (
       insert into events (tenant_id, event_id, category, event_type, resource_type, resource_id, metadata, created_at)
       select 'acme', 'evt_old_' || n, 'connector', 'connector.degraded', 'connector', 'conn-1', '{}',
              $2::timestamptz + n * interval '1 second'
       from generate_series(0, 10001) as n
       returning *)
     insert into webhook_deliveries
       (tenant_id, webhook_id, event_id, position, event_type, resource_id, status, created_at, finished_at)
     select tenant_id, $1, event_id, 1, event_type, resource_id, 'dead', now(), now()
     from event`,
    [id, new Date(began)],
  )
  const replay = async (from: string | undefined) => {
    const reply = await service.call('POST', `${base}/${id}/replay`, { body: from === undefined ? {} : { from } })
    return jsonOf(reply)
  }
  const nextFrom = new Date(began + 10_001_000).toISOString()
  const later = new Date(began + 10_002_000).toISOString()
  assert.deepEqual(await replay(later), { data: { replayed: 0 }, meta: { next_from: null } })
  const second = new Date(began + 1_000).toISOString()
  assert.deepEqual(await replay(second), { data: { replayed: 10_000 }, meta: { next_from: nextFrom } })
  assert.deepEqual(await replay(nextFrom), { data: { replayed: 1 }, meta: { next_from: null } })
  assert.deepEqual(await replay(undefined), { data: { replayed: 1 }, meta: { next_from: null } })
})

it('takes fifty of a tenant and no more', async () => {
  const token = await service.token({ tenant: 'collector' })
  const body = { url: receiver.url }
  for (let count = 0; count < 50; count += 1)
    assert.equal((await service.call('POST', base, { token, body })).status, 201)
  await assertProblem(await service.call('POST', base, { token, body }), 409, 'too_many_webhooks')
})
