import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { trustedPeers } from '../../src/http/trusted-peers.ts'
import { connectorPath } from '../support/connectors.ts'
import { startHostileProvider, type HostileProvider } from '../support/hostile-provider.ts'
import { proxiedConnector } from '../support/proxied.ts'
import type { TestService } from '../support/service.ts'
import { serviceBeside } from './own-providers.ts'

let provider: HostileProvider
let service: TestService
before(async () => {
  provider = await startHostileProvider()
  service = await serviceBeside([provider])
})
after(async () => {
  await service[Symbol.asyncDispose]()
  await provider.close()
})

const own = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const asked = async (given: string) =>
  (await service.call('GET', '/v1/connector-providers', { headers: { 'x-request-id': given } })).headers.get(
    'x-request-id',
  )

describe('the id of a request', () => {
  it('is the caller’s when it is harmless, in the answer and in the log', async () => {
    assert.equal(await asked('platform-7.a_B'), 'platform-7.a_B')
    const lines = service.logs.map((line) => JSON.parse(line) as Record<string, unknown>)
    assert.equal(lines.at(-1)?.['request_id'], 'platform-7.a_B')
    assert.equal(await asked('x'.repeat(64)), 'x'.repeat(64))
  })

  it('is one of this service’s own otherwise', async () => {
    for (const given of ['x'.repeat(65), '', 'a b', 'a"b', '<b>', 'ä', 'a,b', 'a/b', 'a=b']) {
      assert.match((await asked(given)) ?? '', own, given)
    }
    assert.match((await service.call('GET', '/v1/connector-providers')).headers.get('x-request-id') ?? '', own)
  })

  it('stands on every line that is written for it, in flows too', async () => {
    const id = await proxiedConnector(service, provider.origin, {
      credential: { refresh_token: 'refresh-1', expires_at: new Date(Date.now() + 30_000).toISOString() },
    })
    provider.answer('/token', { status: 400, json: { error: 'invalid_grant' } })
    service.clock.advance(60_000)
    const reply = await service.call('POST', connectorPath(id, '/token'), {
      headers: { 'x-request-id': 'of-this-read' },
    })
    assert.equal(reply.status, 409)
    const lines = service.logs.map((line) => JSON.parse(line) as Record<string, unknown>)
    const told = lines.filter((line) => line['request_id'] === 'of-this-read')
    assert.deepEqual(
      told.map((line) => line['msg']),
      ['a refresh failed', 'request'],
    )
    const { tenant_id: tenant, connector_id: connector, health, reason } = told[0] ?? {}
    assert.deepEqual([tenant, connector, health, reason], ['acme', id, 'reauth_required', 'invalid_grant'])
    service.context.log.warn({ connector_id: id }, 'outside of requests')
    const last = JSON.parse(service.logs.at(-1) ?? '{}') as Record<string, unknown>
    assert.deepEqual([last['msg'], last['request_id']], ['outside of requests', undefined])
  })
})

describe('a trusted peer', () => {
  it('is one of the listed addresses, networks and names', () => {
    const isTrusted = trustedPeers(['10.1.0.0/16', '192.0.2.7', '2001:db8::/32', 'loopback'])
    for (const address of ['10.1.2.3', '192.0.2.7', '::ffff:192.0.2.7', '2001:db8::1', '127.0.0.9', '::1']) {
      assert.ok(isTrusted(address), address)
    }
    for (const address of ['10.2.0.1', '192.0.2.8', '2001:db9::1', 'nonsense', '', undefined]) {
      assert.ok(!isTrusted(address), String(address))
    }
    assert.ok(!trustedPeers([])('127.0.0.1'))
  })
})
