import assert from 'node:assert/strict'
import { after, afterEach, before, it } from 'node:test'
import { connectAccount } from '../support/consent.ts'
import { startTestService, type TestService } from '../support/service.ts'
import { assertProblem, connectorsPath, dataOf, eventsOf } from './calls.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())
afterEach(() => service.sandbox.behave({ failTokenWith: undefined, retryAfter: undefined, down: false }))

const path = (id: string) => `${connectorsPath}/${id}/token`
const exportToken = (id: string, body?: object) => service.call('POST', path(id), body === undefined ? {} : { body })
const tokenOf = async (id: string, body?: object) => dataOf(await exportToken(id, body))
const statusOf = async (id: string) => {
  const connector = await dataOf(await service.call('GET', `${connectorsPath}/${id}`))
  return [connector['status'], connector['status_reason']]
}

it('answers access_token, token_type, expires_at and scopes, not to be stored by anybody between', async () => {
  const reply = await exportToken(await connectAccount(service))
  assert.equal(reply.headers.get('cache-control'), 'no-store')
  const data = await dataOf(reply)
  assert.deepEqual(Object.keys(data), ['access_token', 'token_type', 'expires_at', 'scopes'])
  assert.equal(data['token_type'], 'Bearer')
  assert.deepEqual(data['scopes'], ['openid', 'profile', 'email', 'offline_access'])
  assert.match(String(data['expires_at']), /Z$/)
})

it('connectors:token is implied by no other right', async () => {
  const id = await connectAccount(service)
  const scope = 'connectors:connect connectors:read connectors:use connectors:manage connectors:admin'
  await assertProblem(
    await service.call('POST', path(id), { token: await service.token({ scope }) }),
    403,
    'missing_right',
  )
})

it('hands the same token out while it is fresh for 60 seconds, then refreshes', async () => {
  const id = await connectAccount(service)
  const first = await tokenOf(id)
  service.clock.advance(55_000)
  assert.equal((await tokenOf(id))['access_token'], first['access_token'])
  service.clock.advance(10_000)
  const second = await tokenOf(id)
  assert.notEqual(second['access_token'], first['access_token'])
  const left = new Date(String(second['expires_at'])).getTime() - service.clock.now().getTime()
  assert.ok(left >= 60_000, String(left))
})

it('obeys min_ttl in the body and in the query', async () => {
  const id = await connectAccount(service)
  const first = await tokenOf(id)
  assert.equal((await tokenOf(id, { min_ttl: 100 }))['access_token'], first['access_token'])
  service.clock.advance(30_000)
  assert.equal((await tokenOf(id, { min_ttl: 0 }))['access_token'], first['access_token'])
  const second = await tokenOf(id, { min_ttl: 100 })
  assert.notEqual(second['access_token'], first['access_token'])
  service.clock.advance(30_000)
  const third = await dataOf(await service.call('POST', `${path(id)}?min_ttl=100`))
  assert.notEqual(third['access_token'], second['access_token'])
  for (const min_ttl of [-1, 3601, 1.5, '60']) assert.equal((await exportToken(id, { min_ttl })).status, 422)
})

it('records every export, and each refresh once', async () => {
  const id = await connectAccount(service)
  await tokenOf(id)
  // The moment of an export is told when it is written, shortly after.
  await service.context.activity.flush()
  service.clock.advance(119_000)
  await tokenOf(id)
  const types = (await eventsOf(service, { resource_id: id })).map((event) => event.event_type)
  assert.deepEqual(types, ['connector.connected', 'token.exported', 'token.refreshed', 'token.exported'])
})

it('a paused connector gives no token, and gives one again when it is resumed', async () => {
  const id = await connectAccount(service)
  const pause = (paused: boolean) => service.call('PATCH', `${connectorsPath}/${id}`, { body: { paused } })
  assert.equal((await pause(true)).status, 200)
  await assertProblem(await exportToken(id), 409, 'connector_paused')
  assert.equal((await pause(false)).status, 200)
  assert.equal((await exportToken(id)).status, 200)
})

it('a lost grant is 409 reauth_required and asks the provider once, not at every call', async () => {
  const id = await connectAccount(service)
  service.sandbox.revokeEverything()
  service.clock.advance(119_000)
  const earlier = service.sandbox.counts.tokenRequests
  for (let call = 0; call < 3; call += 1) await assertProblem(await exportToken(id), 409, 'reauth_required')
  assert.equal(service.sandbox.counts.tokenRequests, earlier + 1)
  assert.deepEqual(await statusOf(id), ['reauth_required', 'invalid_grant'])
})

it('a provider that is down is 503 with Retry-After, degraded, and mends by itself', async () => {
  const id = await connectAccount(service)
  service.clock.advance(121_000)
  service.sandbox.behave({ failTokenWith: 503, retryAfter: '90' })
  const reply = await exportToken(id)
  const wait = Number(reply.headers.get('retry-after'))
  assert.ok(wait > 60 && wait <= 90, String(wait))
  await assertProblem(reply, 503, 'provider_unavailable')
  assert.equal((await statusOf(id))[0], 'degraded')
  service.sandbox.behave({ failTokenWith: undefined, retryAfter: undefined })
  await assertProblem(await exportToken(id), 503, 'provider_unavailable')
  service.clock.advance(91_000)
  assert.equal((await exportToken(id)).status, 200)
  assert.equal((await statusOf(id))[0], 'active')
  const types = (await eventsOf(service, { resource_id: id })).map((event) => event.event_type)
  assert.ok(types.includes('connector.degraded') && types.includes('connector.recovered'))
})

it('a token that is still valid is handed out while the provider is down', async () => {
  const id = await connectAccount(service)
  const first = await tokenOf(id)
  service.clock.advance(90_000)
  service.sandbox.behave({ down: true })
  assert.equal((await tokenOf(id))['access_token'], first['access_token'])
})

it('puts no token into the log', async () => {
  const token = String((await tokenOf(await connectAccount(service)))['access_token'])
  assert.ok(service.logs.length > 0)
  assert.ok(!service.logs.some((line) => line.includes(token)))
})
