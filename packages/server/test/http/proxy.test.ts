import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { connectorPath } from '../support/connectors.ts'
import { startHostileProvider, type HostileProvider } from '../support/hostile-provider.ts'
import { proxiedConnector, proxiedToken, proxyPath } from '../support/proxied.ts'
import { type TestService } from '../support/service.ts'
import { serviceBeside } from './own-providers.ts'

let provider: HostileProvider
let service: TestService
let id: string
before(async () => {
  provider = await startHostileProvider()
  service = await serviceBeside([provider])
  id = await proxiedConnector(service, provider.origin)
})
after(async () => {
  await service[Symbol.asyncDispose]()
  await provider.close()
})

const last = () => provider.seen.at(-1)

describe('a proxied call', () => {
  it('carries method, path, query, body and token to the provider and its answer back', async () => {
    provider.answer('/api/v1/items/7', {
      status: 207,
      headers: { 'content-type': 'application/json', etag: '"x"', link: '</next>; rel="next"' },
      text: '{"done":true}',
    })
    const reply = await service.call('PUT', proxyPath(id, "/items/7?q=a%20b&flag&q='2'"), { body: { name: 'Ada' } })
    assert.equal(reply.status, 207)
    assert.equal(await reply.text(), '{"done":true}')
    assert.equal(reply.headers.get('etag'), '"x"')
    assert.equal(reply.headers.get('link'), '</next>; rel="next"')
    assert.equal(reply.headers.get('x-connector-error'), null)
    assert.equal(last()?.method, 'PUT')
    assert.equal(last()?.body, '{"name":"Ada"}')
    assert.equal(last()?.query.toString(), 'q=a+b&flag=&q=%272%27')
    assert.equal(last()?.headers['authorization'], `Bearer ${proxiedToken}`)
    assert.equal(last()?.headers['content-type'], 'application/json')
    assert.equal(last()?.headers['host'], provider.host)
  })

  for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'QUERY', 'PROPFIND', 'REPORT']) {
    it(`works with ${method}`, async () => {
      provider.answer('/api/v1/any', (response, seen) => response.writeHead(200, { 'x-method': seen.method }).end('ok'))
      const reply = await service.call(method, proxyPath(id, '/any'))
      assert.equal(reply.status, 200)
      assert.equal(reply.headers.get('x-method'), method)
      assert.equal(await reply.text(), method === 'HEAD' ? '' : 'ok')
    })
  }

  it('answers under /api-proxy too', async () => {
    provider.answer('/api/v1/any', { json: { ok: true } })
    const reply = await service.call('GET', `/api-proxy${proxyPath(id, '/any')}`)
    assert.deepEqual(await reply.json(), { ok: true })
  })

  it('passes a body of any type through unread', async () => {
    provider.answer('/api/v1/any', { json: {} })
    for (const type of ['text/plain', 'application/json', 'no/such;;type', 'multipart/form-data; boundary=x', '']) {
      const body = '{"not json'
      const reply = await service.call('POST', proxyPath(id, '/any'), { headers: { 'content-type': type } })
      assert.equal(reply.status, 200, type)
      const sent = await fetch(service.url + proxyPath(id, '/any'), {
        method: 'POST',
        headers: { authorization: `Bearer ${await service.token()}`, 'content-type': type },
        body,
      })
      assert.equal(sent.status, 200, type)
      assert.equal(last()?.body, body)
    }
  })
})

describe('an answer of the service’s own', () => {
  it('says so in X-Connector-Error', async () => {
    const seen = provider.seen.length
    const cases: readonly (readonly [expected: number, code: string, path: string, token?: string])[] = [
      [401, 'unauthorized', proxyPath(id, '/any'), 'nonsense'],
      [422, 'invalid_request', proxyPath('a b'.replace(' ', '%20'), '/any')],
      [403, 'missing_right', proxyPath(id, '/any'), await service.token({ scope: 'connectors:read connectors:token' })],
      [403, 'proxy_path_refused', proxyPath(id, '/..%2f..%2fadmin')],
      [404, 'connector_unknown', proxyPath('conn_none', '/any')],
      [404, 'connector_unknown', proxyPath(id, '/any'), await service.token({ tenant: 'globex' })],
    ]
    for (const [status, code, path, token] of cases) {
      const reply = await service.call('GET', path, token === undefined ? {} : { token })
      assert.equal(reply.status, status, path)
      assert.equal(reply.headers.get('x-connector-error'), code)
    }
    assert.equal(provider.seen.length, seen)
  })
})

describe('a connector’s proxy_policy', () => {
  const patch = async (proxy_policy: unknown) => service.call('PATCH', connectorPath(id), { body: { proxy_policy } })
  const tried = async (method: string, rest: string) =>
    (await service.call(method, proxyPath(id, rest))).headers.get('x-connector-error')
  after(() => patch(null))

  it('lets through only the methods and paths it names', async () => {
    provider.answer('/api/v1/items/7', { json: {} })
    const policy = { methods: ['GET', 'PUT'], paths: ['/items/*', '/open/**'] }
    const changed = (await (await patch(policy)).json()) as { data: { proxy_policy: unknown } }
    assert.deepEqual(changed.data.proxy_policy, policy)
    assert.equal(await tried('GET', '/items/7?x=/other'), null)
    assert.equal(await tried('PUT', '/open/a/b'), null)
    const seen = provider.seen.length
    assert.equal(await tried('DELETE', '/items/7'), 'proxy_method_refused')
    assert.equal(await tried('HEAD', '/items/7'), 'proxy_method_refused')
    for (const path of ['/items', '/items/', '/items/7/parts', '/items/7%2Fparts', '/Items/7', '/other', '/']) {
      assert.equal(await tried('GET', path), 'proxy_path_refused', path)
    }
    assert.equal(provider.seen.length, seen)
  })

  it('never turns one method into another', async () => {
    await patch({ methods: ['POST'] })
    const headers = { 'x-http-method-override': 'DELETE', 'X-HTTP-Method': 'DELETE', x_http_method_override: 'DELETE' }
    await service.call('POST', proxyPath(id, '/items/7'), { headers, body: {} })
    assert.equal(last()?.method, 'POST')
    assert.deepEqual(
      Object.keys(last()?.headers ?? {}).filter((name) => name.includes('method')),
      [],
    )
  })

  it('is refused when it holds no pattern, and taken off by null', async () => {
    const refused = await patch({ paths: ['/ok/*', 'nonsense', '/a/../b'] })
    assert.equal(refused.status, 422)
    const { detail } = (await refused.json()) as { detail: readonly { loc: unknown }[] }
    assert.deepEqual(
      detail.map((problem) => problem.loc),
      [
        ['body', 'proxy_policy', 'paths', 1],
        ['body', 'proxy_policy', 'paths', 2],
      ],
    )
    for (const bad of [{ paths: [] }, { methods: ['get'] }, { other: 1 }, 'x'])
      assert.equal((await patch(bad)).status, 422)
    assert.equal((await patch(null)).status, 200)
    assert.equal(await tried('GET', '/items/7'), null)
  })

  it('leaves TRACE and CONNECT to nobody', async () => {
    const seen = provider.seen.length
    assert.equal(await rawTrace(), 'proxy_method_refused')
    assert.equal(provider.seen.length, seen)
  })

  async function rawTrace(): Promise<string | undefined> {
    const { hostname, port } = new URL(service.url)
    const headers = { authorization: `Bearer ${await service.token()}` }
    return new Promise((resolve, reject) => {
      const sent = request({ hostname, port, path: proxyPath(id, '/items/7'), method: 'TRACE', headers }, (reply) => {
        reply.resume()
        resolve(String(reply.headers['x-connector-error']))
      })
      sent.once('error', reject)
      sent.end()
    })
  }
})
