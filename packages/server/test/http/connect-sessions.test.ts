import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { collectionId, spaceId, startTestService, type CallOptions, type TestService } from '../support/service.ts'
import {
  assertProblem,
  complete,
  consentedTicket,
  countOf,
  dataOf,
  otherId,
  parkedSession,
  rows,
  signed,
  type Json,
} from './calls.ts'

let service: TestService
const landing = 'http://localhost:4999/landing'
before(async () => {
  service = await startTestService({ env: { ALLOWED_REDIRECT_URIS: landing } })
})
after(() => service[Symbol.asyncDispose]())

const place = { space_id: spaceId, collection_id: collectionId }

interface Created {
  readonly connect_session_id: string
  readonly connect_url: string
  readonly expires_at: string
}

const post = (body: Json, options: CallOptions = {}) =>
  service.call('POST', '/v1/connect-sessions', { ...options, body: { ...place, ...body } })

async function create(body: Json = {}, options: CallOptions = {}): Promise<Created & { readonly token: string }> {
  const created = await dataOf<Created>(await post(body, options), 201)
  return { ...created, token: new URL(created.connect_url).hash.slice(1) }
}

const read = (token: string) => service.call('GET', '/v1/connect-sessions/current', { token })
const start = (token: string, body: Json = { provider_slug: 'sandbox' }) =>
  service.call('POST', '/v1/connect-sessions/current/start', { token, body })
const cancel = (token: string) => service.call('POST', '/v1/connect-sessions/current/cancel', { token })

const statusOf = async ({ connect_session_id: id }: Created, options: CallOptions = {}): Promise<Json> =>
  dataOf(await service.call('GET', `/v1/connect-sessions/${id}`, options))

interface Attempt {
  readonly session_id: string
  readonly authorize_url: string
}

async function attempt(token: string, body?: Json): Promise<Attempt> {
  return dataOf<Attempt>(await start(token, body), 201)
}

/** Consents as a browser does, and answers with the fragment that the browser is sent on with. */
async function consent({ authorize_url }: Attempt, login?: string): Promise<URLSearchParams> {
  const { callback, cookies } = await consentedTicket(service, { authorize_url }, login)
  const accept = 'text/html'
  const back = await fetch(callback, { redirect: 'manual', headers: { accept, cookie: cookies } })
  assert.equal(back.status, 303, await back.text())
  return new URLSearchParams(new URL(back.headers.get('location') ?? '').hash.slice(1))
}

/** Finishes an attempt as the platform does. */
async function finish(made: Attempt, login?: string, options: CallOptions = {}): Promise<Response> {
  const fragment = await consent(made, login)
  return complete(service, { session_id: made.session_id, completion_code: fragment.get('completion_code') }, options)
}

describe('a connect session', () => {
  it('has an address whose secret stands in the fragment, and keeps only the secret’s digest', async () => {
    const { connect_session_id: id, connect_url: address, token } = await create()
    const url = new URL(address)
    assert.equal(url.origin + url.pathname + url.search, `${service.url}/connect/${id}`)
    assert.match(token, /^cst_[\w-]{43}$/)
    const stored = JSON.stringify(
      await rows(service, 'select * from connect_sessions where connect_session_id = $1', [id]),
    )
    assert.ok(!stored.includes(token))
  })

  it('ends when it was told to, and a link after seven days at most', async () => {
    const lifeOf = async (body: Json) => {
      const { connect_session_id: id } = await create(body)
      const life = 'select extract(epoch from expires_at - created_at)::int as life from connect_sessions'
      return (await rows(service, `${life} where connect_session_id = $1`, [id]))[0]?.['life']
    }
    assert.equal(await lifeOf({}), 1800)
    assert.equal(await lifeOf({ ttl_seconds: 60 }), 60)
    assert.equal(await lifeOf({ mode: 'link', redirect_uri: landing }), 604_800)
    const tooLong = (body: Json) => post(body).then((reply) => reply.status)
    assert.deepEqual(await Promise.all([tooLong({ ttl_seconds: 3601 }), tooLong({ ttl_seconds: 604_801 })]), [422, 422])
  })

  it('is refused where its outcome could go to nobody who may finish', async () => {
    for (const mode of ['link', 'redirect']) {
      const reply = await post({ mode })
      assert.equal(reply.status, 422)
      assert.deepEqual(await reply.json(), {
        detail: [{ loc: ['body', 'redirect_uri'], msg: 'field required', type: 'value_error.missing' }],
      })
      await assertProblem(
        await post({ mode, redirect_uri: 'https://evil.example/landing' }),
        400,
        'redirect_uri_not_registered',
      )
    }
    await assertProblem(await post({ origin: 'https://evil.example' }), 400, 'origin_not_allowed')
  })

  it('takes no callback of a provider for a landing page', async () => {
    const uri = 'https://app.example/callback'
    const entries = [{ uri, kind: 'callback', provider_slug: 'sandbox' }]
    assert.equal((await service.call('PUT', '/v1/admin/tenant/redirect-uris', { body: entries })).status, 200)
    const reply = await post({ providers: ['sandbox'], redirect_uri: uri })
    await assertProblem(reply, 400, 'redirect_uri_not_registered')
  })

  it('needs the right to connect, and a bearer that reaches the place', async () => {
    const token = await service.token({ scope: 'connectors:read' })
    await assertProblem(await post({}, { token }), 403, 'missing_right')
    const elsewhere = await signed(service, { spaces: [otherId] })
    await assertProblem(await post({}, { token: elsewhere }), 403, 'space_forbidden')
  })

  it('names providers that exist, and scopes of one only', async () => {
    await assertProblem(await post({ providers: ['nope'] }), 404, 'provider_unknown')
    assert.equal((await post({ scopes: ['openid'] })).status, 422)
    assert.equal((await post({ providers: ['sandbox'], scopes: ['openid'] })).status, 201)
  })

  it('shows no text that could hide or turn what stands beside it', async () => {
    for (const name of ['a\u202eb', 'a\nb', 'a\u0000b', 'x'.repeat(121)]) {
      assert.equal((await post({ display: { tenant_name: name } })).status, 422, JSON.stringify(name))
    }
  })

  it('is unknown to everybody but its starter', async () => {
    const session = await create()
    const path = `/v1/connect-sessions/${session.connect_session_id}`
    const mallory = await service.token({ sub: 'mallory' })
    const globex = await service.token({ tenant: 'globex' })
    for (const token of [mallory, globex]) {
      await assertProblem(await service.call('GET', path, { token }), 404, 'connect_session_unknown')
    }
    assert.equal((await statusOf(session))['status'], 'created')
  })
})

describe('the connect token', () => {
  it('shows what is asked for, and nothing of accounts or other people', async () => {
    const { token } = await create({ providers: ['sandbox'], display: { space_name: 'Sales', started_by: 'Ada' } })
    const seen = await dataOf(await read(token))
    assert.equal(seen['status'], 'created')
    assert.deepEqual(seen['display'], {
      tenant_name: null,
      space_name: 'Sales',
      collection_name: null,
      started_by: 'Ada',
    })
    const [provider] = seen['providers'] as Json[]
    assert.equal(provider?.['provider_slug'], 'sandbox')
    assert.equal(provider?.['setup_complete'], true)
  })

  it('uses nothing up by reading, whoever reads and however often', async () => {
    const session = await create()
    const had = await countOf(service, 'transactions')
    for (let times = 0; times < 3; times += 1) {
      assert.equal((await read(session.token)).status, 200)
      await fetch(session.connect_url, { method: 'HEAD' })
      await fetch(session.connect_url)
    }
    assert.equal(await countOf(service, 'transactions'), had)
    assert.equal((await statusOf(session))['status'], 'created')
  })

  it('is refused when it is altered, absent, expired, or a bearer token', async () => {
    const { token } = await create({ ttl_seconds: 60 })
    const altered = token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A')
    for (const wrong of [altered, 'cst_', 'x', await service.token()]) {
      for (const call of [read, start, cancel]) {
        await assertProblem(await call(wrong), 401, 'connect_token_invalid')
      }
    }
    const bare = await fetch(`${service.url}/v1/connect-sessions/current`)
    await assertProblem(bare, 401, 'connect_token_invalid')
    service.clock.advance(61_000)
    for (const call of [read, start, cancel]) await assertProblem(await call(token), 401, 'connect_session_expired')
  })

  it('opens nothing else: it is no bearer token, no ticket and no lease', async () => {
    const { token, connect_session_id: id } = await create()
    for (const path of [`/v1/connect-sessions/${id}`, '/v1/connector-providers', '/v1/events']) {
      assert.equal((await service.call('GET', path, { token })).status, 401, path)
    }
    assert.equal((await post({}, { token })).status, 401)
    const query = new URLSearchParams({ ...place, token })
    const authorize = `${service.url}/v1/connectors/oauth/sandbox/authorize?${query.toString()}`
    assert.equal((await fetch(authorize, { redirect: 'manual' })).status, 401)
  })

  it('starts no provider outside the session’s list', async () => {
    const { token } = await create({ providers: ['sandbox'] })
    const had = await countOf(service, 'transactions')
    await assertProblem(await start(token, { provider_slug: 'github' }), 404, 'provider_unknown')
    await assertProblem(await start(token, { provider_slug: 'nope' }), 404, 'provider_unknown')
    assert.equal(await countOf(service, 'transactions'), had)
  })

  it('starts with the rights and the reach of the bearer that made the session, and no more', async () => {
    const narrow = await signed(service, { collections: [collectionId], scope: 'connectors:connect' })
    const session = await create({}, { token: narrow })
    await rows(service, `update connect_sessions set collections = $2 where connect_session_id = $1`, [
      session.connect_session_id,
      [otherId],
    ])
    await assertProblem(await start(session.token), 403, 'space_forbidden')
    await rows(service, `update connect_sessions set rights = '{}' where connect_session_id = $1`, [
      session.connect_session_id,
    ])
    await assertProblem(await start(session.token), 403, 'missing_right')
  })
})

describe('an attempt of a connect session', () => {
  it('is finished by the starter, and ends the session by its one connector', async () => {
    const session = await create({ origin: service.url })
    const made = await attempt(session.token)
    assert.deepEqual(await statusOf(session), {
      status: 'started',
      error_code: null,
      connector_id: null,
      provider_slug: 'sandbox',
      session_id: made.session_id,
    })
    assert.equal((await finish(made)).status, 200)
    const status = await statusOf(session)
    assert.equal(status['status'], 'connected')
    assert.match(String(status['connector_id']), /^conn_/)
    await assertProblem(await start(session.token), 409, 'connect_session_ended')
    await assertProblem(await start(session.token, { provider_slug: 'github' }), 409, 'connect_session_ended')
    assert.equal((await dataOf(await read(session.token)))['status'], 'connected')
  })

  it('is finished by nobody else, not even with the completion code', async () => {
    const session = await create({ origin: service.url })
    const had = await countOf(service, 'connectors')
    for (const claims of [{ sub: 'victor' }, { tenant: 'globex' }]) {
      const made = await attempt(session.token)
      const token = await service.token(claims)
      await assertProblem(await finish(made, 'victor', { token }), 403, 'principal_mismatch')
    }
    assert.equal(await countOf(service, 'connectors'), had)
    assert.equal((await statusOf(session))['error_code'], 'principal_mismatch')
  })

  it('may follow one that failed', async () => {
    const session = await create({ origin: service.url })
    const first = await attempt(session.token)
    const other = await service.token({ sub: 'victor' })
    await assertProblem(await finish(first, 'victor', { token: other }), 403, 'principal_mismatch')
    assert.equal((await statusOf(session))['status'], 'started')
    assert.equal((await finish(await attempt(session.token))).status, 200)
    assert.equal((await statusOf(session))['status'], 'connected')
  })

  it('brings no second connector when two windows are left open', async () => {
    const session = await create({ origin: service.url })
    const [first, second] = [await attempt(session.token), await attempt(session.token)]
    const had = await countOf(service, 'connectors')
    assert.equal((await finish(first)).status, 200)
    await assertProblem(await finish(second, 'grace'), 409, 'connect_session_ended')
    assert.equal(await countOf(service, 'connectors'), had + 1)
  })

  it('is completed with sessions of its own only, where the completion names it', async () => {
    const session = await create({ origin: service.url })
    const [made, other] = [await attempt(session.token), await create({ origin: service.url })]
    const own = await consent(made)
    const direct = await parkedSession(service)
    const had = await countOf(service, 'connectors')
    const requests = service.sandbox.counts.tokenRequests
    const completeAs = (connectSessionId: string, sessionId: string, code: string | null) =>
      complete(service, { session_id: sessionId, connect_session_id: connectSessionId, completion_code: code })
    const ownCode = own.get('completion_code')
    for (const [id, sessionId, code] of [
      [other.connect_session_id, made.session_id, ownCode],
      [made.session_id, made.session_id, ownCode],
      [session.connect_session_id, direct.sessionId, direct.completionCode],
    ] as const) {
      await assertProblem(await completeAs(id, sessionId, code), 400, 'invalid_state')
    }
    assert.equal(service.sandbox.counts.tokenRequests, requests)
    assert.equal(await countOf(service, 'connectors'), had)
    assert.equal((await completeAs(session.connect_session_id, made.session_id, ownCode)).status, 200)
  })

  it('can be completed no more once the user has cancelled', async () => {
    const session = await create({ origin: service.url })
    const made = await attempt(session.token)
    const fragment = await consent(made)
    assert.equal((await cancel(session.token)).status, 204)
    const body = { session_id: made.session_id, completion_code: fragment.get('completion_code') }
    await assertProblem(await complete(service, body), 409, 'connect_session_ended')
    const { status, error_code: code } = await statusOf(session)
    assert.deepEqual({ status, code }, { status: 'failed', code: 'cancelled' })
    await assertProblem(await start(session.token), 409, 'connect_session_ended')
  })

  it('is one of at most twenty', async () => {
    const session = await create()
    await rows(service, 'update connect_sessions set attempts = 19 where connect_session_id = $1', [
      session.connect_session_id,
    ])
    await attempt(session.token)
    await assertProblem(await start(session.token), 409, 'connect_session_ended')
  })

  it('reconnects in place where the session names a connector, and leaves its provider only', async () => {
    const first = await create({ origin: service.url })
    await finish(await attempt(first.token), 'hedy')
    const connectorId = String((await statusOf(first))['connector_id'])
    const again = await create({ origin: service.url, connector_id: connectorId })
    const seen = await dataOf(await read(again.token))
    assert.deepEqual(
      (seen['providers'] as Json[]).map((provider) => provider['provider_slug']),
      ['sandbox'],
    )
    await assertProblem(await finish(await attempt(again.token), 'ada'), 409, 'account_changed')
    assert.equal((await finish(await attempt(again.token), 'hedy')).status, 200)
    assert.equal((await statusOf(again))['connector_id'], connectorId)
    await assertProblem(await post({ connector_id: connectorId, providers: ['github'] }), 409, 'connector_id_taken')
    await assertProblem(await post({ connector_id: connectorId, space_id: otherId }), 409, 'connector_id_taken')
  })

  it('asks again for scopes that were not granted, on the same connector alone', async () => {
    const session = await create({ origin: service.url })
    await finish(await attempt(session.token))
    const id = String((await statusOf(session))['connector_id'])
    await rows(
      service,
      `update connectors set requested_scopes = requested_scopes || '{more}' where connector_id = $1`,
      [id],
    )
    const seen = await dataOf(await read(session.token))
    assert.deepEqual(seen['missing_scopes'], [{ name: 'more', description: '' }])
    const missing = async () => ((await statusOf(session))['scopes'] as { missing: string[] }).missing
    assert.deepEqual(await missing(), ['more'])
    const had = await countOf(service, 'connectors')
    assert.equal((await finish(await attempt(session.token))).status, 200)
    assert.equal((await statusOf(session))['connector_id'], id)
    assert.deepEqual(await missing(), [])
    assert.equal(await countOf(service, 'connectors'), had)
  })
})
