import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { readToken } from '../support/connectors.ts'
import { authorizePath, connectAccount, consentedCallback } from '../support/consent.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'
import {
  anonymous,
  browser,
  complete,
  connectorsPath,
  consentedTicket,
  dataOf,
  otherId,
  parkedSession,
  send,
  sendCallback,
  signed,
  startSession,
  type Json,
} from './calls.ts'
import { addProvider, adminPath } from './own-providers.ts'

let service: TestService
before(async () => {
  service = await startTestService({ background: true })
})
after(() => service[Symbol.asyncDispose]())

interface Entry {
  readonly action: string
  readonly actor_id: string | null
  readonly resource_type: string
  readonly resource_id: string
  readonly metadata: Json
}

async function record(query: Readonly<Record<string, string>>): Promise<readonly Entry[]> {
  const search = new URLSearchParams({ limit: '100', ...query })
  return dataOf<readonly Entry[]>(await service.call('GET', `/v1/admin/audit?${search.toString()}`))
}

const bearer = (sub: string) => service.token({ sub })
const sessionsOf = async (work: () => Promise<unknown>): Promise<string> => {
  const known = new Set((await record({ action: 'session.started' })).map((entry) => entry.resource_id))
  await work()
  const fresh = (await record({ action: 'session.started' })).filter((entry) => !known.has(entry.resource_id))
  assert.equal(fresh.length, 1)
  return fresh[0]?.resource_id ?? ''
}
const importOne = async (): Promise<string> => {
  const reply = await service.call('POST', connectorsPath, {
    headers: { 'idempotency-key': `import-${Math.random()}` },
    body: { provider_slug: 'sandbox', credential: { access_token: 'from-elsewhere' } },
  })
  return String((await dataOf(reply, 201))['id'])
}

/** What is done over HTTP, and what must stand in the record then: action, actor, and about what. */
const acts: readonly (readonly [
  what: string,
  act: () => Promise<string>,
  expected: { readonly action: string; readonly actor: string | null; readonly metadata?: Json },
])[] = [
  [
    'a session that is created',
    async () => (await startSession(service)).session_id,
    { action: 'session.created', actor: 'ada', metadata: { provider_slug: 'sandbox', issuer: '' } },
  ],
  [
    'a ticket that is used',
    async () => {
      const session = await startSession(service)
      await consentedTicket(service, session)
      return session.session_id
    },
    { action: 'session.started', actor: 'ada' },
  ],
  [
    'an authorization that starts with a bearer',
    () => sessionsOf(() => service.call('GET', authorizePath())),
    { action: 'session.started', actor: 'ada' },
  ],
  ['a finish', () => connectAccount(service), { action: 'connector.connected', actor: 'ada' }],
  [
    'a reconnect',
    async () => {
      const id = await connectAccount(service)
      return connectAccount(service, { query: { connector_id: id } })
    },
    { action: 'connector.reconnected', actor: 'ada' },
  ],
  [
    'a ticket with other parameters',
    async () => {
      const session = await startSession(service)
      const url = new URL(session.authorize_url)
      url.searchParams.set('space_id', otherId)
      assert.equal((await send(url, { headers: browser })).status, 403)
      return session.session_id
    },
    { action: 'session.refused', actor: null, metadata: { reason: 'ticket_mismatch', started_by: 'ada' } },
  ],
  [
    'a ticket beside somebody else’s bearer',
    async () => {
      const session = await startSession(service)
      const { pathname, search } = new URL(session.authorize_url)
      const reply = await service.call('GET', pathname + search, { token: await bearer('mallory') })
      assert.equal(reply.status, 403)
      return session.session_id
    },
    { action: 'session.refused', actor: 'mallory', metadata: { reason: 'principal_mismatch', started_by: 'ada' } },
  ],
  [
    'a callback of another principal',
    async () =>
      sessionsOf(async () => {
        const callback = await consentedCallback(service)
        assert.equal((await sendCallback(service, callback, { token: await bearer('mallory') })).status, 403)
      }),
    { action: 'session.refused', actor: 'mallory', metadata: { reason: 'principal_mismatch' } },
  ],
  [
    'a callback in another browser',
    async () => {
      const session = await startSession(service, { origin: service.url })
      const { callback } = await consentedTicket(service, session)
      assert.equal((await anonymous(service, callback.pathname + callback.search, browser)).status, 403)
      return session.session_id
    },
    { action: 'session.refused', actor: null, metadata: { reason: 'browser_mismatch' } },
  ],
  [
    'a state at another provider’s callback',
    async () =>
      sessionsOf(async () => {
        const callback = await consentedCallback(service)
        assert.equal((await sendCallback(service, callback, { slug: 'github' })).status, 400)
      }),
    { action: 'session.refused', actor: 'ada', metadata: { reason: 'context_mismatch' } },
  ],
  [
    'a completion with the wrong code',
    async () => {
      const { sessionId } = await parkedSession(service)
      const guess = { session_id: sessionId, completion_code: 'A'.repeat(43) }
      assert.equal((await complete(service, guess)).status, 403)
      return sessionId
    },
    { action: 'session.refused', actor: 'ada', metadata: { reason: 'completion_code_invalid' } },
  ],
  [
    'a completion by somebody else',
    async () => {
      const { sessionId, completionCode } = await parkedSession(service)
      const body = { session_id: sessionId, completion_code: completionCode }
      assert.equal((await complete(service, body, { token: await bearer('victim') })).status, 403)
      return sessionId
    },
    { action: 'session.refused', actor: 'victim', metadata: { reason: 'principal_mismatch' } },
  ],
  [
    'a completion from another tenant, without its subject',
    async () => {
      const { sessionId, completionCode } = await parkedSession(service)
      const body = { session_id: sessionId, completion_code: completionCode }
      const token = await service.token({ sub: 'stranger', tenant: 'globex' })
      assert.equal((await complete(service, body, { token })).status, 403)
      return sessionId
    },
    { action: 'session.refused', actor: null, metadata: { reason: 'principal_mismatch', other_tenant: true } },
  ],
  [
    'a completion too late',
    async () => {
      const { sessionId, completionCode } = await parkedSession(service)
      service.clock.advance(121_000)
      const body = { session_id: sessionId, completion_code: completionCode }
      assert.equal((await complete(service, body)).status, 400)
      return sessionId
    },
    { action: 'session.refused', actor: 'ada', metadata: { reason: 'invalid_state' } },
  ],
  [
    'a consent that is denied',
    () =>
      sessionsOf(async () => {
        const callback = await consentedCallback(service, { decision: 'deny' })
        assert.equal((await sendCallback(service, callback)).status, 400)
      }),
    { action: 'session.refused', actor: 'ada', metadata: { reason: 'access_denied' } },
  ],
  [
    'a code that the provider refuses',
    () =>
      sessionsOf(async () => {
        const callback = await consentedCallback(service)
        callback.searchParams.set('code', 'not-the-code')
        assert.equal((await sendCallback(service, callback)).status, 400)
      }),
    { action: 'session.refused', actor: 'ada', metadata: { reason: 'invalid_grant' } },
  ],
  [
    'another account in a connector’s place',
    async () => {
      const id = await connectAccount(service, { login: 'first' })
      return sessionsOf(async () => {
        const callback = await consentedCallback(service, { query: { connector_id: id }, login: 'second' })
        assert.equal((await sendCallback(service, callback)).status, 409)
      })
    },
    { action: 'session.refused', actor: 'ada', metadata: { reason: 'account_changed' } },
  ],
  [
    'a right that was taken away in between',
    () =>
      sessionsOf(async () => {
        const callback = await consentedCallback(service)
        const token = await service.token({ scope: 'connectors:read' })
        assert.equal((await sendCallback(service, callback, { token })).status, 403)
      }),
    { action: 'session.refused', actor: 'ada', metadata: { reason: 'missing_right' } },
  ],
  [
    'an export',
    async () => {
      const id = await connectAccount(service)
      assert.equal((await readToken(service, id)).status, 200)
      return id
    },
    { action: 'token.exported', actor: 'ada', metadata: { count: 1 } },
  ],
  [
    'a refresh',
    async () => {
      const id = await connectAccount(service)
      service.clock.advance(119_000)
      assert.equal((await readToken(service, id)).status, 200)
      return id
    },
    { action: 'token.refreshed', actor: null },
  ],
  [
    'a refresh that fails for good',
    async () => {
      const id = await connectAccount(service)
      service.sandbox.revokeEverything()
      service.clock.advance(119_000)
      assert.equal((await readToken(service, id)).status, 409)
      return id
    },
    { action: 'connector.reauth_required', actor: null },
  ],
  [
    'a disconnect',
    async () => {
      const id = await connectAccount(service)
      assert.equal((await service.call('DELETE', `${connectorsPath}/${id}`)).status, 202)
      return id
    },
    { action: 'connector.disconnected', actor: 'ada' },
  ],
  ['an import', importOne, { action: 'connector.connected', actor: 'ada', metadata: { imported: true } }],
  [
    'a connector that is paused',
    async () => {
      const id = await importOne()
      const patched = await service.call('PATCH', `${connectorsPath}/${id}`, { body: { paused: true } })
      assert.equal(patched.status, 200)
      return id
    },
    { action: 'connector.changed', actor: 'ada', metadata: { paused: true, fields: ['paused'] } },
  ],
  [
    'a custom provider that is added',
    () => addProvider(service, { origin: 'https://provider.example' }),
    { action: 'provider.added', actor: 'ada', metadata: { token_url: 'https://provider.example/token' } },
  ],
  [
    'a provider app that is changed',
    async () => {
      const body = { client_id: 'an-app', client_secret: 'a-secret-nobody-sees' }
      assert.equal((await service.call('PATCH', `${adminPath}/github`, { body })).status, 200)
      assert.equal((await service.call('PATCH', `${adminPath}/github`, { body })).status, 200)
      return 'github'
    },
    { action: 'provider_app.updated', actor: 'ada' },
  ],
  [
    'a custom provider that is removed',
    async () => {
      const slug = await addProvider(service, { origin: 'https://provider.example' })
      assert.equal((await service.call('DELETE', `${adminPath}/${slug}`)).status, 204)
      return slug
    },
    { action: 'provider_app.deleted', actor: 'ada' },
  ],
  [
    'redirect URIs that are replaced',
    async () => {
      const body = [{ uri: 'https://platform.example/landing', kind: 'landing' }]
      assert.equal((await service.call('PUT', '/v1/admin/tenant/redirect-uris', { body })).status, 200)
      return 'acme'
    },
    { action: 'tenant.redirect_uris_replaced', actor: 'ada', metadata: { uris: ['https://platform.example/landing'] } },
  ],
]

for (const [what, act, expected] of acts) {
  it(`records ${what}`, async () => {
    const about = await act()
    const found = await record({ action: expected.action, resource_id: about })
    const fitting = found.filter((entry) =>
      Object.entries(expected.metadata ?? {}).every(
        ([name, value]) => JSON.stringify(entry.metadata[name]) === JSON.stringify(value),
      ),
    )
    assert.ok(fitting.length > 0, JSON.stringify(found))
    assert.deepEqual([...new Set(fitting.map((entry) => entry.actor_id))], [expected.actor])
  })
}

it('records the end of a revocation', async () => {
  const id = await connectAccount(service)
  assert.equal((await service.call('DELETE', `${connectorsPath}/${id}`)).status, 202)
  const deadline = Date.now() + 10_000
  const ended = async () =>
    (await record({ resource_id: id })).some((entry) => entry.action === 'connector.revoked' && entry.actor_id === null)
  while (!(await ended())) {
    assert.ok(Date.now() < deadline, 'the revocation did not end')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
})

it('records a refusal once, however often it is tried', async () => {
  const { sessionId } = await parkedSession(service)
  const guess = { session_id: sessionId, completion_code: 'A'.repeat(43) }
  for (let tried = 0; tried < 5; tried += 1) assert.equal((await complete(service, guess)).status, 403)
  const mallory = await bearer('mallory')
  for (let tried = 0; tried < 5; tried += 1)
    assert.equal((await complete(service, guess, { token: mallory })).status, 403)
  const refusals = await record({ action: 'session.refused', resource_id: sessionId })
  assert.deepEqual(
    refusals.map((entry) => entry.metadata['reason']),
    ['completion_code_invalid', 'principal_mismatch'],
  )
})

it('records nothing for a state, ticket or session that nobody knows', async () => {
  const count = async () => (await record({ action: 'session.refused' })).length
  const earlier = await count()
  await sendCallback(service, new URL(`${service.url}/v1/connectors/oauth/sandbox/callback?code=a&state=b`))
  await anonymous(service, authorizePath({ token: `ctk_${'A'.repeat(43)}` }))
  await complete(service, { session_id: 'ses_nobody', completion_code: 'A'.repeat(43) })
  assert.equal(await count(), earlier)
})

it('holds no secret of all this', async () => {
  const token = await signed(service, {})
  const { sessionId, completionCode, callback } = await parkedSession(service, { token: 'callers-own-context' })
  const id = await connectAccount(service)
  const { accessToken } = await readToken(service, id)
  assert.ok(accessToken)
  await complete(service, { session_id: sessionId, completion_code: completionCode })
  let text = ''
  for (let cursor = ''; ;) {
    const query = new URLSearchParams({ limit: '100', ...(cursor !== '' && { cursor }) })
    const reply = await service.call('GET', `/v1/admin/audit?${query.toString()}`, { token })
    const body = (await reply.json()) as { data: unknown[]; meta: { next_cursor: string | null } }
    text += JSON.stringify(body.data)
    if (body.meta.next_cursor === null) break
    cursor = body.meta.next_cursor
  }
  assert.ok(text.includes(sessionId) && text.includes(id) && text.includes(spaceId) && text.includes(collectionId))
  const secrets = [
    accessToken,
    completionCode,
    callback.searchParams.get('state') ?? '',
    callback.searchParams.get('code') ?? '',
    'callers-own-context',
    'a-secret-nobody-sees',
    'from-elsewhere',
    'secret-1',
    token,
  ]
  for (const secret of secrets) assert.ok(secret !== '' && !text.includes(secret))
})
