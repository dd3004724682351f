import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { KeyUnavailable } from '../../src/core/key-unavailable.ts'
import { massRevoke } from '../../src/domain/mass-revoke.ts'
import {
  assertProblem,
  complete,
  connectorsPath,
  dataOf,
  parkedSession,
  sendCallback,
  sessionStatus,
  type Json,
} from '../http/calls.ts'
import { addProvider, craftedCallback, grant, serviceBeside } from '../http/own-providers.ts'
import { rows, until } from '../support/connectors.ts'
import { connectAccount } from '../support/consent.ts'
import { startHostileProvider, type HostileProvider } from '../support/hostile-provider.ts'
import type { TestService } from '../support/service.ts'

const otherSpace = '00000000-e89b-42d3-a456-426614174002'

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

async function order(token: string, filter: Json = {}): Promise<string> {
  const reply = await service.call('POST', '/v1/admin/revocations', { token, body: filter })
  return String((await dataOf(reply, 202))['id'])
}

/** Keeps connectors from being written while `work` runs; reading them goes on. */
async function withoutWrites(work: () => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: service.database.adminUrl })
  await client.connect()
  try {
    await client.query('begin; lock table connectors in share mode')
    await work()
  } finally {
    await client.end()
  }
}

/** How many statements wait for a lock of this kind. */
async function waitingFor(kind: 'relation' | 'advisory'): Promise<number> {
  const [found] = await rows(
    service,
    `select count(*)::int as count
     from pg_locks
     where not granted and locktype = $1 and database = (select oid from pg_database where datname = current_database())`,
    [kind],
  )
  return Number(found?.['count'])
}

describe('a connector that is stored while an order is given', () => {
  const ways: Readonly<Record<string, (token: string) => Promise<() => Promise<Response>>>> = {
    imported: (token) => {
      const body = { provider_slug: 'sandbox', connector_id: 'conn_late', credential: { access_token: 'token' } }
      const options = { token, body, headers: { 'idempotency-key': 'late' } }
      return Promise.resolve(() => service.call('POST', connectorsPath, options))
    },
    connected: async (token) => {
      const { sessionId, completionCode } = await parkedSession(service, {}, { token })
      return () => complete(service, { session_id: sessionId, completion_code: completionCode }, { token })
    },
    reconnected: async (token) => {
      const id = await connectAccount(service, { token })
      await rows(service, `update connectors set health = 'reauth_required' where connector_id = $1`, [id])
      const { sessionId, completionCode } = await parkedSession(service, { connector_id: id }, { token })
      return () => complete(service, { session_id: sessionId, completion_code: completionCode }, { token })
    },
  }
  for (const [how, prepare] of Object.entries(ways)) {
    it(`and was ${how} before it does not survive it, however late it is committed`, async () => {
      const tenant = `late-${how}`
      const token = await service.token({ tenant })
      const store = await prepare(token)
      let storing: Promise<Response> | undefined
      let ordering: Promise<string> | undefined
      await withoutWrites(async () => {
        storing = store()
        await until(async () => (await waitingFor('relation')) > 0)
        service.clock.advance(1_000)
        let isOrdered = false
        ordering = order(token)
        void ordering.then(() => (isOrdered = true))
        await until(async () => isOrdered || (await waitingFor('advisory')) > 0)
        while ((await massRevoke(service.context)) > 0);
      })
      assert.ok(storing && ordering)
      assert.ok([200, 201].includes((await storing).status))
      await ordering
      while ((await massRevoke(service.context)) > 0);
      const found = await rows(service, 'select status from connectors where tenant_id = $1', [tenant])
      assert.deepEqual(found, [{ status: 'disconnected' }])
    })
  }
})

describe('an order whose tenant’s keys are away', () => {
  it('is not in the way of other tenants’ orders, and is worked off once they are back', async () => {
    const { vault } = service.context
    const withoutKeys = {
      ...service.context,
      vault: {
        ...vault,
        open: (...[place, sealed]: Parameters<typeof vault.open>) =>
          place.tenantId.startsWith('away-') ? Promise.reject(new KeyUnavailable('away')) : vault.open(place, sealed),
      },
    }
    for (let index = 0; index < 6; index += 1) await orderForOne(`away-${index}`)
    service.clock.advance(1)
    await orderForOne('present')
    for (let round = 0; round < 10; round += 1) await massRevoke(withoutKeys).catch(() => 0)
    assert.equal(await sweptOf('present'), 1)
    assert.equal(await sweptOf('away-%'), 0)
    // Each tells once more what it had left over, and begins again.
    for (let round = 0; round < 10; round += 1) {
      service.clock.advance(30_000)
      await massRevoke(service.context).catch(() => 0)
    }
    assert.equal(await sweptOf('away-%'), 6)
  })

  it('nor is a tenant that gives many orders', async () => {
    const eager = await service.token({ tenant: 'eager' })
    for (let index = 0; index < 6; index += 1) await order(eager)
    service.clock.advance(1)
    await orderForOne('modest')
    await massRevoke(service.context)
    const found = await rows(service, `select status from connectors where tenant_id = 'modest'`)
    assert.deepEqual(found, [{ status: 'disconnected' }])
    while ((await massRevoke(service.context)) > 0);
    assert.equal(await sweptOf('eager'), 6)
  })
})

/** Connects an account of the tenant and orders its end. */
async function orderForOne(tenant: string): Promise<void> {
  const token = await service.token({ tenant })
  await connectAccount(service, { token })
  await order(token)
}

async function sweptOf(tenants: string): Promise<unknown> {
  const [found] = await rows(
    service,
    'select count(swept_at)::int as count from mass_revocations where tenant_id like $1',
    [tenants],
  )
  return found?.['count']
}

describe('an authorization that was under way when an order was given', () => {
  it('is not completed when it fits the order, and its code is not used', async () => {
    const token = await service.token({ tenant: 'parked' })
    const { sessionId, completionCode } = await parkedSession(service, {}, { token })
    const body = { session_id: sessionId, completion_code: completionCode }
    await order(token, { provider_slug: 'sandbox', principal_id: 'ada' })
    service.clock.advance(1_000)
    const { tokenRequests } = service.sandbox.counts
    await assertProblem(await complete(service, body, { token }), 409, 'authorization_revoked')
    assert.equal(service.sandbox.counts.tokenRequests, tokenRequests)
    const status = await sessionStatus(service, sessionId, { token })
    assert.deepEqual([status['status'], status['error_code'] ?? status['error']], ['failed', 'authorization_revoked'])
    const again = await parkedSession(service, {}, { token })
    const anew = { session_id: again.sessionId, completion_code: again.completionCode }
    assert.equal((await complete(service, anew, { token })).status, 200, 'one that begins afterwards is not meant')
  })

  it('is meant by the part of its way that lies in the order’s window', async () => {
    const token = await service.token({ tenant: 'windows' })
    const at = () => {
      service.clock.advance(10_000)
      const time = service.clock.now().toISOString()
      service.clock.advance(10_000)
      return time
    }
    const cases: readonly (readonly [string, (times: { before: string; during: string }) => Json, number])[] = [
      ['another provider', () => ({ provider_slug: 'github' }), 200],
      ['another space', () => ({ space_id: otherSpace }), 200],
      ['another user', () => ({ principal_id: 'grace' }), 200],
      ['a window that ended before its start', ({ before: end }) => ({ connected_before: end }), 200],
      ['a window that ended after its start', ({ during }) => ({ connected_before: during }), 409],
      ['a window that began after its start', ({ during }) => ({ connected_after: during }), 409],
      ['a window from before its start on', ({ before: begin }) => ({ connected_after: begin }), 409],
      ['a window that has not begun', () => ({ connected_after: '2999-01-01T00:00:00Z' }), 200],
    ]
    for (const [name, filter, expected] of cases) {
      const earlier = at()
      const { sessionId, completionCode } = await parkedSession(service, {}, { token })
      await order(token, filter({ before: earlier, during: at() }))
      const reply = await complete(service, { session_id: sessionId, completion_code: completionCode }, { token })
      assert.equal(reply.status, expected, name)
    }
  })

  it('and whose code was just being exchanged stores nothing, and its grant is given back', async () => {
    const token = await service.token({ tenant: 'exchanging' })
    const more = { revocation_url: `${provider.origin}/revoke` }
    const slug = await addProvider(service, provider, more, { token })
    provider.answer('/revoke', { json: {} })
    provider.answer('/token', (response) => {
      void order(token).then(() =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(grant().json)),
      )
    })
    const callback = await craftedCallback(service, slug, {}, { token })
    await assertProblem(await sendCallback(service, callback, { token, slug }), 409, 'authorization_revoked')
    assert.ok(provider.seenAt('/revoke').length > 0)
    assert.deepEqual(await rows(service, `select status from connectors where tenant_id = 'exchanging'`), [])
  })
})
