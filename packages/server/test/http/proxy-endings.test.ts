import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { connectorPath, rows } from '../support/connectors.ts'
import { startHostileProvider, type HostileProvider } from '../support/hostile-provider.ts'
import { proxiedConnector, proxyPath } from '../support/proxied.ts'
import type { TestService } from '../support/service.ts'
import { assertProblem, dataOf } from './calls.ts'
import { serviceBeside } from './own-providers.ts'

let provider: HostileProvider
let service: TestService
before(async () => {
  provider = await startHostileProvider()
  service = await serviceBeside([provider])
  provider.answer('/api/v1/stream', (response) => void response.writeHead(200).write('begun'))
  provider.answer('/api/v1/hang', () => {})
})
after(async () => {
  await service[Symbol.asyncDispose]()
  await provider.close()
})

let made = 0
const connector = () => proxiedConnector(service, provider.origin, { key: `own-${(made += 1)}` })

async function lent(id: string, seconds = 600): Promise<{ readonly leaseId: string; readonly token: string }> {
  const body = { methods: ['GET'], paths: ['/**'], ttl_seconds: seconds }
  const lease = await dataOf(await service.call('POST', connectorPath(id, '/leases'), { body }), 201)
  return { leaseId: String(lease['id']), token: String(lease['lease']) }
}

/** A stream that has begun and goes on; `rest` tells how it ended. */
async function streaming(id: string, token?: string) {
  const reply = await service.call('GET', proxyPath(id, '/stream'), token === undefined ? {} : { token })
  assert.equal(reply.status, 200)
  const reader = (reply.body ?? assert.fail('no body')).getReader()
  assert.equal(Buffer.from((await reader.read()).value ?? []).toString(), 'begun')
  let state = 'open'
  const rest = reader.read().then(
    () => (state = 'whole'),
    () => (state = 'cut'),
  )
  return { rest, state: () => state }
}

describe('a stream through the proxy', () => {
  it('is cut when its connector is disconnected', async () => {
    const id = await connector()
    const stream = await streaming(id)
    const leased = await streaming(id, (await lent(id)).token)
    await service.call('DELETE', connectorPath(id))
    assert.deepEqual(await Promise.all([stream.rest, leased.rest]), ['cut', 'cut'])
  })

  it('is cut when its lease is revoked, and no other with it', async () => {
    const id = await connector()
    const lease = await lent(id)
    const [revoked, other, own] = await Promise.all([
      streaming(id, lease.token),
      streaming(id, (await lent(id)).token),
      streaming(id),
    ])
    await service.call('DELETE', connectorPath(id, `/leases/${lease.leaseId}`))
    assert.equal(await revoked.rest, 'cut')
    await service.context.openCalls.check()
    assert.deepEqual([other.state(), own.state()], ['open', 'open'])
    await service.call('DELETE', connectorPath(id))
    await Promise.all([other.rest, own.rest])
  })

  it('is cut when another process ended its lease or connector', async () => {
    const [id, kept] = [await connector(), await connector()]
    const lease = await lent(kept)
    const [stream, leased, own] = [await streaming(id), await streaming(kept, lease.token), await streaming(kept)]
    await rows(service, `update leases set revoked_at = now() where lease_id = $1`, [lease.leaseId])
    await rows(service, `update connectors set health = 'disconnected' where connector_id = $1`, [id])
    await service.context.openCalls.check()
    assert.deepEqual([await stream.rest, await leased.rest, own.state()], ['cut', 'cut', 'open'])
    await service.call('DELETE', connectorPath(kept))
    await own.rest
  })

  it('is cut when its lease ends', async () => {
    const id = await connector()
    assert.equal(await (await streaming(id, (await lent(id, 2)).token)).rest, 'cut')
  })

  it('is cut when its bearer token ends', async () => {
    const stream = await streaming(await connector())
    service.clock.advance(3_600_001)
    await service.context.openCalls.check()
    assert.equal(await stream.rest, 'cut')
  })

  it('says why when nothing of the answer was sent yet', async () => {
    const id = await connector()
    const lease = await lent(id)
    const seen = provider.seenAt('/api/v1/hang').length
    const asked = service.call('GET', proxyPath(id, '/hang'), { token: lease.token })
    while (provider.seenAt('/api/v1/hang').length === seen) await new Promise((resolve) => setImmediate(resolve))
    await service.call('DELETE', connectorPath(id, `/leases/${lease.leaseId}`))
    await assertProblem(await asked, 401, 'lease_invalid')
  })
})

describe('a body that does not come', () => {
  it('keeps nobody from an answer that does not depend on it', async () => {
    const id = await connector()
    const asked: readonly (readonly [path: string, token: string, status: number])[] = [
      [proxyPath(id, '/x'), await service.token({ scope: 'connectors:read' }), 403],
      [proxyPath('conn_absent', '/x'), await service.token(), 404],
    ]
    for (const [path, token, status] of asked) {
      const { hostname, port } = new URL(service.url)
      const socket = connect(Number(port), hostname)
      const answer = new Promise<string>((resolve, reject) => {
        socket.once('data', (chunk) => resolve(chunk.toString()))
        AbortSignal.timeout(10_000).addEventListener('abort', () => reject(new Error('no answer')))
      })
      socket.write(
        `POST ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\ncontent-length: 100\r\n\r\n`,
      )
      assert.match(await answer, new RegExp(`^HTTP/1\\.1 ${status} `))
      socket.destroy()
    }
  })
})
