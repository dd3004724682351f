import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import pg from 'pg'
import { authorizePath, connectAccount, consentedCallback } from '../support/consent.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'
import { anonymous, assertProblem, browser, connectorsPath, sendCallback } from './calls.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

it('answers 400 repeated_parameter for a parameter given twice or as an array, everywhere', async () => {
  const callback = await consentedCallback(service)
  const paths = [
    `${authorizePath()}&space_id=${spaceId}`,
    `${authorizePath()}&connector_id=a&connector_id=b`,
    `${authorizePath()}&token[]=x`,
    `${callback.pathname}${callback.search}&code=other`,
    `${callback.pathname}${callback.search}&state[]=x`,
    `${callback.pathname}${callback.search}&error=a&error=b`,
    `${connectorsPath}?limit=1&limit=2`,
    '/v1/events?category=a&category=b',
    `${connectorsPath}/none/token?min_ttl=1&min_ttl=2`,
  ]
  for (const path of paths) {
    const reply = await service.call(path.includes('/token') ? 'POST' : 'GET', path)
    await assertProblem(reply, 400, 'repeated_parameter')
  }
  assert.equal((await sendCallback(service, callback)).status, 200)
})

it('refuses parameters of ten kilobytes and more without a 5xx', async () => {
  const long = 'x'.repeat(10_240)
  const paths = [
    authorizePath({ redirect_uri: `https://app.example/${long}` }),
    authorizePath({ token: long }),
    authorizePath({ connector_id: long }),
    authorizePath({}, long),
    `/v1/connectors/oauth/sandbox/callback?code=${long}&state=x`,
    `/v1/connectors/oauth/sandbox/callback?code=x&state=${long}`,
    `${connectorsPath}/${long}`,
    `${connectorsPath}?cursor=${long}`,
    `/v1/connectors/oauth/sessions/${long}`,
  ]
  for (const path of paths) assert.equal((await service.call('GET', path)).status, 422, path.slice(0, 80))
})

it('answers 414 for a URL over 8 KiB in which no single parameter is to blame', async () => {
  const callback = await consentedCallback(service)
  const path = `${callback.pathname}${callback.search}&own=${'x'.repeat(9_000)}`
  await assertProblem(await service.call('GET', path), 414, 'uri_too_long')
})

it('takes a code of 4 KiB from the provider', async () => {
  const callback = await consentedCallback(service)
  callback.searchParams.set('code', 'x'.repeat(4096))
  await assertProblem(await sendCallback(service, callback), 400, 'invalid_grant')
})

it('refuses NUL characters and broken encodings without a 5xx', async () => {
  const id = await connectAccount(service)
  const gets = [
    `${connectorsPath}?provider_slug=%00`,
    `${connectorsPath}?cursor=%00`,
    `${connectorsPath}?cursor=${Buffer.from('["2026-01-01T00:00:00Z","\\u0000"]').toString('base64url')}`,
    `${connectorsPath}?cursor=${Buffer.from('["+100000-01-01T00:00:00Z","x"]').toString('base64url')}`,
    `${connectorsPath}/a%00b`,
    '/v1/events?resource_id=%00',
    '/v1/events?category=%00',
    '/v1/events?resource_id=%ff%fe',
    '/v1/connectors/oauth/sessions/%00',
    '/v1/admin/connector-providers/%00',
    '/v1/connectors/oauth/%00/callback?code=x&state=y',
    '/v1/connectors/oauth/sandbox/callback?code=%00&state=%00',
    authorizePath({}, '%00'),
    authorizePath({}, 'c-%E0%A4%A'),
    '/v1/connectors/oauth/finished/%00',
    '/%',
  ]
  for (const path of gets) {
    const reply = await service.call('GET', path)
    assert.ok(reply.status < 500, `${path} ${reply.status} ${await reply.text()}`)
  }
  const place = { space_id: spaceId, collection_id: collectionId }
  const bodies: readonly (readonly [string, string, object])[] = [
    ['PATCH', `${connectorsPath}/${id}`, { display_name: 'a\u0000b' }],
    ['PATCH', `${connectorsPath}/${id}`, { sync_schedule: '\u0000' }],
    ['PATCH', `${connectorsPath}/${id}`, { scope_config: { 'a\u0000': 1 } }],
    ['PATCH', `${connectorsPath}/${id}`, { scope_config: { a: 'b\u0000' } }],
    ['PATCH', `${connectorsPath}/${id}`, { scope_config: { a: '\ud800' } }],
    ['PATCH', `${connectorsPath}/${id}`, { scope_config: { a: 1e308, b: -0 } }],
    ['POST', '/v1/connectors/oauth/sandbox/sessions', { ...place, login_hint: '\u0000' }],
    ['POST', '/v1/connectors/oauth/sandbox/sessions', { ...place, origin: 'https://a\u0000.example' }],
    ['POST', '/v1/connectors/oauth/sandbox/complete', { session_id: '\u0000', completion_code: '\u0000' }],
    ['PUT', '/v1/admin/tenant/redirect-uris', [{ uri: 'https://app.example/\u0000', kind: 'landing' }]],
    [
      'PUT',
      '/v1/admin/tenant/redirect-uris',
      [{ uri: 'https://app.example/x', kind: 'callback', provider_slug: '\u0000' }],
    ],
    [
      'POST',
      '/v1/admin/connector-providers',
      { display_name: 'a\u0000', authorization_url: 'https://x.example/a', token_url: 'https://x.example/t' },
    ],
    ['PATCH', '/v1/admin/connector-providers/github', { url_variables: { '\u0000': 'x' } }],
  ]
  for (const [method, path, body] of bodies) {
    const reply = await service.call(method, path, { body })
    assert.ok(reply.status < 500, `${method} ${path} ${JSON.stringify(body)} ${reply.status}`)
  }
})

it('refuses odd bodies without a 5xx', async () => {
  const authorization = `Bearer ${await service.token()}`
  const url = `${service.url}/v1/connectors/oauth/sandbox/sessions`
  const post = (headers: Record<string, string>, body: string) =>
    fetch(url, { method: 'POST', headers: { authorization, ...headers }, body })
  await assertProblem(await post({ 'content-type': 'text/plain' }, '{}'), 415, 'unsupported_media_type')
  await assertProblem(await post({ 'content-type': 'application/xml' }, '<a/>'), 415, 'unsupported_media_type')
  const huge = JSON.stringify({ collection_id: 'x'.repeat(2_000_000) })
  await assertProblem(await post({ 'content-type': 'application/json' }, huge), 413, 'body_too_large')
  for (const body of ['null', '[]', '"x"', '7', '[[[[[[]]]]]]']) {
    assert.equal((await post({ 'content-type': 'application/json' }, body)).status, 422, body)
  }
  const deep = `{"scope_config":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`
  assert.ok((await post({ 'content-type': 'application/json' }, deep)).status < 500)
})

it('answers 503 with Retry-After while the database is down, is live but not ready, and recovers by itself', async () => {
  const server = new URL(service.database.adminUrl)
  const name = server.pathname.slice(1)
  server.pathname = '/postgres'
  const admin = new pg.Client({ connectionString: server.href })
  await admin.connect()
  try {
    await admin.query(`alter database ${name} allow_connections false`)
    await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name])
    for (const [method, path] of [
      ['GET', connectorsPath],
      ['GET', authorizePath()],
      ['DELETE', `${connectorsPath}/x`],
    ] as const) {
      const reply = await service.call(method, path)
      assert.match(reply.headers.get('retry-after') ?? '', /^\d+$/)
      await assertProblem(reply, 503, 'database_unavailable')
    }
    const headers = { ...browser, authorization: `Bearer ${await service.token()}` }
    const page = await anonymous(service, authorizePath(), headers)
    assert.equal(page.status, 503)
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/)
    assert.equal((await anonymous(service, '/health/live')).status, 200)
    assert.equal((await anonymous(service, '/health/ready')).status, 503)
    // Who nobody knows learns nothing of it.
    await assertProblem(await anonymous(service, connectorsPath), 401, 'unauthorized')
  } finally {
    await admin.query(`alter database ${name} allow_connections true`)
    await admin.end()
  }
  assert.equal((await service.call('GET', connectorsPath)).status, 200)
  assert.equal((await anonymous(service, '/health/ready')).status, 200)
  assert.match(await connectAccount(service), /^conn_/)
})
