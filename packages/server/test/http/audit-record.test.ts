import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { carryOutRotation, orderKeyRotation } from '../../src/domain/rotate-keys.ts'
import { makeLoginLink } from '../../src/domain/login-link.ts'
import { readToken, until } from '../support/connectors.ts'
import { authorizePath, connectAccount, consentedCallback } from '../support/consent.ts'
import { startHostileProvider, type HostileProvider } from '../support/hostile-provider.ts'
import { proxiedConnector, proxyPath } from '../support/proxied.ts'
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
let provider: HostileProvider
before(async () => {
  provider = await startHostileProvider()
  service = await startTestService({ background: true, env: { ALLOWED_PRIVATE_HOSTS: provider.host } })
})
after(async () => {
  await service[Symbol.asyncDispose]()
  await provider.close()
})

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

const proxied = () => proxiedConnector(service, provider.origin)
const lease = async (id: string): Promise<{ readonly id: string; readonly bearer: string }> => {
  const body = { methods: ['GET'], paths: ['/items'], ttl_seconds: 60 }
  const made = await dataOf<{ id: string; lease: string }>(
    await service.call('POST', `${connectorsPath}/${id}/leases`, { body }),
    201,
  )
  return { id: made.id, bearer: made.lease }
}
const webhook = async (): Promise<string> => {
  const body = { url: 'https://receiver.example/services/whoever-has-this-may-post?key=secret' }
  return String((await dataOf(await service.call('POST', '/v1/admin/webhooks', { body }), 201))['id'])
}
const massRevocation = async (): Promise<string> => {
  const body = { provider_slug: 'github' }
  return String((await dataOf(await service.call('POST', '/v1/admin/revocations', { body }), 202))['id'])
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
    { action: 'provider_app.updated', actor: 'ada', metadata: { provider_slug: 'github', fields: ['client_secret'] } },
  ],
  [
    'a provider app whose secret is forgotten with its client id, and a change of its scopes',
    async () => {
      const body = { client_id: `app-${Math.random()}`, client_secret: 'a-secret-nobody-sees' }
      assert.equal((await service.call('PATCH', `${adminPath}/gitlab`, { body })).status, 200)
      const other = { client_id: 'another-app', scopes: ['read_user'] }
      assert.equal((await service.call('PATCH', `${adminPath}/gitlab`, { body: other })).status, 200)
      return 'gitlab'
    },
    { action: 'provider_app.updated', actor: 'ada', metadata: { fields: ['client_id', 'client_secret', 'scopes'] } },
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
  [
    'a call through the proxy with a bearer',
    async () => {
      const id = await proxied()
      const path = proxyPath(id, '/items/7f3a9c0d-1234-4a5b-8c9d-0123456789ab?secret=in-the-query')
      assert.equal((await service.call('PUT', path, { body: {} })).status, 404)
      return id
    },
    {
      action: 'connector.proxied',
      actor: 'ada',
      metadata: { method: 'PUT', path: '/items/{id}', status: 404, count: 1 },
    },
  ],
  [
    'a lease',
    async () => (await lease(await proxied())).id,
    { action: 'lease.created', actor: 'ada', metadata: { methods: ['GET'], paths: ['/items'] } },
  ],
  [
    'a lease that is revoked',
    async () => {
      const id = await proxied()
      const { id: leaseId } = await lease(id)
      assert.equal((await service.call('DELETE', `${connectorsPath}/${id}/leases/${leaseId}`)).status, 204)
      return leaseId
    },
    { action: 'lease.revoked', actor: 'ada' },
  ],
  [
    'a webhook that is added',
    async () => webhook(),
    { action: 'webhook.created', actor: 'ada', metadata: { origin: 'https://receiver.example' } },
  ],
  [
    'a webhook that is changed',
    async () => {
      const id = await webhook()
      const body = { description: 'about', enabled: false }
      assert.equal((await service.call('PATCH', `/v1/admin/webhooks/${id}`, { body })).status, 200)
      return id
    },
    { action: 'webhook.changed', actor: 'ada', metadata: { fields: ['description', 'enabled'] } },
  ],
  [
    'a webhook whose secret is rotated',
    async () => {
      const id = await webhook()
      assert.equal((await service.call('POST', `/v1/admin/webhooks/${id}/rotate-secret`, { body: {} })).status, 200)
      return id
    },
    { action: 'webhook.secret_rotated', actor: 'ada' },
  ],
  [
    'a webhook that is removed',
    async () => {
      const id = await webhook()
      assert.equal((await service.call('DELETE', `/v1/admin/webhooks/${id}`)).status, 204)
      return id
    },
    { action: 'webhook.removed', actor: 'ada' },
  ],
  ['a mass revocation', massRevocation, { action: 'mass_revocation.ordered', actor: 'ada', metadata: { matched: 0 } }],
  [
    'an export of what needs a new consent',
    async () => {
      const id = await connectAccount(service)
      service.sandbox.revokeEverything()
      service.clock.advance(119_000)
      assert.equal((await readToken(service, id)).status, 409)
      return id
    },
    { action: 'token.refused', actor: 'ada', metadata: { reason: 'reauth_required' } },
  ],
  [
    'an export of what is paused',
    async () => {
      const id = await importOne()
      await service.call('PATCH', `${connectorsPath}/${id}`, { body: { paused: true } })
      assert.equal((await readToken(service, id)).status, 409)
      return id
    },
    { action: 'token.refused', actor: 'ada', metadata: { reason: 'connector_paused' } },
  ],
  [
    'an export without the right',
    async () => {
      const id = await importOne()
      const token = await service.token({ sub: 'reader', scope: 'connectors:read' })
      const refused = await service.call('POST', `${connectorsPath}/${id}/token`, { token })
      assert.equal(refused.status, 403)
      return id
    },
    { action: 'token.refused', actor: 'reader', metadata: { reason: 'missing_right' } },
  ],
  [
    'a session that may not begin',
    async () => {
      const body = { collection_id: collectionId, space_id: spaceId, scopes: ['everything'] }
      const refused = await service.call('POST', '/v1/connectors/oauth/sandbox/sessions', { body })
      assert.equal(refused.status, 400)
      return 'acme'
    },
    { action: 'session.refused', actor: 'ada', metadata: { reason: 'scope_not_allowed', provider_slug: 'sandbox' } },
  ],
  [
    'an authorization without the right',
    async () => {
      const token = await service.token({ sub: 'reader', scope: 'connectors:read' })
      assert.equal((await service.call('GET', authorizePath(), { token })).status, 403)
      return 'acme'
    },
    { action: 'session.refused', actor: 'reader', metadata: { reason: 'missing_right', provider_slug: 'sandbox' } },
  ],
  [
    'a sign-in link that is made',
    async () => {
      await makeLoginLink(service.context, { tenantId: 'acme', subject: 'grace', scope: 'connectors:read' })
      return 'acme'
    },
    { action: 'login_link.created', actor: null, metadata: { subject: 'grace', scope: 'connectors:read' } },
  ],
  [
    'a sign-in link that is used',
    async () => {
      const link = await makeLoginLink(service.context, {
        tenantId: 'acme',
        subject: 'grace',
        scope: 'connectors:read',
      })
      const content = JSON.stringify({ login_code: link.reveal().split('login_code=')[1] })
      const headers = { 'content-type': 'application/json' }
      const signIn = () => fetch(`${service.url}/v1/login`, { method: 'POST', headers, body: content })
      assert.equal((await signIn()).status, 200)
      assert.equal((await signIn()).status, 401)
      return 'acme'
    },
    { action: 'login_link.used', actor: 'grace', metadata: { subject: 'grace' } },
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

it('is read from either end', async () => {
  const now = service.clock.now().toISOString()
  const walk = async (order: string): Promise<readonly unknown[]> => {
    const entries: unknown[] = []
    let cursor = ''
    do {
      const reply = await service.call('GET', `/v1/admin/audit?order=${order}&limit=15&to_date=${now}${cursor}`)
      const body = (await reply.json()) as { data: unknown[]; meta: { next_cursor: string | null } }
      entries.push(...body.data)
      cursor = body.meta.next_cursor === null ? '' : `&cursor=${encodeURIComponent(body.meta.next_cursor)}`
    } while (cursor !== '')
    return entries
  }
  const forwards = await walk('asc')
  assert.ok(forwards.length > 15)
  assert.deepEqual((await walk('desc')).toReversed(), forwards)
})

it('records the end of a revocation', async () => {
  const id = await connectAccount(service)
  assert.equal((await service.call('DELETE', `${connectorsPath}/${id}`)).status, 202)
  await until(async () =>
    (await record({ resource_id: id })).some(
      (entry) => entry.action === 'connector.revoked' && entry.actor_id === null,
    ),
  )
})

it('records the end of a mass revocation', async () => {
  const id = await massRevocation()
  await until(async () => (await record({ resource_id: id, action: 'mass_revocation.swept' })).length === 1)
})

it('records a call through the proxy with a lease as the lease’s', async () => {
  const id = await proxied()
  provider.answer('/api/v1/items', { json: [] })
  const { id: leaseId, bearer: token } = await lease(id)
  assert.equal((await service.call('GET', proxyPath(id, '/items'), { token })).status, 200)
  assert.equal((await service.call('DELETE', proxyPath(id, '/items'), { token })).status, 403)
  const entries = await record({ action: 'connector.proxied', resource_id: id })
  assert.deepEqual(
    entries.map(({ actor_id: actor, metadata: { method, path, status } }) => [actor, method, path, status]),
    [
      [leaseId, 'GET', '/items', 200],
      [leaseId, 'DELETE', undefined, 'lease_forbids'],
    ],
  )
})

it('records a new data key', async () => {
  const ordered = await orderKeyRotation(service.context, 'data-keys')
  assert.ok('order' in ordered)
  await carryOutRotation(service.context, ordered.order, () => {})
  const [entry] = await record({ action: 'key.rotated' })
  assert.deepEqual([entry?.resource_type, entry?.actor_id], ['key', null])
})

it('records refused exports together, and none of a connector that nobody knows', async () => {
  const id = await importOne()
  const token = await service.token({ sub: 'insistent', scope: 'connectors:read' })
  const refuse = (of: string) => service.call('POST', `${connectorsPath}/${of}/token`, { token })
  const refused = await Promise.all(Array.from({ length: 40 }, () => refuse(id)))
  assert.ok(refused.every((reply) => reply.status === 403))
  assert.equal((await refuse('conn_invented')).status, 403)
  const elsewhere = `/v1/spaces/${otherId}/collections/${collectionId}/connectors/${id}/token`
  assert.equal((await service.call('POST', elsewhere, { token })).status, 403)
  const entries = await record({ actor_id: 'insistent' })
  const counts = entries.map((entry) => Number(entry.metadata['count']))
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    40,
  )
  assert.ok(entries.length <= 5, `${entries.length} records`)
  assert.deepEqual([...new Set(entries.map((entry) => entry.resource_id))], [id])
})

it('records a refused start once a minute for a person and a reason', async () => {
  const token = await service.token({ sub: 'pushing', scope: 'connectors:read' })
  const refuse = async (slug: string) => {
    const body = { collection_id: collectionId, space_id: spaceId }
    assert.equal((await service.call('POST', `/v1/connectors/oauth/${slug}/sessions`, { body, token })).status, 403)
  }
  const recorded = async () => (await record({ action: 'session.refused', actor_id: 'pushing' })).length
  const minuteBegins = 60_000 - (service.clock.now().getTime() % 60_000)
  service.clock.advance(minuteBegins)
  for (const slug of ['sandbox', 'sandbox', 'github', 'invented', 'invented-too']) await refuse(slug)
  assert.equal(await recorded(), 1)
  service.clock.advance(60_000)
  await refuse('sandbox')
  assert.equal(await recorded(), 2)
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
