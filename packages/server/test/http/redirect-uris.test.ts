import assert from 'node:assert/strict'
import { after, before, beforeEach, it } from 'node:test'
import { authorizePath, consentAt } from '../support/consent.ts'
import { startTestService, type TestService } from '../support/service.ts'
import { assertProblem, browser, complete, consentedTicket, dataOf, jsonOf, send, startSession } from './calls.ts'

const path = '/v1/admin/tenant/redirect-uris'
const landing = 'https://app.acme.example/landed?from=oauth'
const callback = 'http://localhost:4999/oauth/callback'

let service: TestService
before(async () => {
  service = await startTestService({ env: { ALLOWED_REDIRECT_URIS: 'https://everybody.example/done' } })
})
after(() => service[Symbol.asyncDispose]())
beforeEach(async () => {
  const entries = [
    { uri: landing, kind: 'landing' },
    { uri: callback, kind: 'callback', provider_slug: 'sandbox' },
    { uri: 'http://localhost:4999/other/callback', kind: 'callback', provider_slug: 'github' },
  ]
  assert.equal((await service.call('PUT', path, { body: entries })).status, 200)
})

const authorize = (redirect_uri: string) => service.call('GET', authorizePath({ redirect_uri }))
const sentTo = (reply: Response) => new URL(reply.headers.get('location') ?? '').searchParams.get('redirect_uri')
const own = () => `${service.url}/v1/connectors/oauth/sandbox/callback`

it('keeps the list, answers it back, and keeps it from other tenants', async () => {
  const entries = await dataOf<readonly object[]>(await service.call('GET', path))
  assert.equal(entries.length, 3)
  assert.ok(entries.some((entry) => 'provider_slug' in entry && entry.provider_slug === 'sandbox'))
  const token = await service.token({ tenant: 'globex' })
  assert.deepEqual(await dataOf(await service.call('GET', path, { token })), [])
  const foreign = await service.call('GET', authorizePath({ redirect_uri: landing }), { token })
  await assertProblem(foreign, 400, 'redirect_uri_not_registered')
})

it('never sends a landing page to the provider: the popup ends there after the callback was handled here', async () => {
  const session = await startSession(service, { redirect_uri: landing })
  const { callback: back, cookies } = await consentedTicket(service, session)
  assert.equal(back.origin + back.pathname, own())
  const reply = await send(back, { headers: { ...browser, cookie: cookies } })
  assert.equal(reply.status, 303)
  const [page, fragment] = (reply.headers.get('location') ?? '').split('#')
  assert.equal(page, landing)
  const code = new URLSearchParams(fragment).get('completion_code')
  const done = await complete(service, { session_id: session.session_id, completion_code: code })
  assert.equal(done.status, 200)
})

it('sends a callback entry to the provider as it stands, and exchanges the code with the same string', async () => {
  const departure = await authorize(callback)
  assert.equal(departure.status, 303)
  assert.equal(sentTo(departure), callback)
  const back = await consentAt(departure.headers.get('location') ?? '')
  assert.equal(back.origin + back.pathname, callback)
  // That page calls the service's callback with its bearer.
  const reply = await service.call('GET', `/v1/connectors/oauth/sandbox/callback${back.search}`)
  assert.equal(reply.status, 200, await reply.text())
})

it('refuses a callback entry of another provider', async () => {
  await assertProblem(await authorize('http://localhost:4999/other/callback'), 400, 'redirect_uri_not_registered')
})

it('matches as an exact string', async () => {
  const near = [
    `${landing}&more=1`,
    landing.replace('https:', 'http:'),
    landing.replace('app.acme', 'APP.acme'),
    landing.replace('?from=oauth', ''),
    landing.replace('/landed', '/landed/'),
    landing.replace('/landed', '/x/../landed'),
    landing.replace('.example', '.example:443'),
    landing.replace('.example', '.example.evil.example'),
    landing.replace('https://', 'https://user@'),
    `${landing}#fragment`,
  ]
  for (const uri of near) await assertProblem(await authorize(uri), 400, 'redirect_uri_not_registered')
})

it('allows ALLOWED_REDIRECT_URIS as landing pages to every tenant', async () => {
  const token = await service.token({ tenant: 'globex' })
  const reply = await service.call('GET', authorizePath({ redirect_uri: 'https://everybody.example/done' }), { token })
  assert.equal(reply.status, 303)
  assert.equal(sentTo(reply), own())
})

it('ends at the landing page after an exchange with a bearer in a browser', async () => {
  const departure = await authorize(landing)
  const back = await consentAt(departure.headers.get('location') ?? '')
  const reply = await service.call('GET', back.pathname + back.search, { headers: { accept: 'text/html' } })
  assert.equal(reply.status, 303)
  const [page, fragment] = (reply.headers.get('location') ?? '').split('#')
  assert.equal(page, landing)
  const said = Object.fromEntries(new URLSearchParams(fragment))
  assert.equal(said['status'], 'connected')
  assert.ok(!('completion_code' in said))
})

it('refuses entries that are not exact https strings, all problems at once', async () => {
  const bad = [
    'http://app.example/x',
    'https://app.example/#x',
    'https://user:pw@app.example/',
    'https://*.example/',
    'javascript:alert(1)',
    'https://app.example/a b',
    '/relative',
    'https:\\\\app.example',
    'http://169.254.169.254/',
    'http://localhost.evil.example/',
  ]
  const entries = bad.map((uri) => ({ uri, kind: 'landing' }))
  const reply = await service.call('PUT', path, { body: entries })
  assert.equal(reply.status, 422)
  const { detail } = (await jsonOf(reply)) as { detail: { loc: unknown[] }[] }
  assert.deepEqual(
    detail.map((problem) => problem.loc),
    bad.map((_uri, index) => ['body', index, 'uri']),
  )
  assert.equal((await dataOf<unknown[]>(await service.call('GET', path))).length, 3)
})

it('asks for the provider of a callback entry, and takes none for a landing page', async () => {
  const uri = 'https://app.example/x'
  const cases = [
    { uri, kind: 'callback' },
    { uri, kind: 'callback', provider_slug: 'none' },
    { uri, kind: 'landing', provider_slug: 'github' },
    { uri, kind: 'page' },
  ]
  for (const entry of cases) assert.equal((await service.call('PUT', path, { body: [entry] })).status, 422)
})

it('lets no two entries share one address', async () => {
  const entries = [
    { uri: callback, kind: 'callback', provider_slug: 'sandbox' },
    { uri: callback, kind: 'callback', provider_slug: 'github' },
  ]
  assert.equal((await service.call('PUT', path, { body: entries })).status, 422)
})
