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

/** Two claims on one version, the second after the first's lease has ended. */
async function outlivedLease() {
  const id = await connectAccount(service)
  const db = service.context.database.tenant(tenant)
  const connector = { id: connectorId(id), version: (await connectorRow(service, id)).version }
  const now = service.clock.now()
  const first = await claimRefresh(db, tenant, connector, { now, leaseEnds: plusMs(now, 1_000) })
  assert.equal(await claimRefresh(db, tenant, connector, { now, leaseEnds: plusMs(now, 1_000) }), undefined)
  const later = plusMs(now, 1_001)
  const second = await claimRefresh(db, tenant, connector, { now: later, leaseEnds: plusMs(later, 1_000) })
  assert.ok(first && second && second.fence > first.fence)
  return { id, db, first, second, later }
}

const tokens = (name: string) => ({
  accessToken: Buffer.from(`sealed ${name}`),
  refreshToken: Buffer.from(`sealed refresh ${name}`),
  tokenType: 'Bearer',
  expiresAt: undefined,
  grantedScopes: undefined,
  kept: {},
})

it('a rotated refresh token is kept although its lease was outlived, and the other’s failure says nothing', async () => {
  const { id, db, first, second, later } = await outlivedLease()
  assert.equal(await storeRefresh(db, first, tokens('first'), later), true)
  const lost = { health: 'reauth_required', reason: 'invalid_grant', retryAt: undefined } as const
  assert.equal(await failRefresh(db, second, lost, later), false)
  assert.equal(await storeRefresh(db, second, tokens('second'), later), false)
  const row = await connectorRow(service, id)
  assert.deepEqual([row.health, row.refresh_token?.toString()], ['active', 'sealed refresh first'])
})

it('a failure under an outlived lease changes nothing', async () => {
  const { id, db, first, later } = await outlivedLease()
  const lost = { health: 'reauth_required', reason: 'invalid_grant', retryAt: undefined } as const
  assert.equal(await failRefresh(db, first, lost, later), false)
  assert.equal((await connectorRow(service, id)).health, 'active')
})

it('tokens that arrive after the second refresher was refused put the connector right again', async () => {
  const { id, db, first, second, later } = await outlivedLease()
  const lost = { health: 'reauth_required', reason: 'invalid_grant', retryAt: undefined } as const
  assert.equal(await failRefresh(db, second, lost, later), true)
  assert.equal(await storeRefresh(db, first, tokens('first'), later), true)
  assert.equal((await connectorRow(service, id)).health, 'active')
})
