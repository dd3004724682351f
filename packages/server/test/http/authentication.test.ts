import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { after, before, it } from 'node:test'
import { exportJWK, UnsecuredJWT } from 'jose'
import { authorizePath } from '../support/consent.ts'
import { startHostileProvider, type HostileProvider } from '../support/hostile-provider.ts'
import { allRights, startTestService, type TestService } from '../support/service.ts'
import { anonymous, assertProblem, connectorsPath, countOf, signed, type Json } from './calls.ts'

let service: TestService
let elsewhere: HostileProvider
before(async () => {
  service = await startTestService({ env: { AUTH_DEFAULT_TENANT: 'home' } })
  elsewhere = await startHostileProvider()
})
after(async () => {
  await service[Symbol.asyncDispose]()
  await elsewhere.close()
})

const list = (token: string) => service.call('GET', connectorsPath, { token })
const nowSeconds = () => Math.floor(service.clock.now().getTime() / 1000)

it('answers 401 with WWW-Authenticate and no error code when no credentials came', async () => {
  const reply = await anonymous(service, connectorsPath)
  assert.equal(reply.headers.get('www-authenticate'), 'Bearer realm="connector-oauth"')
  await assertProblem(reply, 401, 'unauthorized')
})

it('answers 401 with error="invalid_token" when a bearer came and is bad', async () => {
  const reply = await list('nonsense')
  assert.match(reply.headers.get('www-authenticate') ?? '', /^Bearer realm="connector-oauth", error="invalid_token"$/)
  await assertProblem(reply, 401, 'unauthorized')
})

it('refuses every scheme but Bearer', async () => {
  const token = await service.token()
  for (const authorization of [`Basic ${token}`, token, 'Bearer', `Bearer ${token} ${token}`, `Token ${token}`]) {
    await assertProblem(await anonymous(service, connectorsPath, { authorization }), 401, 'unauthorized')
  }
  assert.equal((await anonymous(service, connectorsPath, { authorization: `bearer ${token}` })).status, 200)
})

it('refuses alg none', async () => {
  const claims = { sub: 'ada', tenant_id: 'acme', scope: allRights, exp: nowSeconds() + 600 }
  await assertProblem(await list(new UnsecuredJWT(claims).encode()), 401, 'unauthorized')
})

it('takes the algorithm from the configuration, never from the token', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  await assertProblem(await list(await signed(service, {}, { alg: 'RS256' }, privateKey)), 401, 'unauthorized')
  for (const alg of ['HS384', 'HS512']) {
    await assertProblem(await list(await signed(service, {}, { alg })), 401, 'unauthorized')
  }
})

it('refuses a token signed with another secret', async () => {
  const key = Buffer.from('another secret of more than thirty-two bytes')
  await assertProblem(await list(await signed(service, {}, {}, key)), 401, 'unauthorized')
})

it('refuses a token whose payload was changed after signing', async () => {
  const [header, , signature] = (await signed(service, {})).split('.')
  const payload = Buffer.from(JSON.stringify({ sub: 'eve', tenant_id: 'acme', exp: nowSeconds() + 600 }))
  await assertProblem(await list(`${header}.${payload.toString('base64url')}.${signature}`), 401, 'unauthorized')
})

it('refuses an expired token and one without exp, also when it was good a moment ago', async () => {
  await assertProblem(await list(await signed(service, { exp: nowSeconds() - 1 })), 401, 'token_expired')
  await assertProblem(await list(await signed(service, { exp: undefined })), 401, 'unauthorized')
  const short = await signed(service, { exp: nowSeconds() + 30 })
  assert.equal((await list(short)).status, 200)
  service.clock.advance(31_000)
  await assertProblem(await list(short), 401, 'token_expired')
})

it('refuses a token that is not valid yet', async () => {
  await assertProblem(await list(await signed(service, { nbf: nowSeconds() + 120 })), 401, 'unauthorized')
})

it('refuses a token without subject, and one whose subject is no text', async () => {
  await assertProblem(await list(await signed(service, { sub: undefined })), 401, 'unauthorized')
  for (const sub of ['', 'a\u0000', '\ud800', 'x'.repeat(257)]) {
    await assertProblem(await list(await signed(service, { sub })), 401, 'unauthorized')
  }
  assert.equal((await list(await signed(service, { sub: 'auth0|ädä 🙂' }))).status, 200)
})

it('ignores jku, x5u and jwk headers: a foreign key opens nothing and is never fetched', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'mine', alg: 'RS256' }
  elsewhere.answer('/jwks', { json: { keys: [jwk] } })
  const url = `${elsewhere.origin}/jwks`
  for (const header of [{ jku: url }, { x5u: url }, { jwk }]) {
    const foreign = await signed(service, {}, { alg: 'RS256', kid: 'mine', ...header }, privateKey)
    await assertProblem(await list(foreign), 401, 'unauthorized')
    // On a token that is good, they change nothing.
    assert.equal((await list(await signed(service, {}, { kid: 'mine', ...header }))).status, 200)
  }
  assert.equal(elsewhere.seen.length, 0)
})

it('reads the tenant from its claim, and gives a token without it the default tenant', async () => {
  const events = (token: string) => service.call('GET', '/v1/connector-providers', { token })
  assert.equal((await events(await signed(service, { tenant_id: undefined }))).status, 200)
  const path = authorizePath({ tenant_id: 'home' })
  const reply = await service.call('GET', path, { token: await signed(service, { tenant_id: undefined }) })
  assert.equal(reply.status, 303)
  for (const tenant of ['', 'has space', 'x'.repeat(129), 7, null, ['acme']]) {
    const token = await signed(service, { tenant_id: tenant })
    assert.equal((await events(token)).status, 401, JSON.stringify(tenant))
  }
})

it('refuses a token without a tenant where AUTH_DEFAULT_TENANT is unset, and reads the claim AUTH_TENANT_CLAIM names', async () => {
  const env = {
    NODE_ENV: 'production',
    PUBLIC_URL: 'https://connect.example',
    ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    AUTH_JWT_SECRET: randomBytes(32).toString('base64'),
    AUTH_TENANT_CLAIM: 'org',
  }
  await using strict = await startTestService({ env })
  const call = async (claims: Json) => strict.call('GET', connectorsPath, { token: await signed(strict, claims) })
  const body = await assertProblem(await call({}), 401, 'unauthorized')
  assert.match(String(body['detail']), /\borg\b/)
  assert.equal((await call({ org: 'acme' })).status, 200)
})

it('gives a token without scope the default rights, which never export a token', async () => {
  const token = await signed(service, { scope: undefined })
  assert.equal((await list(token)).status, 200)
  const reply = await service.call('POST', `${connectorsPath}/conn_none/token`, { token })
  assert.match(reply.headers.get('www-authenticate') ?? '', /error="insufficient_scope"/)
  await assertProblem(reply, 403, 'missing_right')
  await assertProblem(await list(await signed(service, { scope: '' })), 403, 'missing_right')
})

it('answers 401 at authorize without a redirect, a cookie or a row', async () => {
  const earlier = await countOf(service, 'transactions')
  for (const headers of [{}, { accept: 'text/html' }, { authorization: 'Bearer nonsense' }]) {
    const reply = await anonymous(service, authorizePath(), headers)
    assert.equal(reply.status, 401)
    assert.equal(reply.headers.get('location'), null)
    assert.deepEqual(reply.headers.getSetCookie(), [])
  }
  assert.equal(await countOf(service, 'transactions'), earlier)
})
