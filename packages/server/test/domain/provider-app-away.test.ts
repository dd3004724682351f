import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { connectorRow, eventTypes, readToken } from '../support/connectors.ts'
import { connectAccount } from '../support/consent.ts'
import { startTestService, type TestService } from '../support/service.ts'

const path = '/v1/admin/connector-providers/sandbox'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

const setClientId = (clientId: string | null) => service.call('PATCH', path, { body: { client_id: clientId } })

it('a connection survives the time during which its provider app is not set up', async () => {
  const id = await connectAccount(service)
  service.clock.advance(121_000)
  // A client of the tenant's own without a secret takes the place of the deployment's, and cannot be used.
  assert.equal((await setClientId('half-set-up')).status, 200)
  const away = await readToken(service, id)
  assert.deepEqual([away.status, away.code], [503, 'provider_unavailable'])
  assert.equal((await connectorRow(service, id)).health, 'degraded')
  assert.equal((await service.call('DELETE', path)).status, 204)
  service.clock.advance(away.retryAfterSeconds * 1000)
  assert.equal((await readToken(service, id)).status, 200)
  assert.ok((await eventTypes(service, id)).includes('connector.recovered'))
})

it('a connection comes back when another client is replaced by the one it was granted to', async () => {
  const id = await connectAccount(service)
  service.clock.advance(121_000)
  const other = { client_id: 'another-client', client_secret: 'another-secret' }
  assert.equal((await service.call('PATCH', path, { body: other })).status, 200)
  const requestsBefore = service.sandbox.counts.tokenRequests
  const away = await readToken(service, id)
  assert.deepEqual([away.status, away.code], [409, 'reauth_required'])
  assert.equal(service.sandbox.counts.tokenRequests, requestsBefore, 'the other client was sent the refresh token')
  assert.equal((await service.call('DELETE', path)).status, 204)
  assert.equal((await readToken(service, id)).status, 200)
  assert.equal((await connectorRow(service, id)).health, 'active')
})
