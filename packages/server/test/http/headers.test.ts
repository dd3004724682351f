import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { authorizePath, consentedCallback } from '../support/consent.ts'
import { startTestService, type TestService } from '../support/service.ts'
import {
  anonymous,
  assertProblem,
  browser,
  connectorsPath,
  jsonOf,
  parkedSession,
  send,
  startSession,
} from './calls.ts'

let service: TestService
before(async () => {
  service = await startTestService({ env: { ALLOWED_ORIGINS: 'https://app.example' } })
})
after(() => service[Symbol.asyncDispose]())

/** Every page and redirect of the flow. */
async function flowReplies(): Promise<readonly Response[]> {
  const bearer = { authorization: `Bearer ${await service.token()}` }
  const callback = await consentedCallback(service)
  const session = await startSession(service)
  const { sessionId, callback: used } = await parkedSession(service)
  return Promise.all([
    anonymous(service, authorizePath(), bearer),
    anonymous(service, authorizePath(), browser),
    send(session.authorize_url, { headers: browser }),
    anonymous(service, callback.pathname + callback.search, { ...browser, ...bearer }),
    anonymous(service, used.pathname + used.search, browser),
    anonymous(service, `/v1/connectors/oauth/finished/${sessionId}`, browser),
    anonymous(service, '/v1/connectors/oauth/finished/none', browser),
  ])
}

it('keeps every reply of the flow out of caches, referrers and frames', async () => {
  for (const reply of await flowReplies()) {
    assert.equal(reply.headers.get('cache-control'), 'no-store')
    assert.equal(reply.headers.get('referrer-policy'), 'no-referrer')
    assert.equal(reply.headers.get('x-content-type-options'), 'nosniff')
    assert.match(reply.headers.get('content-security-policy') ?? '', /default-src 'none'.*frame-ancestors 'none'/)
    assert.equal(reply.headers.get('cross-origin-opener-policy'), 'unsafe-none')
    assert.ok(reply.headers.has('x-request-id'))
    assert.ok(!reply.headers.has('server') && !reply.headers.has('x-powered-by'))
  }
})

it('gives every page a policy with a fresh nonce, no base, and nothing third-party', async () => {
  const pages = (await flowReplies()).filter((reply) => reply.headers.get('content-type')?.startsWith('text/html'))
  assert.ok(pages.length >= 4)
  const nonces = pages.map((page) => {
    const policy = page.headers.get('content-security-policy') ?? ''
    assert.match(policy, /base-uri 'none'/)
    assert.ok(!policy.includes('unsafe') && !/https?:|\*/.test(policy), policy)
    return /script-src 'nonce-([^']+)'/.exec(policy)?.[1]
  })
  assert.equal(new Set(nonces).size, nonces.length)
  for (const page of pages) assert.ok(!/(src|href)="(?!data:)[^"]/.test(await page.text()))
})

it('redirects with 303 and never with a status that repeats a request', async () => {
  const redirects = (await flowReplies()).filter((reply) => reply.headers.has('location'))
  assert.ok(redirects.length >= 2)
  for (const reply of redirects) assert.equal(reply.status, 303)
})

it('leads from the callback to a clean address, so that the code leaves the browser’s history', async () => {
  const { callback } = await parkedSession(service)
  assert.ok(callback.searchParams.has('code'))
  const session = await startSession(service, { origin: service.url })
  assert.equal((await anonymous(service, `/v1/connectors/oauth/finished/${session.session_id}`)).status, 200)
})

it('binds the browser with a __Host- cookie: Secure, HttpOnly, Lax, at most ten minutes, random', async () => {
  const open = async () => {
    const session = await startSession(service)
    const reply = await send(session.authorize_url, { headers: browser })
    return { cookies: reply.headers.getSetCookie(), location: reply.headers.get('location') ?? '' }
  }
  const { cookies, location } = await open()
  assert.equal(cookies.length, 1)
  const [pair = '', ...attributes] = (cookies[0] ?? '').split('; ')
  assert.match(pair, /^__Host-[A-Za-z0-9_-]+=[A-Za-z0-9_-]{43}$/)
  assert.deepEqual(attributes.toSorted(), ['HttpOnly', 'Max-Age=600', 'Path=/', 'SameSite=Lax', 'Secure'])
  assert.ok(!location.includes(pair.split('=')[1] ?? '?'))
  const other = await open()
  assert.notEqual(other.cookies[0]?.split('=')[1], pair.split('=')[1])
})

it('keeps at most ten binding cookies', async () => {
  const jar = Array.from({ length: 10 }, (_, index) => `__Host-co_a${index}_ses_${index}=x`).join('; ')
  const session = await startSession(service)
  const reply = await send(session.authorize_url, { headers: { ...browser, cookie: jar } })
  const set = reply.headers.getSetCookie()
  assert.equal(set.filter((line) => line.startsWith('__Host-co_a0_ses_0=;')).length, 1)
  assert.equal(set.length, 2)
})

it('sets no cookie for a caller with a bearer, and none on any API reply', async () => {
  const replies = [await service.call('GET', authorizePath()), await service.call('GET', connectorsPath)]
  for (const reply of replies) assert.deepEqual(reply.headers.getSetCookie(), [])
})

it('answers CORS to the exact origins in the list, and never with credentials', async () => {
  const preflight = (origin: string) =>
    anonymous(service, connectorsPath, { origin, 'access-control-request-method': 'GET' }, 'OPTIONS')
  const allowed = await preflight('https://app.example')
  assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://app.example')
  assert.equal(allowed.headers.get('access-control-allow-credentials'), null)
  const headers = allowed.headers.get('access-control-allow-headers')?.split(', ')
  assert.deepEqual(headers, ['authorization', 'content-type', 'idempotency-key', 'last-event-id'])
  for (const origin of ['https://app.example.evil.example', 'http://app.example', 'https://app.example:444', 'null']) {
    assert.equal((await preflight(origin)).headers.get('access-control-allow-origin'), null, origin)
  }
})

it('sends HSTS when PUBLIC_URL is https', async () => {
  assert.equal((await service.call('GET', connectorsPath)).headers.get('strict-transport-security'), null)
  await using secure = await startTestService({ env: { PUBLIC_URL: 'https://connect.example' } })
  const reply = await secure.call('GET', connectorsPath)
  assert.match(reply.headers.get('strict-transport-security') ?? '', /^max-age=\d{8}/)
  const departure = await secure.call('GET', authorizePath())
  const sent = new URL(departure.headers.get('location') ?? '').searchParams.get('redirect_uri')
  assert.equal(sent, 'https://connect.example/v1/connectors/oauth/sandbox/callback')
})

it('serves OpenAPI 3.1 of the routes there are, and a reference page', async () => {
  const document = await jsonOf(await fetch(`${service.url}/openapi.json`))
  assert.match(String(document['openapi']), /^3\.1\./)
  const paths = document['paths'] as Record<
    string,
    Record<string, { parameters?: { name: string; required?: boolean }[] }>
  >
  const authorize = paths['/v1/connectors/oauth/{provider_slug}/authorize']?.['get']
  const parameters = Object.fromEntries(
    (authorize?.parameters ?? []).map(({ name, required }) => [name, required ?? false]),
  )
  assert.deepEqual(parameters, {
    collection_id: true,
    space_id: true,
    redirect_uri: false,
    connector_id: false,
    token: false,
    tenant_id: false,
    provider_slug: true,
  })
  assert.ok(!Object.keys(paths).some((path) => path.includes('api-proxy')))
  for (const path of Object.keys(paths)) assert.match(path, /^(\/([a-z0-9-]+|\{[a-z_]+\}))+$/)
  const proxy = Object.entries(paths).find(([path]) => path.endsWith('/proxy/{path}'))?.[1]['get']
  assert.ok(proxy?.parameters?.some(({ name, required }) => name === 'path' && required))
  const docs = await fetch(`${service.url}/docs`)
  assert.equal(docs.status, 200)
  assert.match(docs.headers.get('content-type') ?? '', /^text\/html/)
})

it('answers 404 for what there is not and 405 for another method, as JSON', async () => {
  await assertProblem(await service.call('GET', '/v1/none'), 404, 'not_found')
  for (const prefix of ['', '/api-proxy']) {
    const reply = await service.call('PUT', prefix + connectorsPath)
    assert.equal(reply.headers.get('allow'), 'GET, POST')
    await assertProblem(reply, 405, 'method_not_allowed')
  }
  await assertProblem(await service.call('GET', `${connectorsPath}/conn_x/token`), 405, 'method_not_allowed')
})

it('is live and ready', async () => {
  assert.equal((await anonymous(service, '/health/live')).status, 200)
  assert.equal((await anonymous(service, '/health/ready')).status, 200)
})
