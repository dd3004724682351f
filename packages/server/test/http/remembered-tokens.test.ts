import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, it } from 'node:test'
import { exportJWK } from 'jose'
import { startHostileProvider, type HostileProvider } from '../support/hostile-provider.ts'
import { startTestService } from '../support/service.ts'
import { assertProblem, connectorsPath, signed } from './calls.ts'

let issuer: HostileProvider
before(async () => {
  issuer = await startHostileProvider()
})
after(() => issuer.close())

const minuteMs = 60_000

it('refuses a token whose key has left the key set, although it was good before', async (test) => {
  const pairs = ['old', 'new'].map((kid) => ({ kid, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) }))
  const publish = async (kid: string) => {
    const keys = pairs.filter((pair) => pair.kid === kid)
    const published = keys.map(async (pair) => ({ ...(await exportJWK(pair.publicKey)), kid, alg: 'ES256' }))
    issuer.answer('/jwks', { json: { keys: await Promise.all(published) } })
  }
  await publish('old')
  await using service = await startTestService({ env: { AUTH_JWKS_URL: `${issuer.origin}/jwks` } })
  const now = Math.floor(Date.now() / 1000)
  const key = pairs[0]?.privateKey
  const token = await signed(service, { exp: now + 86_400 }, { alg: 'ES256', kid: 'old' }, key)
  const list = () => service.call('GET', connectorsPath, { token })
  assert.equal((await list()).status, 200)
  await publish('new')
  test.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  // Remembered still: no signature is checked, no key set fetched.
  test.mock.timers.tick(4 * minuteMs)
  assert.equal((await list()).status, 200)
  assert.equal(issuer.seenAt('/jwks').length, 1)
  test.mock.timers.tick(2 * minuteMs)
  await assertProblem(await list(), 401, 'unauthorized')
  await assertProblem(await list(), 401, 'unauthorized')
})

it('verifies a token again after five minutes without calling it expired', async () => {
  await using service = await startTestService()
  const exp = Math.floor(service.clock.now().getTime() / 1000) + 3600
  const token = await signed(service, { exp })
  const list = () => service.call('GET', connectorsPath, { token })
  for (let passed = 0; passed < 54; passed += 6) {
    assert.equal((await list()).status, 200)
    service.clock.advance(6 * minuteMs)
  }
  service.clock.advance(7 * minuteMs)
  await assertProblem(await list(), 401, 'token_expired')
})
