import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { authorizePath } from '../support/consent.ts'
import { startTestService, type TestService } from '../support/service.ts'
import { anonymous, assertProblem, browser, otherId, racing, rows, sessionStatus, startSession } from './calls.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

const pathOf = (url: string) => new URL(url).pathname + new URL(url).search
const open = (url: string, headers: Readonly<Record<string, string>> = {}) => anonymous(service, pathOf(url), headers)
const refused = async (reply: Response) => assertProblem(reply, 401, 'invalid_ticket')

it('mints a ticket of at least 256 random bits that lives 120 seconds', async () => {
  const minted = service.clock.now().getTime()
  const session = await startSession(service)
  assert.deepEqual(Object.keys(session).toSorted(), ['authorize_url', 'expires_at', 'session_id', 'token'])
  assert.ok(Buffer.from(session.token.replace(/^ctk_/, ''), 'base64url').length >= 32)
  const life = new Date(session.expires_at).getTime() - minted
  assert.ok(life >= 119_000 && life <= 121_000, String(life))
  assert.match(session.expires_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
})

it('stores the ticket hashed', async () => {
  const { token } = await startSession(service)
  const dump = JSON.stringify(await rows(service, 'select * from transactions'))
  assert.ok(!dump.includes(token) && !dump.includes(token.slice(4)))
})

it('opens once and never again', async () => {
  const { authorize_url: url, session_id: id } = await startSession(service)
  assert.equal((await sessionStatus(service, id))['status'], 'created')
  assert.equal((await open(url)).status, 303)
  assert.equal((await sessionStatus(service, id))['status'], 'started')
  await refused(await open(url))
})

it('lets exactly one of fifty parallel uses through', async () => {
  const { authorize_url: url } = await startSession(service)
  const replies = await racing(service, () => Promise.all(Array.from({ length: 50 }, () => open(url))))
  const statuses = replies.map((reply) => reply.status)
  assert.equal(statuses.filter((status) => status === 303).length, 1)
  assert.equal(statuses.filter((status) => status === 401).length, 49)
})

it('is refused after 120 seconds', async () => {
  const { authorize_url: url, session_id: id } = await startSession(service)
  service.clock.advance(121_000)
  await refused(await open(url))
  service.clock.advance(600_000)
  assert.equal((await sessionStatus(service, id))['status'], 'expired')
})

it('is refused with any parameter altered, added or left out, and is not used up by that', async () => {
  const fixed = { connector_id: 'conn_ticket' }
  const { authorize_url: url } = await startSession(service, fixed)
  const altered = (change: (query: URLSearchParams) => void) => {
    const copy = new URL(url)
    change(copy.searchParams)
    return copy.href
  }
  const urls = [
    altered((query) => query.set('collection_id', otherId)),
    altered((query) => query.set('space_id', otherId)),
    altered((query) => query.set('connector_id', 'conn_other')),
    altered((query) => query.delete('connector_id')),
    altered((query) => query.set('redirect_uri', 'https://app.example/landing')),
    url.replace('/sandbox/', '/github/'),
  ]
  for (const wrong of urls) await assertProblem(await open(wrong), 403, 'ticket_mismatch')
  await assertProblem(await open(altered((query) => query.set('tenant_id', 'globex'))), 403, 'tenant_mismatch')
  assert.equal((await open(altered((query) => query.set('tenant_id', 'acme')))).status, 303)
})

it('HEAD and prefetches burn nothing', async () => {
  const { authorize_url: url } = await startSession(service)
  const head = await anonymous(service, pathOf(url), {}, 'HEAD')
  assert.equal(head.status, 204)
  await assertProblem(await open(url, { 'sec-purpose': 'prefetch' }), 503, 'prefetch_refused')
  await assertProblem(
    await open(url, { ...browser, accept: '*/*', 'sec-fetch-dest': 'iframe' }),
    403,
    'not_a_navigation',
  )
  await assertProblem(await open(url, { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }), 403, 'not_a_navigation')
  assert.equal((await open(url, browser)).status, 303)
})

it('with a bearer beside it both must be valid and name the same principal', async () => {
  const { authorize_url: url } = await startSession(service)
  const withBearer = (token: string) => open(url, { authorization: `Bearer ${token}` })
  await assertProblem(await withBearer(await service.token({ sub: 'eve' })), 403, 'principal_mismatch')
  await assertProblem(await withBearer(await service.token({ tenant: 'globex' })), 403, 'principal_mismatch')
  await assertProblem(await withBearer('nonsense'), 401, 'unauthorized')
  assert.equal((await withBearer(await service.token())).status, 303)
  await refused(await open(url, { authorization: `Bearer ${await service.token()}` }))
})

it('refuses a platform JWT in the place of the ticket', async () => {
  const token = await service.token()
  const path = authorizePath({ token })
  const status = (await anonymous(service, path)).status
  assert.ok(status === 401)
  assert.equal((await anonymous(service, authorizePath({ token: `ctk_${token.slice(0, 200)}` }))).status, 401)
})

it('refuses a made-up ticket', async () => {
  await refused(await anonymous(service, authorizePath({ token: `ctk_${'A'.repeat(43)}` })))
  await refused(await anonymous(service, authorizePath({ token: 'ctk_' })))
  // Nor does a bearer save it: a ticket that proves nothing is a refusal, not a caller's own token.
  await refused(await service.call('GET', authorizePath({ token: `ctk_${'A'.repeat(43)}` })))
})

it('opens no API call', async () => {
  const { token } = await startSession(service)
  for (const path of ['/v1/events', '/v1/connector-providers']) {
    await assertProblem(await service.call('GET', path, { token }), 401, 'unauthorized')
  }
})

it('refuses an origin nobody allowed, scopes outside the provider app’s list, and a foreign tenant_id', async () => {
  const place = { collection_id: otherId, space_id: otherId }
  const post = (more: object) =>
    service.call('POST', '/v1/connectors/oauth/sandbox/sessions', { body: { ...place, ...more } })
  await assertProblem(await post({ origin: 'https://evil.example' }), 400, 'origin_not_allowed')
  await assertProblem(await post({ scopes: ['openid', 'admin'] }), 400, 'scope_not_allowed')
  await assertProblem(await post({ tenant_id: 'globex' }), 403, 'tenant_mismatch')
  assert.equal((await post({ origin: `${service.url}/path` })).status, 422)
})

it('asks for the scopes and the login hint that the session names', async () => {
  const { authorize_url: url } = await startSession(service, { scopes: ['openid', 'notes.read'], login_hint: 'ada@x' })
  const query = new URL((await open(url)).headers.get('location') ?? '').searchParams
  assert.equal(query.get('scope'), 'openid notes.read')
  assert.equal(query.get('login_hint'), 'ada@x')
})

it('shows a session to its own principal alone', async () => {
  const { session_id: id } = await startSession(service)
  for (const claims of [{ sub: 'eve' }, { tenant: 'globex' }]) {
    const reply = await service.call('GET', `/v1/connectors/oauth/sessions/${id}`, {
      token: await service.token(claims),
    })
    await assertProblem(reply, 404, 'session_unknown')
  }
  assert.deepEqual(await sessionStatus(service, id), {
    status: 'created',
    error_code: null,
    connector_id: null,
  })
})
