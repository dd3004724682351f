import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { plusMs } from '../../src/core/clock.ts'
import { connectorId, tenantId } from '../../src/core/ids.ts'
import { claimRefresh, failRefresh, storeRefresh } from '../../src/store/refresh-leases.ts'
import { connectAccount } from '../support/consent.ts'
import { connectorRow } from '../support/connectors.ts'
import { startTestService, type TestService } from '../support/service.ts'

const tenant = tenantId('acme')

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

const leaseMs = 1_000

async function claim(id: string, now: Date) {
  const db = service.context.database.tenant(tenant)
  return claimRefresh(db, tenant, connectorId(id), await connectorRow(service, id), {
    now,
    leaseEnds: plusMs(now, leaseMs),
  })
}

/** Two claims on one version, the second after the first's lease has ended. */
async function outlivedLease() {
  const id = await connectAccount(service)
  const db = service.context.database.tenant(tenant)
  const now = service.clock.now()
  const first = await claim(id, now)
  assert.equal(await claim(id, now), undefined)
  const later = plusMs(now, leaseMs + 1)
  const second = await claim(id, later)
  assert.ok(first && second && second.fence > first.fence)
  return { id, db, first, second, now, later }
}

const tokens = (name: string) => ({
  accessToken: Buffer.from(`sealed ${name}`),
  refreshToken: Buffer.from(`sealed refresh ${name}`),
  tokenType: 'Bearer',
  expiresAt: undefined,
  grantedScopes: undefined,
  kept: {},
  hasRotated: true,
  nextRefreshAt: new Date('2030-01-01T00:00:00Z'),
})
const dead = { health: 'reauth_required', reason: 'invalid_grant', retryAt: undefined, answers: 1 } as const
const noReply = { health: 'degraded', reason: 'provider_timeout', retryAt: undefined, answers: 0 } as const

it('a rotated refresh token is kept although its lease was outlived, and the other’s failure says nothing', async () => {
  const { id, db, first, second, later } = await outlivedLease()
  assert.equal(await storeRefresh(db, first, tokens('first'), later), 'active')
  assert.equal(await failRefresh(db, second, dead, later), undefined)
  assert.equal(await storeRefresh(db, second, tokens('second'), later), undefined)
  const row = await connectorRow(service, id)
  assert.deepEqual([row.health, row.refresh_token?.toString()], ['active', 'sealed refresh first'])
})

it('a failure under an outlived lease changes nothing', async () => {
  const { id, db, first, later } = await outlivedLease()
  assert.equal(await failRefresh(db, first, dead, later), undefined)
  assert.equal((await connectorRow(service, id)).health, 'active')
})

it('tokens that arrive after the second refresher was refused put the connector right again, and say what it was', async () => {
  const { id, db, first, second, later } = await outlivedLease()
  assert.equal(await failRefresh(db, second, dead, later), 'active')
  assert.equal(await storeRefresh(db, first, tokens('first'), later), 'reauth_required')
  assert.equal((await connectorRow(service, id)).health, 'active')
})

it('a claim is refused when the row is not as it was judged', async () => {
  const id = await connectAccount(service)
  const db = service.context.database.tenant(tenant)
  const now = service.clock.now()
  const judged = await connectorRow(service, id)
  const claiming = { now, leaseEnds: plusMs(now, leaseMs) }
  for (const changed of [
    { ...judged, version: judged.version + 1 },
    { ...judged, refresh_fence: judged.refresh_fence + 1 },
    { ...judged, health: 'reauth_required' as const },
  ]) {
    assert.equal(await claimRefresh(db, tenant, connectorId(id), changed, claiming), undefined)
  }
  const row = await connectorRow(service, id)
  assert.deepEqual([row.refresh_fence, row.refresh_sent_at], [judged.refresh_fence, null])
  assert.ok(await claimRefresh(db, tenant, connectorId(id), judged, claiming))
})

it('what was sent without an answer is counted from the first time on, and each answer takes one away', async () => {
  const { id, db, second, now, later } = await outlivedLease()
  const doubt = async () => {
    const row = await connectorRow(service, id)
    return [row.refresh_unanswered, row.refresh_sent_at]
  }
  assert.deepEqual(await doubt(), [2, now])
  assert.equal(await failRefresh(db, second, noReply, later), 'active')
  assert.deepEqual(await doubt(), [2, now])
  const third = await claim(id, later)
  assert.ok(third)
  assert.equal(await failRefresh(db, third, { ...noReply, answers: 1 }, later), 'degraded')
  assert.deepEqual(await doubt(), [2, now])
  const fourth = await claim(id, later)
  assert.ok(fourth)
  assert.equal(await storeRefresh(db, fourth, tokens('fourth'), later), 'degraded')
  assert.deepEqual(await doubt(), [0, null])
})

it('a verdict without a claim is void once the one who claimed has recorded a failure', async () => {
  const id = await connectAccount(service)
  const db = service.context.database.tenant(tenant)
  const lease = await claim(id, service.clock.now())
  assert.ok(lease)
  const judged = { ...lease, failures: (await connectorRow(service, id)).refresh_failures }
  assert.equal(await failRefresh(db, lease, { ...noReply, answers: 1 }, service.clock.now()), 'active')
  assert.equal(await failRefresh(db, judged, { ...dead, answers: 0 }, service.clock.now()), undefined)
  assert.equal((await connectorRow(service, id)).health, 'degraded')
})

it('an answer to the only request leaves no doubt', async () => {
  const id = await connectAccount(service)
  const db = service.context.database.tenant(tenant)
  const lease = await claim(id, service.clock.now())
  assert.ok(lease)
  assert.equal(await failRefresh(db, lease, { ...noReply, answers: 1 }, service.clock.now()), 'active')
  const row = await connectorRow(service, id)
  assert.deepEqual([row.refresh_unanswered, row.refresh_sent_at, row.refresh_lease_ends_at], [0, null, null])
})
