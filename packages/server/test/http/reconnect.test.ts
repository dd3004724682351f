import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { connectAccount, consentedCallback } from '../support/consent.ts'
import { startTestService, type TestService } from '../support/service.ts'
import {
  assertProblem,
  complete,
  connectorsPath,
  consentedTicket,
  dataOf,
  eventsOf,
  parkedSession,
  sendCallback,
  sessionStatus,
  startSession,
} from './calls.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

const read = async (id: string) => dataOf(await service.call('GET', `${connectorsPath}/${id}`))
const exportToken = (id: string) => service.call('POST', `${connectorsPath}/${id}/token`)
const typesOf = async (id: string) => (await eventsOf(service, { resource_id: id })).map((event) => event.event_type)

it('an unknown connector_id is created under that id', async () => {
  assert.equal(await connectAccount(service, { query: { connector_id: 'conn_mine' } }), 'conn_mine')
  assert.equal((await read('conn_mine'))['status'], 'active')
})

it('a known one is reconnected in place, keeping id, settings and history', async () => {
  const id = await connectAccount(service)
  const settings = { display_name: 'Mine', scope_config: { folder: 'x' }, sync_schedule: 'daily' }
  const earlier = await dataOf(await service.call('PATCH', `${connectorsPath}/${id}`, { body: settings }))
  const token = await dataOf(await exportToken(id))
  assert.equal(await connectAccount(service, { query: { connector_id: id } }), id)
  const later = await read(id)
  for (const name of ['display_name', 'scope_config', 'sync_schedule', 'created_at', 'account']) {
    assert.deepEqual(later[name], earlier[name], name)
  }
  assert.notEqual((await dataOf(await exportToken(id)))['access_token'], token['access_token'])
  assert.deepEqual((await typesOf(id)).slice(0, 1), ['connector.connected'])
  assert.ok((await typesOf(id)).includes('connector.reconnected'))
})

it('another provider account is refused with 409 account_changed, and the old one stays connected', async () => {
  const id = await connectAccount(service, { login: 'ada' })
  const token = await dataOf(await exportToken(id))
  const callback = await consentedCallback(service, { query: { connector_id: id }, login: 'grace' })
  await assertProblem(await sendCallback(service, callback), 409, 'account_changed')
  const connector = await read(id)
  assert.equal(connector['status'], 'active')
  assert.equal((connector['account'] as { name: string }).name, 'ada')
  assert.equal((await dataOf(await exportToken(id)))['access_token'], token['access_token'])
})

it('a session with allow_account_change may change the account', async () => {
  const id = await connectAccount(service, { login: 'ada' })
  const session = await startSession(service, { connector_id: id, allow_account_change: true })
  const { callback } = await consentedTicket(service, session, 'grace')
  const reply = await sendCallback(service, callback)
  assert.equal(reply.status, 200, await reply.text())
  assert.equal(((await read(id))['account'] as { name: string }).name, 'grace')
  const status = await sessionStatus(service, session.session_id)
  const { account, scopes } = await read(id)
  assert.deepEqual(status, { status: 'connected', error_code: null, connector_id: id, account, scopes })
})

it('a session tells the account and what was granted, until somebody else has connected another in its place', async () => {
  const { sessionId, completionCode } = await parkedSession(service, {}, { login: 'ada' })
  const reply = await complete(service, { session_id: sessionId, completion_code: completionCode })
  const done = (await reply.json()) as { connector_id: string }
  const seen = await sessionStatus(service, sessionId)
  assert.equal((seen['account'] as { name: string }).name, 'ada')
  const { granted, missing } = seen['scopes'] as { granted: string[]; missing: string[] }
  assert.deepEqual([granted.includes('profile'), missing], [true, []])
  const bo = { token: await service.token({ sub: 'bo', scope: 'connectors:connect connectors:manage' }) }
  const session = await startSession(service, { connector_id: done.connector_id, allow_account_change: true }, bo)
  const { callback } = await consentedTicket(service, session, 'grace')
  assert.equal((await sendCallback(service, callback, bo)).status, 200)
  const { account, scopes } = await sessionStatus(service, sessionId)
  assert.deepEqual({ account, scopes }, { account: undefined, scopes: undefined })
})

it('a session without it reports account_changed', async () => {
  const id = await connectAccount(service, { login: 'ada' })
  const session = await startSession(service, { connector_id: id })
  const { callback } = await consentedTicket(service, session, 'grace')
  await assertProblem(await sendCallback(service, callback), 409, 'account_changed')
  const status = await sessionStatus(service, session.session_id)
  assert.deepEqual(status, { status: 'failed', error_code: 'account_changed', connector_id: null })
})

it('a disconnect during the authorization wins', async () => {
  const id = await connectAccount(service)
  const callback = await consentedCallback(service, { query: { connector_id: id } })
  assert.equal((await service.call('DELETE', `${connectorsPath}/${id}`)).status, 202)
  await assertProblem(await sendCallback(service, callback), 409, 'connector_disconnected')
  assert.equal((await read(id))['status'], 'disconnected')
})

it('a disconnected connector comes back under its id when it is connected again later', async () => {
  const id = await connectAccount(service)
  assert.equal((await service.call('DELETE', `${connectorsPath}/${id}`)).status, 202)
  service.clock.advance(1000)
  assert.equal(await connectAccount(service, { query: { connector_id: id } }), id)
  assert.equal((await read(id))['status'], 'active')
  assert.equal((await exportToken(id)).status, 200)
})

it('a connector whose grant was lost is active again after a reconnect', async () => {
  const id = await connectAccount(service)
  service.sandbox.revokeEverything()
  service.clock.advance(119_000)
  await assertProblem(await exportToken(id), 409, 'reauth_required')
  const lost = await read(id)
  assert.equal(lost['status'], 'reauth_required')
  assert.match(String(lost['status_reason']), /./)
  await connectAccount(service, { query: { connector_id: id } })
  assert.equal((await read(id))['status'], 'active')
  assert.equal((await exportToken(id)).status, 200)
  const types = (await typesOf(id)).filter((type) => type.startsWith('connector.'))
  assert.deepEqual(types, ['connector.connected', 'connector.reauth_required', 'connector.reconnected'])
})

it('of two first connections under one id the second is a reconnect, and no id is left half made', async () => {
  const query = { connector_id: 'conn_race' }
  const callbacks = [await consentedCallback(service, { query }), await consentedCallback(service, { query })]
  const replies = await Promise.all(callbacks.map((callback) => sendCallback(service, callback)))
  for (const reply of replies) assert.ok([200, 409].includes(reply.status), String(reply.status))
  assert.ok(replies.some((reply) => reply.status === 200))
  assert.equal((await exportToken('conn_race')).status, 200)
})

it('who may no longer change others’ connectors at the end puts no account in their place, and spends no code', async () => {
  const id = await connectAccount(service, { login: 'ada' })
  const bo = (scope: string) => service.token({ sub: 'bo', scope })
  const all = await bo('connectors:connect connectors:manage')
  const less = await bo('connectors:connect')
  const session = await startSession(service, { connector_id: id, allow_account_change: true }, { token: all })
  const { callback } = await consentedTicket(service, session, 'grace')
  const earlier = service.sandbox.counts.tokenRequests
  await assertProblem(await sendCallback(service, callback, { token: less }), 403, 'missing_right')
  assert.equal(service.sandbox.counts.tokenRequests, earlier)
  assert.equal(((await read(id))['account'] as { name: string }).name, 'ada')
  // With the right given back the same consent still serves.
  assert.equal((await sendCallback(service, callback, { token: all })).status, 200)
})

it('an id that somebody else took between start and end is not taken over without the right to', async () => {
  const token = await service.token({ sub: 'bo', scope: 'connectors:connect' })
  const session = await startSession(
    service,
    { connector_id: 'conn_taken_meanwhile', allow_account_change: true },
    { token },
  )
  const { callback } = await consentedTicket(service, session, 'grace')
  await connectAccount(service, { query: { connector_id: 'conn_taken_meanwhile' }, login: 'ada' })
  const earlier = service.sandbox.counts.tokenRequests
  await assertProblem(await sendCallback(service, callback, { token }), 403, 'missing_right')
  assert.equal(service.sandbox.counts.tokenRequests, earlier)
  assert.equal(((await read('conn_taken_meanwhile'))['account'] as { name: string }).name, 'ada')
})
