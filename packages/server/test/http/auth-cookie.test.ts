import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { authorizePath, consentAt, consentedCallback } from '../support/consent.ts'
import { startTestService, type TestService } from '../support/service.ts'
import { anonymous, assertProblem, browser, connectorsPath, jsonOf, send } from './calls.ts'

let service: TestService
before(async () => {
  service = await startTestService({ env: { AUTH_COOKIE: 'platform_session' } })
})
after(() => service[Symbol.asyncDispose]())

const sameSite = { ...browser, 'sec-fetch-site': 'same-origin' }
const cookie = async (claims = {}) => `platform_session=${await service.token(claims)}`

it('AUTH_COOKIE authenticates authorize and callback', async () => {
  const headers = { ...sameSite, cookie: await cookie() }
  const departure = await anonymous(service, authorizePath(), headers)
  assert.equal(departure.status, 303)
  const callback = await consentAt(departure.headers.get('location') ?? '')
  const reply = await send(callback, { headers: { accept: 'application/json', cookie: await cookie() } })
  assert.equal(reply.status, 200)
  assert.equal((await jsonOf(reply))['message'], 'OAuth connection established successfully')
})

it('AUTH_COOKIE authenticates nothing else', async () => {
  const headers = { cookie: await cookie() }
  const calls: readonly (readonly [string, string])[] = [
    ['GET', connectorsPath],
    ['POST', connectorsPath],
    ['POST', `${connectorsPath}/conn_x/token`],
    ['DELETE', `${connectorsPath}/conn_x`],
    ['POST', '/v1/connectors/oauth/sandbox/sessions'],
    ['POST', '/v1/connectors/oauth/sandbox/complete'],
    ['GET', '/v1/connector-providers'],
    ['GET', '/v1/admin/connector-providers'],
    ['PUT', '/v1/admin/tenant/redirect-uris'],
    ['GET', '/v1/events'],
  ]
  for (const [method, path] of calls) {
    await assertProblem(await anonymous(service, path, headers, method), 401, 'unauthorized')
  }
})

it('refuses a cross-site click that would ride on the cookie', async () => {
  const reply = await anonymous(service, authorizePath(), { ...browser, accept: '*/*', cookie: await cookie() })
  await assertProblem(reply, 403, 'not_a_navigation')
})

it('refuses a frame, an image and a script’s request that would ride on the cookie', async () => {
  for (const dest of ['iframe', 'image', 'empty']) {
    const headers = { ...sameSite, accept: '*/*', 'sec-fetch-dest': dest, cookie: await cookie() }
    await assertProblem(await anonymous(service, authorizePath(), headers), 403, 'not_a_navigation')
  }
})

it('treats a stale or forged cookie as none', async () => {
  const reply = await anonymous(service, authorizePath(), { cookie: 'platform_session=nonsense' })
  await assertProblem(reply, 401, 'unauthorized')
})

it('refuses the cookie of another user at the callback', async () => {
  const callback = await consentedCallback(service)
  const earlier = service.sandbox.counts.tokenRequests
  const headers = { cookie: await cookie({ sub: 'eve' }) }
  await assertProblem(await anonymous(service, callback.pathname + callback.search, headers), 403, 'principal_mismatch')
  assert.equal(service.sandbox.counts.tokenRequests, earlier)
})

it('ignores cookies when AUTH_COOKIE is unset', async () => {
  await using plain = await startTestService()
  const headers = { cookie: `platform_session=${await plain.token()}; undefined=${await plain.token()}` }
  await assertProblem(await anonymous(plain, authorizePath(), headers), 401, 'unauthorized')
})
