import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { startCollector, type Collector } from '../support/collector.ts'
import { until } from '../support/connectors.ts'
import { dumpDatabase, findSecrets } from '../support/dump.ts'
import { startHostileProvider, type HostileProvider, type SeenRequest } from '../support/hostile-provider.ts'
import { startInstantProvider, type InstantProvider } from '../support/instant-provider.ts'
import { proxiedConnector, proxyPath } from '../support/proxied.ts'
import {
  accessTokenOf,
  addProvider,
  completeParked,
  connectedId,
  connectorsPath,
  depart,
  departByTicket,
  park,
  readToken,
  returnWithBearer,
} from '../support/process-flow.ts'
import { deploymentOf, type Deployment, type ServiceProcess } from '../support/service-process.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts'

let database: TestDatabase
let admin: pg.Client
let provider: InstantProvider
let hostile: HostileProvider
let receiver: WebhookReceiver
let collector: Collector
let deployment: Deployment
let service: ServiceProcess
let slug: string
let hostileSlug: string
/** By what it is; every secret that occurred. */
const secrets = new Map<string, string>()
/** What the service told others, by whom. */
const told = new Map<string, string>()

before(async () => {
  database = await createTestDatabase()
  admin = new pg.Client({ connectionString: database.adminUrl })
  await admin.connect()
  provider = await startInstantProvider()
  hostile = await startHostileProvider()
  receiver = await startWebhookReceiver()
  collector = await startCollector()
  const base = deploymentOf(database.databaseUrl, {
    ALLOWED_PRIVATE_HOSTS: `${provider.server.host},${hostile.host},${receiver.host}`,
    LOG_LEVEL: 'trace',
    METRICS_PUBLIC: 'on',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  })
  deployment = base
  service = rememberingBearers(await base.start())
  secrets.set('JWT secret', base.jwtSecret)
  secrets.set('encryption key', base.encryptionKey)
  slug = (await addProvider(service, provider.definition)).slug
  hostileSlug = (
    await addProvider(service, {
      display_name: 'Hostile',
      authorization_url: `${hostile.origin}/authorize`,
      token_url: `${hostile.origin}/token`,
      userinfo_url: `${hostile.origin}/userinfo`,
      revocation_url: `${hostile.origin}/revoke`,
      account: { from: 'userinfo', id: 'id' },
      client_id: 'hostile-client',
      client_secret: secret('secret of the hostile provider app'),
    })
  ).slug
})
after(async () => {
  await service[Symbol.asyncDispose]()
  await hostile.close()
  await receiver[Symbol.asyncDispose]()
  await collector[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
  await admin.end()
  await database.drop()
})

/** Makes a secret and remembers it. */
function secret(what: string): string {
  return remember(what, randomBytes(24).toString('base64url'))
}

function remember(what: string, value: string): string {
  assert.ok(value, `no ${what} came up`)
  secrets.set(secrets.has(what) ? `${what} ${secrets.size}` : what, value)
  return value
}

/** Every bearer token and its signature alone. */
function rememberingBearers(process: ServiceProcess): ServiceProcess {
  const call: ServiceProcess['call'] = async (method, path, options = {}) => {
    const token = options.token ?? (await deployment.token())
    secrets.set(`bearer ${secrets.size}`, token)
    secrets.set(`bearer signature ${secrets.size}`, token.split('.')[2] ?? token)
    return process.call(method, path, { ...options, token })
  }
  return Object.defineProperties({ ...process, call }, { output: { get: () => process.output } })
}

/** Answers with all it was sent, where an error code, a description or a value might be taken from it. */
function echo(status: number, shape: (heard: string) => unknown): void {
  hostile.answer('/token', (response, request: SeenRequest) => {
    const fields = new URLSearchParams(request.body)
    for (const name of ['code', 'code_verifier', 'refresh_token']) {
      const value = fields.get(name)
      if (value !== null) remember(`${name} the hostile provider was sent`, value)
    }
    const heard = [...fields.values(), request.headers.authorization ?? ''].join(' ')
    const body = shape(heard)
    response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(typeof body === 'string' ? body : JSON.stringify(body))
  })
}

/** A departure to the hostile provider and the callback it makes of it. */
async function hostileCallback(more: Readonly<Record<string, string>> = {}): Promise<URL> {
  const asked = new URL(await depart(service, hostileSlug)).searchParams
  const callback = new URL(asked.get('redirect_uri') ?? '')
  const state = remember('state', asked.get('state') ?? '')
  callback.search = new URLSearchParams({ code: secret('code'), state, ...more }).toString()
  return callback
}

/** Keeps what a stream brings, as it comes. */
async function gather(name: string, reply: Response): Promise<void> {
  assert.ok(reply.body)
  for await (const piece of reply.body.pipeThrough(new TextDecoderStream()))
    told.set(name, (told.get(name) ?? '') + piece)
}

async function everythingElse(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ...(await dumpDatabase(database.adminUrl)),
    ['stdout and stderr', service.output],
    ['spans', collector.bodies.join('\n')],
    ['webhooks', receiver.received.map(({ headers, body }) => JSON.stringify(headers) + body).join('\n')],
    ...told,
  ])
}

describe('no secret stands in the database or in any output', () => {
  it('connects by bearer, with the caller’s context', async () => {
    const context = secret('caller context')
    const callback = provider.consent(await depart(service, slug, { token: context }))
    const id = await connectedId(await returnWithBearer(service, callback))
    assert.ok(id)
    assert.ok(provider.knows(await accessTokenOf(await readToken(service, id))))
    // Again, used up.
    assert.equal((await returnWithBearer(service, callback)).status, 400)
  })

  it('connects by ticket and completion, and leaves one of each unfinished', async () => {
    for (const isFinished of [true, false]) {
      const popup = await departByTicket(service, slug)
      remember('ticket', popup.ticket)
      remember('binding cookie', popup.cookie.split('=')[1] ?? '')
      const code = remember(
        'completion code',
        (await park(service, provider.consent(popup.location), popup.cookie)) ?? '',
      )
      const wrong = secret('wrong completion code')
      assert.equal((await completeParked(service, slug, popup.sessionId, wrong)).status, 403)
      if (!isFinished) continue
      assert.equal((await completeParked(service, slug, popup.sessionId, code)).status, 200)
    }
    await departByTicket(service, slug).then(({ ticket }) => remember('ticket', ticket))
  })

  it('fails to connect in every way it knows', async () => {
    const wrongCode = provider.consent(await depart(service, slug))
    wrongCode.searchParams.set('code', secret('code'))
    assert.equal((await returnWithBearer(service, wrongCode)).status, 400)

    const shapes: (readonly [number, (heard: string) => unknown])[] = [
      [400, (heard) => ({ error: heard, error_description: heard, error_uri: heard })],
      [400, (heard) => ({ error: 'invalid_grant', error_description: heard })],
      [401, (heard) => ({ error: 'invalid_client', error_description: heard })],
      [500, (heard) => heard],
      [200, (heard) => heard],
      [200, (heard) => `{"access_token": "${heard}\n`],
      [200, (heard) => ({ access_token: heard, token_type: heard })],
      [200, (heard) => ({ access_token: [heard], token_type: 'Bearer' })],
      [200, (heard) => ({ access_token: 'x', token_type: 'Bearer', id_token: heard })],
      [200, (heard) => ({ access_token: secret('access token'), token_type: heard, expires_in: heard })],
    ]
    for (const [status, shape] of shapes) {
      echo(status, shape)
      const reply = await returnWithBearer(service, await hostileCallback())
      assert.deepEqual(findSecrets(new Map([['the answer', await reply.text()]]), secrets), [])
    }
    const refusal = { error: 'server_error', error_description: secret('provider’s description') }
    assert.equal((await returnWithBearer(service, await hostileCallback(refusal))).status, 400)
  })

  it('refuses requests that carry secrets where none belong', async () => {
    const paths = [
      `/v1/connectors/oauth/${slug}/authorize?token=${secret('made-up ticket')}`,
      `/v1/connectors/oauth/${slug}/callback?state=${secret('made-up state')}&code=${secret('code')}`,
      `/v1/connectors/oauth/${slug}/callback?code=${secret('code')}&code=${secret('code')}&state=x`,
      `/no/such/${secret('path')}?access_token=${secret('access token')}`,
      `${connectorsPath}/${secret('connector id that is none')}`,
    ]
    for (const path of paths) assert.ok((await service.call('GET', path)).status >= 400, path)
    const broken = await fetch(`${service.url}/v1/admin/connector-providers`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${await deployment.token()}` },
      body: `{"client_secret": "${secret('client secret')}\n`,
    })
    assert.equal(broken.status, 422)
    const body = { display_name: 'x', client_secret: [secret('client secret')], nonsense: secret('unknown field') }
    assert.equal((await service.call('POST', '/v1/admin/connector-providers', { body })).status, 422)
    const forged = `${(await deployment.token()).split('.').slice(0, 2).join('.')}.${secret('forged signature')}`
    assert.equal((await service.call('GET', '/v1/connector-providers', { token: forged })).status, 401)
  })

  it('imports, refreshes, is refused a refresh, and disconnects', async () => {
    const credential = { access_token: secret('access token'), refresh_token: secret('refresh token') }
    const body = { provider_slug: hostileSlug, credential: { ...credential, expires_at: '2001-01-01T00:00:00Z' } }
    const ids: string[] = []
    for (const key of ['one', 'two', 'three']) {
      const reply = await service.call('POST', connectorsPath, { body, headers: { 'idempotency-key': key } })
      const text = await reply.text()
      assert.equal(reply.status, 201, text)
      ids.push((JSON.parse(text) as { data: { id: string } }).data.id)
    }
    const [one = '', two = '', three = ''] = ids
    echo(400, (heard) => ({ error: heard, error_description: heard }))
    assert.notEqual((await readToken(service, one)).status, 200)
    echo(400, (heard) => ({ error: 'invalid_grant', error_description: heard }))
    assert.equal((await readToken(service, two)).status, 409)
    echo(200, () => ({
      access_token: secret('access token'),
      refresh_token: secret('refresh token'),
      token_type: 'Bearer',
      expires_in: 3600,
    }))
    assert.equal((await readToken(service, three)).status, 200)
    hostile.answer('/revoke', (response, request) => response.writeHead(503).end(request.body))
    const seenBefore = hostile.seenAt('/revoke').length
    assert.equal((await service.call('DELETE', `${connectorsPath}/${three}`)).status, 202)
    const patch = { client_id: 'other', client_secret: secret('new client secret') }
    while (hostile.seenAt('/revoke').length === seenBefore) await new Promise((resolve) => setTimeout(resolve, 50))
    const changed = await service.call('PATCH', `/v1/admin/connector-providers/${hostileSlug}`, { body: patch })
    assert.equal(changed.status, 200, await changed.text())
  })

  it('proxies, leases, streams and delivers, though the provider’s API echoes what it is sent', async () => {
    const keep = (id: string, text: string) => void (secrets.set(id, text), secrets.set(`${id}, bare`, text.slice(6)))
    const post = async (path: string, body: unknown) => {
      const reply = await service.call('POST', path, { body })
      const text = await reply.text()
      assert.ok(reply.ok, text)
      return (JSON.parse(text) as { data: Record<string, string> }).data
    }
    const webhook = await post('/v1/admin/webhooks', { url: receiver.url })
    keep('webhook secret', webhook['secret'] ?? '')
    const rotated = await post(`/v1/admin/webhooks/${webhook['id']}/rotate-secret`, {})
    keep('webhook secret after rotation', rotated['secret'] ?? '')
    const stop = new AbortController()
    const token = await deployment.token()
    secrets.set('bearer of the stream', token)
    const headers = { authorization: `Bearer ${token}` }
    const stream = await fetch(`${service.url}/v1/events/stream`, { headers, signal: stop.signal })
    const reading = gather('event stream', stream).catch(() => {})
    await until(() => (told.get('event stream') ?? '').includes('\nid: '))

    const id = await proxiedConnector(service, hostile.origin, {
      definition: { client_secret: secret('client secret'), revocation_url: `${hostile.origin}/revoke` },
      credential: { access_token: secret('echoed token'), refresh_token: secret('refresh token') },
    })
    hostile.answer('/api/v1/echo', (response, request) => {
      const heard = JSON.stringify(request.headers)
      response.writeHead(200, { 'content-type': 'text/plain', 'x-echo': request.headers.authorization }).end(heard)
    })
    const leased = await post(`${connectorsPath}/${id}/leases`, {
      methods: ['GET'],
      paths: ['/echo'],
      ttl_seconds: 600,
    })
    keep('lease', leased['lease'] ?? '')
    for (const by of [undefined, leased['lease']]) {
      const options = by === undefined ? {} : { token: by }
      const reply = await service.call('GET', proxyPath(id, `/echo?key=${secret('key in a query')}`), options)
      assert.equal(reply.status, 200)
      told.set(
        `echo for ${by === undefined ? 'a bearer' : 'a lease'}`,
        JSON.stringify([...reply.headers]) + (await reply.text()),
      )
    }
    const beyond = await service.call('DELETE', proxyPath(id, '/echo'), { token: leased['lease'] ?? '' })
    assert.equal(beyond.status, 403)
    assert.equal(hostile.seenAt('/api/v1/echo').length, 2)
    assert.equal((await readToken(service, id)).status, 200)
    assert.equal((await service.call('DELETE', `${connectorsPath}/${id}`)).status, 202)
    assert.equal((await readToken(service, id)).status, 409)

    const types = ['connector.connected', 'token.exported', 'connector.disconnected']
    await until(() =>
      types.every((type) => receiver.received.some((one) => one.type === type && one.resourceId === id)),
    )
    await until(() => types.every((type) => told.get('event stream')?.includes(`event: ${type}\n`)))
    stop.abort()
    await reading
    const fetched = async (name: string, path: string) => {
      const reply = await service.call('GET', path)
      assert.equal(reply.status, 200)
      told.set(name, await reply.text())
    }
    await fetched('audit export', '/v1/admin/audit/export')
    await fetched('audit list', `/v1/admin/audit?limit=100&resource_id=${id}`)
    await fetched('events', `/v1/events?limit=100&resource_id=${id}`)
    await fetched('deliveries', `/v1/admin/webhooks/${webhook['id']}/deliveries?limit=100`)
    await fetched('webhook', `/v1/admin/webhooks/${webhook['id']}`)
    await fetched('leases', `${connectorsPath}/${id}/leases`)
    await fetched('metrics', '/metrics')
    for (const action of ['connector.proxied', 'lease.created', 'token.refused', 'connector.disconnected']) {
      assert.ok(told.get('audit export')?.includes(action), `${action} is not in the audit export`)
    }
  })

  it('signs in by a one-time link', async () => {
    const link = await deployment.command('login-link', '--tenant', 'acme')
    const code = remember('login code', /login_code=([A-Za-z0-9_-]+)/.exec(link)?.[1] ?? '')
    const signIn = () =>
      fetch(`${service.url}/v1/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ login_code: code }),
      })
    const { data } = (await (await signIn()).json()) as { data: { access_token: string } }
    remember('bearer by login', data.access_token)
    assert.equal((await signIn()).status, 401)
    await deployment
      .command('login-link', '--tenant', 'acme')
      .then((other) => remember('login code', other.split('login_code=')[1]?.trim() ?? ''))
  })

  it('meets database errors at every point of a connection', async () => {
    const faults = [
      ['alter table connectors rename to away', 'alter table away rename to connectors'],
      ['alter table events rename to away', 'alter table away rename to events'],
      ['alter table data_keys rename to away', 'alter table away rename to data_keys'],
      [
        `create function refuse() returns trigger language plpgsql as
           $$ begin raise exception E'refused\\n%', row_to_json(new); end $$;
         create trigger refuse before insert on connectors for each row execute function refuse()`,
        'drop function refuse() cascade',
      ],
    ] as const
    for (const [plant, undo] of faults) {
      const callback = provider.consent(await depart(service, slug))
      await admin.query(plant)
      const reply = await returnWithBearer(service, callback)
      await admin.query(undo)
      const text = await reply.text()
      assert.ok(reply.status >= 500 || reply.status === 200, text)
    }
    await admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid()`,
    )
    await (await service.call('GET', connectorsPath)).text()
  })

  it('holds none of them afterwards, in the clear or encoded', async () => {
    await service.kill('SIGTERM')
    let number = 0
    for (const value of provider.secrets) secrets.set(`at the provider ${(number += 1)}`, value)
    assert.ok(secrets.size > 100, `only ${secrets.size} secrets`)
    const places = await everythingElse()
    for (const table of ['connectors', 'events', 'transactions', 'revocations', 'provider_apps', 'data_keys']) {
      assert.ok((places.get(`public.${table}`) ?? '').length > 100, `${table} is empty`)
    }
    assert.ok(service.output.split('\n').length > 50, 'nothing was logged')
    for (const name of ['spans', 'webhooks', 'event stream', 'audit export', 'metrics', 'public.leases']) {
      assert.ok((places.get(name) ?? '').length > 100, `${name}: nothing`)
    }
    // The one that goes back: an administrator's endpoint gets it in the `connected` event, as the list gives it.
    const found = findSecrets(places, secrets)
    assert.deepEqual(
      found.filter((one) => !(one.secret === 'caller context' && one.where === 'webhooks')),
      [],
    )
  })

  it('would find a secret planted in a table or a log line, however it is encoded', async () => {
    const canary = 'canary?&+/~secret-of-some-length'
    const bytes = Buffer.from(canary)
    const planted: Readonly<Record<string, string>> = {
      plain: canary,
      'inside a JSON document': JSON.stringify({ a: canary }),
      url: `x=${encodeURIComponent(canary)}`,
      hex: bytes.toString('hex'),
      base64: bytes.toString('base64'),
      'base64 of basic credentials': Buffer.from(`id:${canary}`).toString('base64'),
      'base64url of a longer text': Buffer.from(`ab${canary}yz`).toString('base64url'),
    }
    const wanted = new Map([['canary', canary]])
    for (const [how, text] of Object.entries(planted)) {
      await admin.query('create table public.planted (id text, value bytea)')
      for (const column of ['id', 'value']) {
        await admin.query(`insert into public.planted (${column}) values ($1)`, [
          column === 'id' ? text : Buffer.from(text),
        ])
        const found = findSecrets(await dumpDatabase(database.adminUrl), wanted)
        assert.deepEqual([...new Set(found.map(({ where }) => where))], ['public.planted'], `${how} in ${column}`)
        await admin.query('delete from public.planted')
      }
      await admin.query('drop table public.planted')
      const log = new Map([['log', `${service.output}{"level":30,"msg":"${text}"}\n`]])
      assert.ok(findSecrets(log, wanted).length > 0, `${how} in a log line`)
    }
    await admin.query(`create schema elsewhere; create table elsewhere.hidden as select '${canary}' as x`)
    assert.equal(findSecrets(await dumpDatabase(database.adminUrl), wanted)[0]?.where, 'elsewhere.hidden')
  })
})
