import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { consentedCallback } from '../support/consent.ts'
import { startTestService, type TestService } from '../support/service.ts'
import {
  anonymous,
  assertProblem,
  browser,
  complete,
  consentedTicket,
  dataOf,
  otherId,
  parkedSession,
  racing,
  sendCallback,
  sessionStatus,
  signed,
  startSession,
} from './calls.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

const victim = (tenant = 'acme') => service.token({ sub: 'victim', tenant })
const attacker = () => service.token({ sub: 'attacker' })
const statusOf = async (sessionId: string, token: string) =>
  (await sessionStatus(service, sessionId, { token }))['status']

/** Checks that what `work` does reaches no token endpoint. */
async function withoutTokenRequest(work: () => Promise<void>): Promise<void> {
  const earlier = service.sandbox.counts.tokenRequests
  await work()
  assert.equal(service.sandbox.counts.tokenRequests, earlier)
}

it('A starts, opens, consents and completes: connected', async () => {
  const token = await attacker()
  const { sessionId, completionCode } = await parkedSession(service, {}, { token })
  const reply = await complete(service, { session_id: sessionId, completion_code: completionCode }, { token })
  assert.equal(reply.status, 200)
  assert.equal(await statusOf(sessionId, token), 'connected')
})

it('A starts, V opens and consents, V completes: 403, the code dropped, no token request', async () => {
  const token = await attacker()
  const { sessionId, completionCode } = await parkedSession(service, {}, { token, login: 'victim' })
  const body = { session_id: sessionId, completion_code: completionCode }
  await withoutTokenRequest(async () => {
    await assertProblem(await complete(service, body, { token: await victim() }), 403, 'principal_mismatch')
    assert.equal(await statusOf(sessionId, token), 'failed')
    await assertProblem(await complete(service, body, { token }), 400, 'invalid_state')
  })
})

it('A starts, V without session consents, nobody completes: it expires, no token request', async () => {
  const token = await attacker()
  await withoutTokenRequest(async () => {
    const { sessionId, completionCode } = await parkedSession(service, {}, { token, login: 'victim' })
    assert.equal(await statusOf(sessionId, token), 'awaiting_completion')
    service.clock.advance(121_000)
    assert.equal(await statusOf(sessionId, token), 'expired')
    const body = { session_id: sessionId, completion_code: completionCode }
    await assertProblem(await complete(service, body, { token }), 400, 'invalid_state')
  })
})

it('A starts, V consents, A completes without the completion code: refused, and polling shows only pending', async () => {
  const token = await attacker()
  const { sessionId } = await parkedSession(service, {}, { token, login: 'victim' })
  await withoutTokenRequest(async () => {
    assert.equal((await complete(service, { session_id: sessionId }, { token })).status, 422)
    const guess = { session_id: sessionId, completion_code: 'A'.repeat(43) }
    await assertProblem(await complete(service, guess, { token }), 403, 'completion_code_invalid')
    const seen = await sessionStatus(service, sessionId, { token })
    assert.deepEqual(seen, { status: 'awaiting_completion', error_code: null, connector_id: null })
  })
})

it('V starts, A opens the stolen link, consents and completes: 403', async () => {
  const { sessionId, completionCode } = await parkedSession(service, {}, { token: await victim(), login: 'attacker' })
  await withoutTokenRequest(async () => {
    const body = { session_id: sessionId, completion_code: completionCode }
    await assertProblem(await complete(service, body, { token: await attacker() }), 403, 'principal_mismatch')
  })
})

it('V starts and consents, the code is replayed in A’s browser: 403 after completion and before', async () => {
  const token = await victim()
  const parked = await parkedSession(service, {}, { token, login: 'victim' })
  const body = { session_id: parked.sessionId, completion_code: parked.completionCode }
  assert.equal((await complete(service, body, { token })).status, 200)
  await withoutTokenRequest(async () => {
    await assertProblem(await complete(service, body, { token: await attacker() }), 403, 'principal_mismatch')
    const fresh = await consentedCallback(service, { token })
    await assertProblem(await sendCallback(service, fresh, { token: await attacker() }), 403, 'principal_mismatch')
    // The code was dropped: its owner cannot use it either.
    await assertProblem(await sendCallback(service, fresh, { token }), 400, 'invalid_state')
  })
})

it('A starts and consents, the callback URL is sent to V: 403 by bearer, and 403 in V’s browser', async () => {
  const token = await attacker()
  await withoutTokenRequest(async () => {
    const callback = await consentedCallback(service, { token })
    await assertProblem(await sendCallback(service, callback, { token: await victim() }), 403, 'principal_mismatch')
    const session = await startSession(service, { origin: service.url }, { token })
    const carried = await consentedTicket(service, session)
    const path = carried.callback.pathname + carried.callback.search
    const page = await anonymous(service, path, browser)
    assert.equal(page.status, 403)
    assert.match(await page.text(), /browser_mismatch/)
    assert.equal(await statusOf(session.session_id, token), 'started')
    assert.equal((await anonymous(service, path, { ...browser, cookie: carried.cookies })).status, 303)
  })
})

it('V starts in tenant 1, V completes with a tenant 2 token: 403', async () => {
  const { sessionId, completionCode } = await parkedSession(service, {}, { token: await victim() })
  await withoutTokenRequest(async () => {
    const body = { session_id: sessionId, completion_code: completionCode }
    await assertProblem(await complete(service, body, { token: await victim('globex') }), 403, 'principal_mismatch')
    const callback = await consentedCallback(service, { token: await victim() })
    const reply = await sendCallback(service, callback, { token: await victim('globex') })
    await assertProblem(reply, 403, 'principal_mismatch')
  })
})

it('the same subject of another issuer is another principal', async () => {
  const token = await signed(service, { iss: 'https://one.example' })
  const callback = await consentedCallback(service, { token })
  await withoutTokenRequest(async () => {
    const other = await signed(service, { iss: 'https://two.example' })
    await assertProblem(await sendCallback(service, callback, { token: other }), 403, 'principal_mismatch')
  })
})

it('rights taken away between start and finish: 403, no token request', async () => {
  const taken = [
    ['missing_right', await service.token({ scope: 'connectors:read' })],
    ['space_forbidden', await signed(service, { spaces: [otherId] })],
    ['space_forbidden', await signed(service, { collections: [] })],
  ] as const
  await withoutTokenRequest(async () => {
    for (const [code, token] of taken) {
      await assertProblem(await sendCallback(service, await consentedCallback(service), { token }), 403, code)
      const { sessionId, completionCode } = await parkedSession(service)
      const body = { session_id: sessionId, completion_code: completionCode }
      await assertProblem(await complete(service, body, { token }), 403, code)
    }
  })
})

it('completes by state as well as by session, answers the seed’s body, and only once', async () => {
  const { callback, completionCode } = await parkedSession(service)
  const body = { state: callback.searchParams.get('state'), completion_code: completionCode }
  const reply = await complete(service, body)
  assert.equal(reply.status, 200)
  const said = (await reply.json()) as object
  assert.deepEqual(Object.keys(said), ['message', 'provider', 'collection_id', 'connector_id'])
  await assertProblem(await complete(service, body), 409, 'completion_not_expected')
  await assertProblem(await sendCallback(service, callback), 400, 'invalid_state')
})

it('makes one token request however many completions race', async () => {
  const { sessionId, completionCode } = await parkedSession(service)
  const earlier = service.sandbox.counts.tokenRequests
  const body = { session_id: sessionId, completion_code: completionCode }
  const replies = await racing(service, () => Promise.all(Array.from({ length: 30 }, () => complete(service, body))))
  assert.equal(replies.filter((reply) => reply.status === 200).length, 1)
  assert.equal(service.sandbox.counts.tokenRequests, earlier + 1)
})

it('answers 404 or 400 for what there is not, 409 before consent, 422 for a body that names nothing', async () => {
  const code = 'A'.repeat(43)
  await assertProblem(await complete(service, { session_id: 'none', completion_code: code }), 404, 'session_unknown')
  await assertProblem(await complete(service, { state: 'none', completion_code: code }), 400, 'invalid_state')
  const { session_id: id } = await startSession(service)
  const early = { session_id: id, completion_code: code }
  await assertProblem(await complete(service, early), 409, 'completion_not_expected')
  await assertProblem(await complete(service, early, { slug: 'github' }), 404, 'session_unknown')
  await assertProblem(await complete(service, early, { token: await victim('globex') }), 404, 'session_unknown')
  assert.equal((await complete(service, { completion_code: code })).status, 422)
  assert.ok(await dataOf(await service.call('GET', `/v1/connectors/oauth/sessions/${id}`)))
})
