import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startHostileProvider, type HostileProvider } from '../support/hostile-provider.ts'
import { proxiedConnector, proxyPath } from '../support/proxied.ts'
import type { TestService } from '../support/service.ts'
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

/** Answers `status` so often, then 200; tells how often it was asked. */
function failsFirst(path: string, times: number, status: number, headers: Record<string, string> = {}): () => number {
  let asked = 0
  provider.answer(`/api/v1${path}`, (response) => {
    asked += 1
    if (asked <= times) response.writeHead(status, headers).end('not yet')
    else response.end('now')
  })
  return () => asked
}

describe('a call that failed', () => {
  for (const status of [429, 502, 503, 504]) {
    it(`is made again after ${status} when doing it twice is doing it once`, async () => {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const asked = failsFirst('/again', 1, status)
        const reply = await service.call(method, proxyPath(id, '/again'))
        assert.deepEqual([reply.status, await reply.text(), asked()], [200, 'now', 2])
      }
      const once = failsFirst('/again', 1, status)
      assert.equal((await service.call('POST', proxyPath(id, '/again'), { body: {} })).status, status)
      assert.equal(once(), 1)
      const keyed = failsFirst('/again', 1, status)
      const headers = { 'idempotency-key': 'one' }
      assert.equal((await service.call('POST', proxyPath(id, '/again'), { body: {}, headers })).status, 200)
      assert.equal(keyed(), 2)
    })
  }

  it('is made three times at most, and the provider’s last answer stands', async () => {
    const asked = failsFirst('/never', 99, 503)
    const reply = await service.call('GET', proxyPath(id, '/never'))
    assert.deepEqual(
      [reply.status, await reply.text(), reply.headers.get('x-connector-error'), asked()],
      [503, 'not yet', null, 3],
    )
  })

  it('waits as Retry-After says, in either form', async () => {
    for (const wait of ['1', new Date(Math.ceil(Date.now() / 1000) * 1000 + 2_000).toUTCString()]) {
      const asked = failsFirst('/wait', 1, 503, { 'retry-after': wait })
      const begun = performance.now()
      assert.equal((await service.call('GET', proxyPath(id, '/wait'))).status, 200)
      assert.ok(performance.now() - begun >= 990, `${performance.now() - begun} ms`)
      assert.equal(asked(), 2)
    }
  })

  it('is passed on when the provider asks for more patience than there is', async () => {
    const asked = failsFirst('/long', 1, 503, { 'retry-after': '3600' })
    const reply = await service.call('GET', proxyPath(id, '/long'))
    assert.deepEqual([reply.status, reply.headers.get('retry-after'), asked()], [503, '3600', 1])
  })

  it('is not made again when its body was too large to keep', async () => {
    const asked = failsFirst('/large', 1, 503)
    const send = async (size: number) =>
      (
        await fetch(service.url + proxyPath(id, '/large'), {
          method: 'PUT',
          headers: { authorization: `Bearer ${await service.token()}` },
          body: Buffer.alloc(size),
        })
      ).status
    assert.equal(await send(65_537), 503)
    assert.equal(asked(), 1)
    const kept = failsFirst('/large', 1, 503)
    assert.equal(await send(65_536), 200)
    assert.equal(kept(), 2)
  })

  it('is made again when the connection broke before an answer', async () => {
    let asked = 0
    provider.answer('/api/v1/breaks', (response) => {
      asked += 1
      if (asked === 1) response.destroy()
      else response.end('now')
    })
    assert.equal((await service.call('GET', proxyPath(id, '/breaks'))).status, 200)
    asked = 0
    const reply = await service.call('POST', proxyPath(id, '/breaks'), { body: {} })
    assert.deepEqual([reply.status, reply.headers.get('x-connector-error'), asked], [503, 'provider_unavailable', 1])
  })
})

describe('a 401 from the provider', () => {
  it('refreshes once and tries once more, at most once a minute', async () => {
    const expiresAt = new Date(service.clock.now().getTime() + 3_600_000).toISOString()
    const credential = { refresh_token: 'refresh-0', expires_at: expiresAt }
    const connector = await proxiedConnector(service, provider.origin, { credential })
    let refreshes = 0
    provider.answer('/token', (response) => {
      refreshes += 1
      const json = {
        access_token: `fresh-${refreshes}`,
        token_type: 'Bearer',
        expires_in: 3600,
        refresh_token: `r-${refreshes}`,
      }
      response.setHeader('content-type', 'application/json').end(JSON.stringify(json))
    })
    let good = 'fresh-1'
    const bodies: string[] = []
    provider.answer('/api/v1/me', (response, request) => {
      bodies.push(request.body)
      const isGood = request.headers['authorization'] === `Bearer ${good}`
      response
        .writeHead(isGood ? 200 : 401, { 'www-authenticate': 'Bearer error="invalid_token"' })
        .end(isGood ? 'me' : 'no')
    })
    const post = async (body: string) => {
      const headers = { authorization: `Bearer ${await service.token()}` }
      return fetch(service.url + proxyPath(connector, '/me'), { method: 'POST', body, headers })
    }
    const renewed = await post('the body')
    assert.deepEqual([renewed.status, await renewed.text(), refreshes], [200, 'me', 1])
    assert.deepEqual(bodies, ['the body', 'the body'])

    good = 'fresh-2'
    const tooSoon = await post('again')
    assert.deepEqual([tooSoon.status, await tooSoon.text(), refreshes], [401, 'no', 1])
    assert.equal(tooSoon.headers.get('x-connector-error'), null)
    assert.equal(tooSoon.headers.get('www-authenticate'), 'Bearer error="invalid_token"')

    service.clock.advance(61_000)
    // Too large to send twice: the refresh serves the next call.
    assert.equal((await post('x'.repeat(70_000))).status, 401)
    assert.equal(refreshes, 2)
    assert.equal((await post('next')).status, 200)
    assert.equal(refreshes, 2)
  })

  it('is no answer any more once its connection broke during the refresh', async () => {
    const expiresAt = new Date(service.clock.now().getTime() + 3_600_000).toISOString()
    const credential = { refresh_token: 'refresh-0', expires_at: expiresAt }
    const connector = await proxiedConnector(service, provider.origin, { credential, key: 'broken' })
    let asked = 0
    let breakOff = (_then: () => void): void => {}
    provider.answer('/token', (response) => {
      breakOff(() => {
        response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_grant"}')
      })
    })
    provider.answer('/api/v1/broken', (response) => {
      asked += 1
      if (asked > 1) return void response.end('second')
      response.writeHead(401, { 'content-length': '100' }).write('first')
      breakOff = (then) => response.once('close', then).socket?.resetAndDestroy()
    })
    const reply = await service.call('GET', proxyPath(connector, '/broken'))
    assert.deepEqual([reply.status, await reply.text(), asked], [200, 'second', 2])
  })
})
