import assert from 'node:assert/strict'
import { after, afterEach, before, it } from 'node:test'
import { consentedCallback } from '../support/consent.ts'
import { startHostileProvider, type HostileAnswer, type HostileProvider } from '../support/hostile-provider.ts'
import type { TestService } from '../support/service.ts'
import { assertProblem, consentedTicket, countOf, sendCallback, sessionStatus, startSession } from './calls.ts'
import { addProvider, craftedCallback, grant, serviceBeside } from './own-providers.ts'

let provider: HostileProvider
let service: TestService
let slug: string
before(async () => {
  provider = await startHostileProvider()
  service = await serviceBeside([provider])
  slug = await addProvider(service, provider)
})
after(async () => {
  await service[Symbol.asyncDispose]()
  await provider.close()
})
afterEach(() =>
  service.sandbox.behave({ down: false, failTokenWith: undefined, garbleTokenReply: false, dropTokenReply: false }),
)

/** A callback whose code the provider answers this way. */
async function answered(answer: HostileAnswer): Promise<Response> {
  provider.answer('/token', answer)
  const callback = await craftedCallback(service, slug)
  const [requests, connectors] = [provider.seenAt('/token').length, await countOf(service, 'connectors')]
  const reply = await sendCallback(service, callback)
  // A code works once: whatever comes back, there is no second try.
  assert.equal(provider.seenAt('/token').length, requests + 1)
  if (reply.status !== 200) assert.equal(await countOf(service, 'connectors'), connectors)
  return reply
}

it('a code the token endpoint refuses: 400 invalid_grant, and the session says so', async () => {
  const session = await startSession(service)
  const { callback } = await consentedTicket(service, session)
  callback.searchParams.set('code', 'not-the-code')
  await assertProblem(await sendCallback(service, callback), 400, 'invalid_grant')
  const status = await sessionStatus(service, session.session_id)
  assert.deepEqual(status, { status: 'failed', error_code: 'invalid_grant', connector_id: null })
})

it('a refused provider app: 502 provider_error that names no secret', async () => {
  const reply = await answered({
    status: 401,
    json: { error: 'invalid_client', error_description: 'secret-1 is wrong' },
  })
  const body = await assertProblem(reply, 502, 'provider_error')
  assert.ok(!JSON.stringify(body).includes('secret-1'))
})

it('a provider that is down, fails or hangs up: 502 provider_error', async () => {
  for (const behaviour of [{ down: true }, { failTokenWith: 503 }, { failTokenWith: 500 }, { dropTokenReply: true }]) {
    const callback = await consentedCallback(service)
    service.sandbox.behave(behaviour)
    await assertProblem(await sendCallback(service, callback), 502, 'provider_error')
    service.sandbox.behave({ down: false, failTokenWith: undefined, dropTokenReply: false })
  }
})

it('a provider that does not answer in time: 504 provider_timeout after ten seconds', async () => {
  const started = performance.now()
  await assertProblem(await answered(() => {}), 504, 'provider_timeout')
  const seconds = (performance.now() - started) / 1000
  assert.ok(seconds > 9 && seconds < 14, String(seconds))
})

it('nonsense: 502 provider_error', async () => {
  service.sandbox.behave({ garbleTokenReply: true })
  await assertProblem(await sendCallback(service, await consentedCallback(service)), 502, 'provider_error')
  const nonsense: readonly HostileAnswer[] = [
    { text: '<html>', headers: { 'content-type': 'text/html' } },
    { json: [] },
    { json: null },
    { json: 'access-1' },
    { json: {} },
    { text: '' },
    grant({ access_token: '' }),
    grant({ access_token: 7 }),
    grant({ access_token: 'line\r\nbreak' }),
    grant({ token_type: 'mac' }),
    { text: Buffer.alloc(128 * 1024, 0x20), headers: { 'content-type': 'application/json' } },
    { status: 307, headers: { location: '/token-elsewhere' }, json: {} },
  ]
  for (const answer of nonsense) await assertProblem(await answered(answer), 502, 'provider_error')
  assert.equal(provider.seenAt('/token-elsewhere').length, 0)
})

it('an error in a 200 is an error', async () => {
  const reply = await answered({ json: { error: 'invalid_grant', access_token: 'access-1', token_type: 'Bearer' } })
  await assertProblem(reply, 400, 'invalid_grant')
})

it('5xx bodies carry a correlation id and nothing of the provider’s reply; the log has the same id', async () => {
  const inside = 'internal-canary-of-the-provider'
  const reply = await answered({
    status: 500,
    json: { error: inside, error_description: inside, access_token: inside },
  })
  const id = reply.headers.get('x-request-id') ?? ''
  const body = await assertProblem(reply, 502, 'provider_error')
  assert.equal(body['correlation_id'], id)
  assert.ok(!JSON.stringify(body).includes(inside))
  assert.ok(service.logs.some((line) => line.includes(id)))
  assert.ok(!service.logs.some((line) => line.includes(inside)))
})

it('token_type is compared without case, and an absent expires_in is no failure', async () => {
  assert.equal((await answered(grant({ token_type: 'bEaReR' }))).status, 200)
  assert.equal((await answered(grant({ expires_in: undefined }))).status, 200)
})
