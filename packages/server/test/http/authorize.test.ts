import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, it } from 'node:test'
import { authorizePath, connectAccount } from '../support/consent.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'
import { anonymous, assertProblem, browser, countOf, otherId, rows } from './calls.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

async function depart(path = authorizePath(), headers: Readonly<Record<string, string>> = {}): Promise<URL> {
  const reply = await service.call('GET', path, { headers })
  assert.equal(reply.status, 303, await reply.text())
  return new URL(reply.headers.get('location') ?? '')
}

it('sends the browser to the provider with 303, response_type=code, PKCE S256, state and the context’s own redirect URI', async () => {
  const location = await depart()
  assert.equal(location.origin + location.pathname, `${service.sandbox.issuer}/auth`)
  const query = Object.fromEntries(location.searchParams)
  assert.equal(query['response_type'], 'code')
  assert.equal(query['client_id'], 'connector-oauth')
  assert.equal(query['code_challenge_method'], 'S256')
  assert.match(query['code_challenge'] ?? '', /^[A-Za-z0-9_-]{43}$/)
  assert.equal(query['redirect_uri'], `${service.url}/v1/connectors/oauth/sandbox/callback`)
  assert.equal(query['scope'], 'openid profile email offline_access')
  assert.match(query['nonce'] ?? '', /^[A-Za-z0-9_-]{43}$/)
})

it('draws 256 fresh random bits for every state, challenge and nonce, and puts no data into the state', async () => {
  const departures = await Promise.all(Array.from({ length: 20 }, () => depart()))
  for (const name of ['state', 'code_challenge', 'nonce']) {
    const values = departures.map((location) => location.searchParams.get(name) ?? '')
    assert.equal(new Set(values).size, 20, name)
    for (const value of values) assert.equal(Buffer.from(value, 'base64url').length, 32, name)
  }
  for (const location of departures) {
    const decoded = Buffer.from(location.searchParams.get('state') ?? '', 'base64url').toString('latin1')
    for (const known of ['acme', 'ada', 'sandbox', spaceId]) assert.ok(!decoded.includes(known))
    assert.throws(() => JSON.parse(decoded))
  }
})

it('keeps the state only as a digest, the verifier and nonce only sealed', async () => {
  const location = await depart()
  const table = JSON.stringify(await rows(service, 'select * from transactions'))
  for (const name of ['state', 'nonce', 'code_challenge']) {
    assert.ok(!table.includes(location.searchParams.get(name) ?? 'absent'), name)
  }
})

it('refuses a tenant_id that is not the bearer’s with 403 tenant_mismatch, and accepts the bearer’s own', async () => {
  await assertProblem(await service.call('GET', authorizePath({ tenant_id: 'globex' })), 403, 'tenant_mismatch')
  await depart(authorizePath({ tenant_id: 'acme' }))
})

it('answers 404 provider_unknown for a provider that does not exist', async () => {
  for (const slug of ['none', 'Sandbox', 'c-0123456789abcdef', '..%2Fsandbox', 'constructor', '__proto__']) {
    await assertProblem(await service.call('GET', authorizePath({}, slug)), 404, 'provider_unknown')
  }
})

it('answers 409 provider_not_configured for a provider without a provider app', async () => {
  await assertProblem(await service.call('GET', authorizePath({}, 'github')), 409, 'provider_not_configured')
})

it('refuses a connector_id that is known elsewhere in the tenant with 409 connector_id_taken', async () => {
  const id = await connectAccount(service)
  const elsewhere = authorizePath({ connector_id: id }).replace(spaceId, otherId)
  await assertProblem(await service.call('GET', elsewhere), 409, 'connector_id_taken')
})

it('lets two tenants use the same connector_id', async () => {
  const query = { connector_id: 'conn_shared' }
  assert.equal(await connectAccount(service, { query }), 'conn_shared')
  assert.equal(
    await connectAccount(service, { query, token: await service.token({ tenant: 'globex' }) }),
    'conn_shared',
  )
})

it('builds redirect URIs from PUBLIC_URL, never from Host or forwarding headers', async () => {
  const expected = `${service.url}/v1/connectors/oauth/sandbox/callback`
  const forwarded = await depart(authorizePath(), {
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'https',
    forwarded: 'host=evil.example',
  })
  assert.equal(forwarded.searchParams.get('redirect_uri'), expected)
  const authorization = `Bearer ${await service.token()}`
  const location = await new Promise<string>((resolve, reject) => {
    const headers = { authorization, host: 'evil.example' }
    request(service.url + authorizePath(), { headers }, (reply) => {
      reply.resume()
      resolve(reply.headers.location ?? '')
    })
      .on('error', reject)
      .end()
  })
  assert.equal(new URL(location).searchParams.get('redirect_uri'), expected)
})

it('HEAD answers without a row', async () => {
  const earlier = await countOf(service, 'transactions')
  const reply = await service.call('HEAD', authorizePath())
  assert.equal(reply.status, 204)
  assert.equal(reply.headers.get('location'), null)
  assert.equal(await countOf(service, 'transactions'), earlier)
})

it('refuses prefetches and prerenders with 503, without a row', async () => {
  const earlier = await countOf(service, 'transactions')
  const signs = [{ 'sec-purpose': 'prefetch;prerender' }, { purpose: 'prefetch' }, { 'x-moz': 'prefetch' }]
  for (const headers of signs) {
    const reply = await service.call('GET', authorizePath(), { headers })
    assert.equal(reply.headers.get('retry-after'), '1')
    await assertProblem(reply, 503, 'prefetch_refused')
  }
  assert.equal(await countOf(service, 'transactions'), earlier)
})

it('seals a token that is no ticket, never logs it, and refuses more than 512 visible characters', async () => {
  const token = `caller-context-${'x'.repeat(497)}`
  assert.equal(token.length, 512)
  await depart(authorizePath({ token }))
  assert.ok(!service.logs.some((line) => line.includes('caller-context-')))
  assert.ok(!JSON.stringify(await rows(service, 'select * from transactions')).includes('caller-context-'))
  for (const bad of [`${token}x`, 'with space', 'tab\t', 'ümlaut']) {
    assert.equal((await service.call('GET', authorizePath({ token: bad }))).status, 422)
  }
})

it('gives a browser a page for every error, that tells nobody and reflects no parameter unescaped', async () => {
  const headers = { ...browser, authorization: `Bearer ${await service.token()}` }
  const markup = '<script>alert(1)</script>'
  const paths = [
    authorizePath({}, 'none'),
    authorizePath({ tenant_id: 'globex' }),
    authorizePath({ connector_id: markup }),
    `${authorizePath()}&space_id=${spaceId}`,
    authorizePath({}, encodeURIComponent(markup)),
  ]
  for (const path of paths) {
    const reply = await anonymous(service, path, headers)
    assert.ok(reply.status >= 400, path)
    assert.match(reply.headers.get('content-type') ?? '', /^text\/html/)
    assert.ok(!(await reply.text()).includes(markup))
  }
  const bare = await anonymous(service, authorizePath(), browser)
  assert.equal(bare.status, 401)
  assert.match(bare.headers.get('content-type') ?? '', /^text\/html/)
  assert.equal(bare.headers.get('location'), null)
})

it('refuses more than twenty open authorizations of one user with 429 and Retry-After', async () => {
  await using limited = await startTestService({ env: { RATE_LIMITS: 'on' } })
  for (let started = 0; started < 20; started += 1) {
    assert.equal((await limited.call('GET', authorizePath())).status, 303)
  }
  const reply = await limited.call('GET', authorizePath())
  assert.match(reply.headers.get('retry-after') ?? '', /^\d+$/)
  await assertProblem(reply, 429, 'too_many_pending')
  const other = await limited.token({ sub: 'bob' })
  assert.equal((await limited.call('GET', authorizePath(), { token: other })).status, 303)
  limited.clock.advance(10 * 60_000 + 1)
  assert.equal((await limited.call('GET', authorizePath())).status, 303)
})

it('stores spaces and collections in one spelling', async () => {
  const upper = { collection_id: collectionId.toUpperCase(), space_id: spaceId.toUpperCase() }
  await connectAccount(service, { query: { ...upper, connector_id: 'conn_upper' } })
  const path = `/v1/spaces/${spaceId}/collections/${collectionId}/connectors/conn_upper`
  assert.equal((await service.call('GET', path)).status, 200)
})
