import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { authorizePath, consentedCallback } from '../support/consent.ts'
import { startTestService, type TestService } from '../support/service.ts'
import { assertProblem, connectorsPath, sendCallback, startSession } from './calls.ts'

let service: TestService
before(async () => {
  service = await startTestService({ env: { RATE_LIMITS: 'on' } })
})
after(() => service[Symbol.asyncDispose]())

it('counts tickets that wait among the twenty open authorizations of a user, and lets them expire', async () => {
  const token = await service.token({ sub: 'eager' })
  for (let started = 0; started < 20; started += 1) await startSession(service, {}, { token })
  const reply = await service.call('GET', authorizePath(), { token })
  assert.match(reply.headers.get('retry-after') ?? '', /^\d+$/)
  await assertProblem(reply, 429, 'too_many_pending')
  service.clock.advance(121_000)
  assert.equal((await service.call('GET', authorizePath(), { token })).status, 303)
})

it('refuses an address that guesses states with 429 and Retry-After, without asking the provider', async () => {
  const callback = await consentedCallback(service)
  const guess = new URL(callback)
  guess.searchParams.set('state', 'A'.repeat(43))
  const earlier = service.sandbox.counts.tokenRequests
  let refused: Response | undefined
  for (let tries = 0; tries < 80 && refused === undefined; tries += 1) {
    const reply = await sendCallback(service, guess)
    if (reply.status !== 400) refused = reply
  }
  assert.ok(refused, 'eighty guesses were let through')
  assert.match(refused.headers.get('retry-after') ?? '', /^\d+$/)
  await assertProblem(refused, 429, 'rate_limited')
  assert.equal(service.sandbox.counts.tokenRequests, earlier)
  // Who knows the state is no guesser.
  assert.equal((await sendCallback(service, callback)).status, 200)
})

it('limits nothing when RATE_LIMITS is off', async () => {
  await using open = await startTestService({ env: { RATE_LIMITS: 'off' } })
  const statuses = await Promise.all(
    Array.from({ length: 70 }, () =>
      open.call('GET', '/v1/connectors/oauth/sandbox/callback?code=x&state=y').then((reply) => reply.status),
    ),
  )
  assert.deepEqual([...new Set(statuses)], [400])
  assert.equal((await open.call('GET', connectorsPath)).headers.get('x-ratelimit-limit'), null)
})
