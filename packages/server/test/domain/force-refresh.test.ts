import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { connectorId, tenantId } from '../../src/core/ids.ts'
import { forceRefresh } from '../../src/domain/force-refresh.ts'
import { freshAccess, type FreshAccess, type ReadyAccess } from '../../src/domain/fresh-access.ts'
import { connectAccount } from '../support/consent.ts'
import { connectorPath } from '../support/connectors.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'

const tenant = tenantId('acme')

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

/** A connected account and the token that a caller now tries on the provider's API. */
async function rejectedToken() {
  const id = await connectAccount(service)
  const place = { spaceId, collectionId, connectorId: connectorId(id) }
  const rejected = requireReady(await freshAccess(service.context, tenant, place, 0))
  return { id, rejected, force: (what = rejected) => forceRefresh(service.context, tenant, place, what) }
}

function requireReady(access: FreshAccess): ReadyAccess {
  assert.equal(access.kind, 'ready')
  return access.kind === 'ready' ? access : assert.fail()
}

const refreshes = () => service.sandbox.counts.refreshes

it('many callers whose token was rejected get one refresh and one new token', async () => {
  const { rejected, force } = await rejectedToken()
  const countBefore = refreshes()
  const tokens = await Promise.all(Array.from({ length: 20 }, async () => requireReady(await force())))
  assert.equal(refreshes() - countBefore, 1)
  assert.equal(new Set(tokens.map((token) => token.accessToken.reveal())).size, 1)
  assert.notEqual(tokens[0]?.accessToken.reveal(), rejected.accessToken.reveal())
})

it('a caller who comes later with the old token gets the newer one without a refresh', async () => {
  const { rejected, force } = await rejectedToken()
  const newer = requireReady(await force())
  const countBefore = refreshes()
  const again = requireReady(await force(rejected))
  assert.equal(again.accessToken.reveal(), newer.accessToken.reveal())
  assert.equal(refreshes(), countBefore)
})

it('a token that is rejected again within the minute is answered as it is, and refreshed after it', async () => {
  const { force } = await rejectedToken()
  const second = requireReady(await force())
  const countBefore = refreshes()
  for (let round = 0; round < 3; round += 1) {
    const same = requireReady(await force(second))
    assert.equal(same.connector.version, second.connector.version)
    assert.equal(same.accessToken.reveal(), second.accessToken.reveal())
  }
  assert.equal(refreshes(), countBefore)
  service.clock.advance(60_000)
  assert.ok(requireReady(await force(second)).connector.version > second.connector.version)
  assert.equal(refreshes(), countBefore + 1)
})

it('a provider in trouble leaves the token as it is', async () => {
  const { rejected, force } = await rejectedToken()
  service.sandbox.behave({ failTokenWith: 503 })
  for (let round = 0; round < 2; round += 1) {
    const countBefore = service.sandbox.counts.tokenRequests
    assert.equal(requireReady(await force()).accessToken.reveal(), rejected.accessToken.reveal())
    assert.equal(service.sandbox.counts.tokenRequests - countBefore, round === 0 ? 1 : 0)
  }
  service.sandbox.behave({ failTokenWith: undefined })
})

it('a disconnected or paused connector gives no token', async () => {
  const { id, force } = await rejectedToken()
  await service.call('PATCH', connectorPath(id), { body: { paused: true } })
  assert.deepEqual(await force(), { kind: 'paused' })
  await service.call('DELETE', connectorPath(id))
  assert.deepEqual(await force(), { kind: 'disconnected' })
})

it('a connector of another space is unknown', async () => {
  const { rejected, id } = await rejectedToken()
  const elsewhere = { spaceId: collectionId, collectionId, connectorId: connectorId(id) }
  const countBefore = refreshes()
  assert.deepEqual(await forceRefresh(service.context, tenant, elsewhere, rejected), { kind: 'unknown' })
  assert.equal(refreshes(), countBefore)
})
