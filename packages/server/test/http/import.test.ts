import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { startTestService, type TestService } from '../support/service.ts'
import { assertProblem, connectorsPath, countOf, dataOf, eventsOf, otherId, racing, rows, type Json } from './calls.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

const credential = { access_token: 'imported-access', refresh_token: 'imported-refresh', scopes: ['openid'] }
const post = (key: string, more: Json = {}, path = connectorsPath, token?: string) =>
  service.call('POST', path, {
    headers: { 'idempotency-key': key },
    body: { provider_slug: 'sandbox', credential, ...more },
    ...(token === undefined ? {} : { token }),
  })

it('takes over existing credentials: 201, an active connector, a connected event, and the token comes back out', async () => {
  const expiresAt = new Date(service.clock.now().getTime() + 3_600_000).toISOString()
  const body = { connector_id: 'conn_in', scope_config: { a: 1 }, credential: { ...credential, expires_at: expiresAt } }
  const connector = await dataOf(await post('one', body), 201)
  assert.deepEqual(
    [connector['id'], connector['status'], connector['scope_config'], connector['access_token_expires_at']],
    ['conn_in', 'active', { a: 1 }, expiresAt],
  )
  const token = await dataOf(await service.call('POST', `${connectorsPath}/conn_in/token`))
  assert.deepEqual([token['access_token'], token['expires_at']], ['imported-access', expiresAt])
  const [event] = await eventsOf(service, { resource_id: 'conn_in' })
  assert.equal(event?.event_type, 'connector.connected')
})

it('same key and body: the same answer, one connector', async () => {
  const first = await (await post('same')).text()
  const count = await countOf(service, 'connectors')
  const again = await post('same')
  assert.equal(again.status, 201)
  assert.equal(await again.text(), first)
  assert.equal(await countOf(service, 'connectors'), count)
})

it('same key at the same time: one connector and one answer', async () => {
  const count = await countOf(service, 'connectors')
  const many = () => Promise.all(Array.from({ length: 15 }, () => post('parallel')))
  const replies = await racing(service, many, 'lock table idempotency_keys in share row exclusive mode')
  const bodies = await Promise.all(replies.map((reply) => reply.text()))
  assert.deepEqual([...new Set(replies.map((reply) => reply.status))], [201])
  assert.equal(new Set(bodies).size, 1)
  assert.equal(await countOf(service, 'connectors'), count + 1)
})

it('same key, other body: 409 idempotency_conflict', async () => {
  assert.equal((await post('conflict')).status, 201)
  const others: readonly Json[] = [
    { credential: { ...credential, access_token: 'other' } },
    { credential: { ...credential, refresh_token: undefined } },
    { connector_id: 'conn_other' },
    { scope_config: {} },
  ]
  for (const other of others) await assertProblem(await post('conflict', other), 409, 'idempotency_conflict')
  const elsewhere = connectorsPath.replace(/spaces\/[^/]+/, `spaces/${otherId}`)
  await assertProblem(await post('conflict', {}, elsewhere), 409, 'idempotency_conflict')
})

it('a key belongs to its principal', async () => {
  const mine = await dataOf(await post('shared'), 201)
  const bob = await dataOf(await post('shared', {}, connectorsPath, await service.token({ sub: 'bob' })), 201)
  const globex = await dataOf(await post('shared', {}, connectorsPath, await service.token({ tenant: 'globex' })), 201)
  assert.equal(new Set([mine['id'], bob['id'], globex['id']]).size, 3)
})

it('no key: 422', async () => {
  const reply = await service.call('POST', connectorsPath, { body: { provider_slug: 'sandbox', credential } })
  assert.equal(reply.status, 422)
})

it('a taken connector_id is 409 connector_id_taken, and the key stays free for a corrected body', async () => {
  assert.equal((await post('first', { connector_id: 'conn_taken' })).status, 201)
  await assertProblem(await post('second', { connector_id: 'conn_taken' }), 409, 'connector_id_taken')
  assert.equal((await post('second', { connector_id: 'conn_free' })).status, 201)
})

it('unknown provider 404, provider without app 409', async () => {
  await assertProblem(await post('none', { provider_slug: 'none' }), 404, 'provider_unknown')
  await assertProblem(await post('github', { provider_slug: 'github' }), 409, 'provider_not_configured')
})

it('refuses credentials that no header could carry', async () => {
  for (const access_token of ['', 'with space', 'line\nbreak', 'ü', 'x'.repeat(16_385), 7]) {
    assert.equal((await post('bad', { credential: { access_token } })).status, 422)
  }
  assert.equal((await post('bad', { credential: { ...credential, expires_at: 'tomorrow' } })).status, 422)
})

it('keeps no imported secret in any table or log', async () => {
  assert.equal(
    (
      await post('sealed', {
        credential: { access_token: 'canary-import-access', refresh_token: 'canary-import-refresh' },
      })
    ).status,
    201,
  )
  for (const table of ['connectors', 'idempotency_keys', 'events']) {
    const dump = await rows<{ text: string }>(service, `select t::text as text from ${table} t`)
    for (const { text } of dump) {
      assert.ok(!text.includes('canary-import'), table)
      assert.ok(!text.includes(Buffer.from('canary-import').toString('hex')), table)
    }
  }
  assert.ok(!service.logs.some((line) => line.includes('canary-import')))
})
