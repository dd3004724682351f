import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { request } from 'node:http'
import { gzipSync } from 'node:zlib'
import { startHostileProvider, type HostileProvider } from '../support/hostile-provider.ts'
import { connectorPath, connectorRow, rows } from '../support/connectors.ts'
import { proxiedConnector, proxiedToken, proxyPath } from '../support/proxied.ts'
import { type TestService } from '../support/service.ts'
import { assertProblem, dataOf, otherId, type Json } from './calls.ts'
import { serviceBeside } from './own-providers.ts'

let provider: HostileProvider
let service: TestService
let id: string
before(async () => {
  provider = await startHostileProvider()
  service = await serviceBeside([provider])
  id = await proxiedConnector(service, provider.origin)
  for (const path of ['/api/v1/issues/1', '/api/v1/issues/2', '/api/v1/secrets']) {
    provider.answer(path, { json: { path } })
  }
})
after(async () => {
  await service[Symbol.asyncDispose]()
  await provider.close()
})

const limits = { methods: ['GET', 'HEAD'], paths: ['/issues/*'], ttl_seconds: 600 }

async function lent(body: Json = {}, of = id): Promise<{ readonly leaseId: string; readonly token: string }> {
  const lease = await dataOf(
    await service.call('POST', connectorPath(of, '/leases'), { body: { ...limits, ...body } }),
    201,
  )
  return { leaseId: String(lease['id']), token: String(lease['lease']) }
}

async function callsOf(leaseId: string): Promise<number> {
  const [row] = await rows(service, 'select calls from leases where lease_id = $1', [leaseId])
  return Number(row?.['calls'])
}

/** Sends a request line to the letter: `fetch` would tidy the path up. */
function raw(method: string, path: string, token: string): Promise<{ readonly status: number; readonly code: string }> {
  const { hostname, port } = new URL(service.url)
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path, headers: { authorization: `Bearer ${token}` } }, (reply) => {
      reply.resume()
      reply.once('end', () =>
        resolve({ status: reply.statusCode ?? 0, code: String(reply.headers['x-connector-error'] ?? '') }),
      )
    })
    sent.once('error', reject)
    sent.end()
  })
}

/** Asserts that a call is refused with the code, costs the lease nothing and shows the provider nothing. */
async function refused(
  lease: { readonly leaseId: string; readonly token: string },
  [method, path]: readonly [method: string, path: string],
  status: number,
  code: string,
): Promise<void> {
  const seen = provider.seen.length
  const calls = await callsOf(lease.leaseId)
  const reply = await service.call(method, path, { token: lease.token })
  assert.equal(reply.headers.get('x-connector-error'), code, `${method} ${path}`)
  if (method === 'HEAD') assert.equal(reply.status, status)
  else await assertProblem(reply, status, code)
  assert.equal(provider.seen.length, seen, `the provider saw ${method} ${path}`)
  assert.equal(await callsOf(lease.leaseId), calls)
}

describe('a call with a lease through the proxy', () => {
  it('reaches the provider with the connector’s token, is counted, and is on record as the lease’s', async () => {
    const lease = await lent({ max_calls: 5 })
    const reply = await service.call('GET', proxyPath(id, '/issues/1?q=1'), { token: lease.token })
    assert.equal(reply.status, 200)
    const text = await reply.text()
    assert.deepEqual(JSON.parse(text), { path: '/api/v1/issues/1' })
    assert.equal(provider.seen.at(-1)?.headers['authorization'], `Bearer ${proxiedToken}`)
    assert.ok(!JSON.stringify(provider.seen.at(-1)).includes(lease.token))
    assert.equal(await callsOf(lease.leaseId), 1)
    await service.context.activity.flush()
    const entries = await rows(service, `select action, metadata from audit_entries where actor_id = $1`, [
      lease.leaseId,
    ])
    assert.equal(entries[0]?.['action'], 'connector.proxied')
  })

  it('is refused for any other method, and the provider sees nothing', async () => {
    const lease = await lent()
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY']) {
      await refused(lease, [method, proxyPath(id, '/issues/1')], 403, 'lease_forbids')
    }
  })

  it('is refused for any other path, whatever way it is written, and the provider sees nothing', async () => {
    const lease = await lent()
    const seen = provider.seen.length
    for (const path of [
      '/secrets',
      '/',
      '',
      '/issues',
      '/issues/',
      '/issues/1/',
      '/issues/1/comments',
      '/issues/1%2Fcomments',
      '/issues/..%2Fsecrets',
      '/issues/%2e%2e/secrets',
      '/issues/../secrets',
      '/issues/..',
      '/issues/.',
      '/issues/%2e%2e%2fsecrets',
      '/issues/..;/secrets',
      '/issues/..%5csecrets',
      '/issues\\..\\secrets',
      '//issues/1',
      '/issues//1',
      '/./issues/1',
      '/Issues/1',
      '/issues/1#/x',
      '/issues/%zz',
      '/issues/%00',
      '/%69ssues/1/../../secrets',
      '/issues/%252e%252e/secrets',
      '/secrets?x=/issues/1',
      '/secrets#/issues/1',
      '/secrets;/issues/1',
    ]) {
      const reply = await raw('GET', proxyPath(id, path), lease.token)
      assert.ok(reply.status >= 400 && reply.status < 500, `${path}: ${reply.status}`)
    }
    for (const line of [
      proxyPath(id, '/issues/1').replace('/proxy/', '/proxy/../proxy/../../x/proxy/'),
      `http://elsewhere.example${proxyPath(id, '/secrets')}`,
    ]) {
      assert.ok((await raw('GET', line, lease.token)).status >= 400)
    }
    assert.equal(provider.seen.length, seen)
    assert.equal(await callsOf(lease.leaseId), 0)
  })

  it('lets a `**` reach what lies below it, and nothing beside it by dot segments', async () => {
    const lease = await lent({ paths: ['/issues/**'] })
    assert.equal((await raw('GET', proxyPath(id, '/issues/1'), lease.token)).status, 200)
    const seen = provider.seen.length
    for (const path of [
      '/issues/../secrets',
      '/issues/%2e%2e/secrets',
      '/issues/..%2Fsecrets',
      '/issues/..%5csecrets',
      '/issues/a/..;/../secrets',
    ]) {
      assert.ok((await raw('GET', proxyPath(id, path), lease.token)).status >= 400, path)
    }
    assert.equal(provider.seen.length, seen)
  })

  it('cannot be widened by a header or parameter that names another method', async () => {
    const lease = await lent({ methods: ['POST'], paths: ['/issues/*'] })
    provider.answer('/api/v1/issues/1', (response, { headers }) => response.end(JSON.stringify(headers)))
    const names = ['x-http-method-override', 'x-http-method', 'x-method-override', 'x-original-url', 'x-rewrite-url']
    const headers = Object.fromEntries(names.map((name) => [name, 'DELETE']))
    const reply = await service.call('POST', proxyPath(id, '/issues/1'), { token: lease.token, headers })
    const got = (await reply.json()) as Json
    for (const name of names) assert.ok(!(name in got), name)
    provider.answer('/api/v1/issues/1', { json: { path: '/api/v1/issues/1' } })
  })

  it('is refused at another connector, space and tenant, all in the same words', async () => {
    const lease = await lent()
    const other = await proxiedConnector(service, provider.origin)
    const away = proxyPath(id, '/issues/1')
    await refused(lease, ['GET', proxyPath(other, '/issues/1')], 401, 'lease_invalid')
    await refused(lease, ['GET', proxyPath('conn_absent', '/issues/1')], 401, 'lease_invalid')
    await refused(lease, ['GET', away.replace(/spaces\/[^/]+/, `spaces/${otherId}`)], 401, 'lease_invalid')
    await refused(lease, ['GET', away.replace(/collections\/[^/]+/, `collections/${otherId}`)], 401, 'lease_invalid')
    const globex = await service.token({ tenant: 'globex' })
    const theirs = await proxiedConnector(
      { call: (method, path, options) => service.call(method, path, { ...options, token: globex }) },
      provider.origin,
    )
    await refused(lease, ['GET', proxyPath(theirs, '/issues/1')], 401, 'lease_invalid')
  })

  it('is refused when the lease is unknown, and says so like any bad bearer', async () => {
    const seen = provider.seen.length
    const reply = await service.call('GET', proxyPath(id, '/issues/1'), { token: `lease_${'x'.repeat(43)}` })
    assert.match(reply.headers.get('www-authenticate') ?? '', /error="invalid_token"/)
    assert.equal(reply.headers.get('x-connector-error'), 'lease_invalid')
    await assertProblem(reply, 401, 'lease_invalid')
    assert.equal(provider.seen.length, seen)
  })

  it('is refused once the calls are spent, the time is over or the lease is revoked', async () => {
    const spent = await lent({ max_calls: 1 })
    assert.equal((await service.call('GET', proxyPath(id, '/issues/1'), { token: spent.token })).status, 200)
    await refused(spent, ['GET', proxyPath(id, '/issues/1')], 403, 'lease_exhausted')
    await refused(spent, ['HEAD', proxyPath(id, '/issues/1')], 403, 'lease_exhausted')
    const revoked = await lent()
    await service.call('DELETE', connectorPath(id, `/leases/${revoked.leaseId}`))
    await refused(revoked, ['GET', proxyPath(id, '/issues/1')], 401, 'lease_invalid')
    const brief = await lent({ ttl_seconds: 1 })
    service.clock.advance(1000)
    await refused(brief, ['GET', proxyPath(id, '/issues/1')], 401, 'lease_invalid')
  })

  it('is refused while the connector is paused and after it is disconnected', async () => {
    const own = await proxiedConnector(service, provider.origin, { key: 'paused' })
    const lease = await lent({}, own)
    await service.call('PATCH', connectorPath(own), { body: { paused: true } })
    await refused(lease, ['GET', proxyPath(own, '/issues/1')], 409, 'connector_paused')
    await service.call('PATCH', connectorPath(own), { body: { paused: false } })
    assert.equal((await service.call('GET', proxyPath(own, '/issues/1'), { token: lease.token })).status, 200)
    await service.call('DELETE', connectorPath(own))
    await refused(lease, ['GET', proxyPath(own, '/issues/1')], 401, 'lease_invalid')
  })

  it('makes nobody refresh a token for a call that its lease forbids', async () => {
    const stale = await proxiedConnector(service, provider.origin, {
      key: 'stale',
      credential: { refresh_token: 'refresh-1', expires_at: new Date(Date.now() + 1000).toISOString() },
    })
    const lease = await lent({ max_calls: 1 }, stale)
    await rows(service, 'update leases set calls = 1 where lease_id = $1', [lease.leaseId])
    service.clock.advance(3_600_000)
    const fresh = await lent({}, stale)
    const { version } = await connectorRow(service, stale)
    await refused(fresh, ['POST', proxyPath(stale, '/issues/1')], 403, 'lease_forbids')
    await refused(fresh, ['GET', proxyPath(stale, '/secrets')], 403, 'lease_forbids')
    await rows(service, `update leases set expires_at = expires_at + interval '2 hours' where lease_id = $1`, [
      lease.leaseId,
    ])
    await refused(lease, ['GET', proxyPath(stale, '/issues/1')], 403, 'lease_exhausted')
    assert.equal((await connectorRow(service, stale)).version, version)
  })

  it('never shows the token, whatever form of the answer its holder asks for', async () => {
    const seenHeaders: unknown[] = []
    provider.answer('/api/v1/issues/1', (response, { headers }) => {
      seenHeaders.push([headers['accept-encoding'], headers['range'], headers['if-range']])
      const text = `{"you sent":"${String(headers['authorization'])}"}`
      if (headers['accept-encoding'] !== 'identity')
        return void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(text))
      response.end(headers['range'] === undefined ? text : text.slice(0, 40))
    })
    provider.answer('/api/v1/issues/2', (response, { headers }) => {
      response.writeHead(
        200,
        [
          ['content-encoding', 'identity'],
          ['content-encoding', 'gzip'],
        ].flat(),
      )
      response.end(gzipSync(String(headers['authorization'])))
    })
    const headers = { 'accept-encoding': 'gzip', range: 'bytes=0-39', 'if-range': '"x"' }
    const bearers = [(await lent()).token, await service.token({ scope: 'connectors:use' })]
    for (const token of bearers) {
      const reply = await service.call('GET', proxyPath(id, '/issues/1'), { token, headers })
      assert.equal(await reply.text(), `{"you sent":"Bearer ${'*'.repeat(proxiedToken.length)}"}`)
      assert.equal(reply.headers.get('content-encoding'), null)
      const coded = await service.call('GET', proxyPath(id, '/issues/2'), { token })
      assert.equal(coded.headers.get('x-connector-error'), 'provider_error')
      await assertProblem(coded, 502, 'provider_error')
    }
    assert.deepEqual(
      seenHeaders,
      bearers.map(() => ['identity', undefined, undefined]),
    )
    const reader = await service.token({ scope: 'connectors:use connectors:token' })
    const whole = await service.call('GET', proxyPath(id, '/issues/1'), { token: reader, headers })
    assert.ok((await whole.text()).includes(proxiedToken))
    for (const path of ['/api/v1/issues/1', '/api/v1/issues/2']) provider.answer(path, { json: { path } })
  })

  it('puts refused paths on record as one kind of line, however many there are', async () => {
    const lease = await lent()
    for (const word of ['alpha', 'beta', 'gamma', 'delta']) {
      await refused(lease, ['GET', proxyPath(id, `/${word}/secrets`)], 403, 'lease_forbids')
    }
    await service.context.activity.flush()
    const entries = await rows(service, `select metadata from audit_entries where actor_id = $1`, [lease.leaseId])
    const told = entries.map((entry) => entry['metadata'] as Json)
    // A batch may have been written in between.
    assert.ok(told.every((metadata) => !('path' in metadata)))
    assert.equal(
      told.reduce((sum, metadata) => sum + Number(metadata['count']), 0),
      4,
    )
  })

  it('puts its refusals on record, under the lease', async () => {
    const lease = await lent()
    await refused(lease, ['DELETE', proxyPath(id, '/issues/1')], 403, 'lease_forbids')
    await service.context.activity.flush()
    const entries = await rows(service, `select metadata from audit_entries where actor_id = $1`, [lease.leaseId])
    const metadata = entries[0]?.['metadata'] as Json
    assert.equal(metadata['status'], 'lease_forbids')
    assert.equal(metadata['method'], 'DELETE')
  })
})
