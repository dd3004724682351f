import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { collectionId, connectorId, leaseId, spaceId, tenantId } from '../../src/core/ids.ts'
import { Problem } from '../../src/core/problem.ts'
import { createLease, endLease, listLeases, type LeaseLimits } from '../../src/domain/leases.ts'
import { findOpenLease, requireLeased, spendLease } from '../../src/domain/open-lease.ts'
import { rights, type Principal } from '../../src/domain/principal.ts'
import { connectAccount, consentAt } from '../support/consent.ts'
import { connectorPath, rows } from '../support/connectors.ts'
import * as ids from '../support/service.ts'
import { startTestService, type TestService } from '../support/service.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

const ada: Principal = {
  tenantId: tenantId('acme'),
  issuer: '',
  subject: 'ada',
  rights: new Set(rights),
  spaces: undefined,
  collections: undefined,
  expiresAt: new Date(Date.now() + 3_600_000),
}
const placeOf = (id: string) => ({
  spaceId: spaceId(ids.spaceId),
  collectionId: collectionId(ids.collectionId),
  connectorId: connectorId(id),
})
const limits: LeaseLimits = { methods: ['GET'], paths: ['/v1/issues/*'], maxCalls: undefined, ttlMs: 60_000 }
const call = { method: 'GET', path: '/v1/issues/1' }

async function lent(more: Partial<LeaseLimits> = {}, of?: string) {
  const id = of ?? (await connectAccount(service))
  const { view, bearer } = await createLease(service.context, ada, placeOf(id), { ...limits, ...more })
  const use = async (how: { readonly method: string; readonly path: string } = call, place = placeOf(id)) => {
    const found = await findOpenLease(service.context, bearer.reveal())
    await requireLeased(service.context, found, place, how)
    await spendLease(service.context, found)
  }
  const calls = async () => {
    const [row] = await rows(service, 'select calls from leases where lease_id = $1', [view.id])
    return Number(row?.['calls'])
  }
  return { id, leaseId: leaseId(view.id), bearer: bearer.reveal(), use, calls }
}

const problem = (code: string) => (error: unknown) => {
  assert.ok(error instanceof Problem, String(error))
  assert.equal(error.code, code)
  return true
}

describe('a call with a lease', () => {
  it('is allowed within the limits, and counted', async () => {
    const lease = await lent()
    await lease.use()
    await lease.use({ method: 'GET', path: '/v1/issues/two' })
    assert.equal(await lease.calls(), 2)
  })

  it('is refused for any other method or path, and costs nothing', async () => {
    const lease = await lent({ maxCalls: 1 })
    for (const how of [
      { method: 'POST', path: '/v1/issues/1' },
      { method: 'get', path: '/v1/issues/1' },
      { method: 'GET', path: '/v1/issues' },
      { method: 'GET', path: '/v1/issues/' },
      { method: 'GET', path: '/v1/issues/1/comments' },
      { method: 'GET', path: '/v1/issues/1%2Fcomments' },
      { method: 'GET', path: '/v1/Issues/1' },
      { method: 'GET', path: '/v1/issues/%ff' },
      { method: 'GET', path: '/v1/issues//1' },
    ]) {
      await assert.rejects(lease.use(how), problem('lease_forbids'), JSON.stringify(how))
    }
    assert.equal(await lease.calls(), 0)
    await lease.use()
  })

  it('is refused at another connector, in another place and for an unknown bearer, always in the same words', async () => {
    const lease = await lent()
    const other = await connectAccount(service)
    const elsewhere = { ...placeOf(lease.id), spaceId: spaceId('99999999-e89b-42d3-a456-426614174999') }
    for (const place of [placeOf(other), placeOf('conn_absent'), elsewhere]) {
      await assert.rejects(lease.use(call, place), problem('lease_invalid'))
    }
    for (const bearer of [`${lease.bearer}x`, 'lease_']) {
      await assert.rejects(findOpenLease(service.context, bearer), problem('lease_invalid'))
    }
    assert.equal(await lease.calls(), 0)
  })

  it('is refused once the budget is spent: of fifty at once exactly as many pass as it holds', async () => {
    const lease = await lent({ maxCalls: 7 })
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => lease.use()))
    assert.equal(outcomes.filter((outcome) => outcome.status === 'fulfilled').length, 7)
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') problem('lease_exhausted')(outcome.reason)
    }
    assert.equal(await lease.calls(), 7)
  })

  it('is refused after expiry and after revocation, also when that came between look and call', async () => {
    const brief = await lent({ ttlMs: 1000 })
    const found = await findOpenLease(service.context, brief.bearer)
    service.clock.advance(1000)
    await assert.rejects(spendLease(service.context, found), problem('lease_invalid'))
    await assert.rejects(brief.use(), problem('lease_invalid'))

    const revoked = await lent()
    const seen = await findOpenLease(service.context, revoked.bearer)
    await endLease(service.context, ada, placeOf(revoked.id), revoked.leaseId)
    await assert.rejects(spendLease(service.context, seen), problem('lease_invalid'))
    await assert.rejects(revoked.use(), problem('lease_invalid'))
    assert.equal(await revoked.calls(), 0)
  })

  it('waits while the connector is paused, at no cost, and goes on after', async () => {
    const lease = await lent({ maxCalls: 1 })
    await service.call('PATCH', connectorPath(lease.id), { body: { paused: true } })
    await assert.rejects(lease.use(), problem('connector_paused'))
    assert.equal(await lease.calls(), 0)
    await service.call('PATCH', connectorPath(lease.id), { body: { paused: false } })
    await lease.use()
  })

  it('costs nothing while a person must connect the account again', async () => {
    const lease = await lent({ maxCalls: 1 })
    await rows(service, `update connectors set health = 'reauth_required' where connector_id = $1`, [lease.id])
    await assert.rejects(lease.use(), problem('reauth_required'))
    assert.equal(await lease.calls(), 0)
  })

  it('is refused for good once the connector was disconnected, even when it is connected again', async () => {
    const lease = await lent()
    const found = await findOpenLease(service.context, lease.bearer)
    await service.call('DELETE', connectorPath(lease.id))
    await assert.rejects(lease.use(), problem('lease_invalid'))
    await connectAccount(service, { query: { connector_id: lease.id } })
    await assert.rejects(lease.use(), problem('lease_invalid'))
    await assert.rejects(spendLease(service.context, found), problem('lease_invalid'))
    const { items } = await listLeases(service.context, ada, placeOf(lease.id), { limit: 10, cursor: undefined })
    assert.notEqual(items[0]?.revoked_at, null)
  })

  it('outlives a reconnect of the same account and no reconnect of another', async () => {
    const id = await connectAccount(service, { login: 'lender' })
    const lease = await lent({}, id)
    await connectAccount(service, { login: 'lender', query: { connector_id: id } })
    await lease.use()
    const session = await service.call('POST', '/v1/connectors/oauth/sandbox/sessions', {
      body: {
        collection_id: ids.collectionId,
        space_id: ids.spaceId,
        connector_id: id,
        allow_account_change: true,
      },
    })
    const { data } = (await session.json()) as { data: { authorize_url: string } }
    const url = new URL(data.authorize_url)
    const departure = await service.call('GET', url.pathname + url.search)
    assert.equal(departure.status, 303, await departure.text())
    const callback = await consentAt(departure.headers.get('location') ?? '', { login: 'somebody-else' })
    assert.equal((await service.call('GET', callback.pathname + callback.search)).status, 200)
    await assert.rejects(lease.use(), problem('lease_invalid'))
  })
})
