import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
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
      provider.answer('/api/v1/any', (response, request) =>
        response.writeHead(200, { 'x-method': request.method }).end('ok'),
      )
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
