import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { connectAccount } from '../support/consent.ts'
import { connectorPath } from '../support/connectors.ts'
import { collectionId, spaceId, startTestService, type CallOptions, type TestService } from '../support/service.ts'
import { purge } from '../../src/domain/purge.ts'
import { assertProblem, dataOf, jsonOf, otherId, rows, send, signed, type Json } from './calls.ts'

let service: TestService
let id: string
before(async () => {
  service = await startTestService()
  id = await connectAccount(service)
})
after(() => service[Symbol.asyncDispose]())

const limits = { methods: ['GET'], paths: ['/v1/issues/*'], ttl_seconds: 600 }

const lend = (body: Json = limits, options: CallOptions & { readonly of?: string } = {}) =>
  service.call('POST', connectorPath(options.of ?? id, '/leases'), { ...options, body })
const lent = async (body: Json = limits, of = id) => dataOf(await lend(body, { of }), 201)
const listed = async (of = id, query = '') =>
  (await jsonOf(await service.call('GET', connectorPath(of, `/leases${query}`)))) as unknown as {
    data: Json[]
    meta: { next_cursor: string | null; has_more: boolean }
  }

describe('a lease', () => {
  it('is answered with exactly the contract’s fields, and its bearer this once', async () => {
    const lease = await lent({ ...limits, max_calls: 3 })
    assert.deepEqual(Object.keys(lease).toSorted(), [
      'calls',
      'created_at',
      'expires_at',
      'id',
      'lease',
      'max_calls',
      'methods',
      'paths',
      'principal_id',
      'revoked_at',
    ])
    assert.match(String(lease['lease']), /^lease_[A-Za-z0-9_-]{43}$/)
    const { data } = await listed()
    const seen = data.find((other) => other['id'] === lease['id'])
    const { lease: _bearer, ...shown } = lease
    assert.deepEqual(seen, shown)
    const times = [lease['expires_at'], lease['created_at']].map((text) => Date.parse(String(text)))
    assert.equal((times[0] ?? 0) - (times[1] ?? 0), 600_000)
    const { principal_id: principal, max_calls: most, calls, revoked_at: revoked } = lease
    assert.deepEqual([principal, most, calls, revoked], ['ada', 3, 0, null])
  })

  it('is stored as a digest, and its bearer stands nowhere else', async () => {
    const lease = await lent()
    const handle = String(lease['lease'])
    for (const table of ['leases', 'audit_entries', 'events', 'connectors']) {
      const text = JSON.stringify(await rows(service, `select * from ${table}`))
      assert.ok(!text.includes(handle.slice(6)), table)
      assert.ok(!text.includes(Buffer.from(handle).toString('hex')), table)
    }
    assert.ok(!service.logs.some((line) => line.includes(handle)))
  })

  it('needs connectors:use, for making, listing and revoking', async () => {
    const lease = await lent()
    const token = await service.token({ scope: 'connectors:read connectors:manage connectors:token' })
    await assertProblem(await lend(limits, { token }), 403, 'missing_right')
    await assertProblem(await service.call('GET', connectorPath(id, '/leases'), { token }), 403, 'missing_right')
    const path = connectorPath(id, `/leases/${String(lease['id'])}`)
    await assertProblem(await service.call('DELETE', path, { token }), 403, 'missing_right')
    const use = await service.token({ scope: 'connectors:use', sub: 'bob' })
    assert.equal((await lend(limits, { token: use })).status, 201)
    assert.equal((await service.call('DELETE', path, { token: use })).status, 204)
  })

  it('is out of reach for a token that does not reach the space', async () => {
    const token = await signed(service, { spaces: [otherId] })
    await assertProblem(await lend(limits, { token }), 403, 'space_forbidden')
  })

  it('cannot be made without credentials, of an absent connector or of a disconnected one', async () => {
    const anonymous = await send(service.url + connectorPath(id, '/leases'), { method: 'POST' })
    await assertProblem(anonymous, 401, 'unauthorized')
    await assertProblem(await lend(limits, { of: 'conn_absent' }), 404, 'connector_unknown')
    const elsewhere = `/v1/spaces/${otherId}/collections/${collectionId}/connectors/${id}/leases`
    await assertProblem(await service.call('POST', elsewhere, { body: limits }), 404, 'connector_unknown')
    await assertProblem(await service.call('GET', elsewhere), 404, 'connector_unknown')
    const ended = await connectAccount(service)
    await service.call('DELETE', connectorPath(ended))
    await assertProblem(await lend(limits, { of: ended }), 409, 'connector_disconnected')
  })

  it('is refused with every problem at once when its limits are none', async () => {
    const cases: readonly (readonly [body: Json, loc: string, type: string])[] = [
      [{ ...limits, methods: [] }, 'methods', 'value_error.list.min_items'],
      [{ ...limits, methods: ['get'] }, 'methods.0', 'type_error.enum'],
      [{ ...limits, methods: ['CONNECT'] }, 'methods.0', 'type_error.enum'],
      [{ ...limits, paths: [] }, 'paths', 'value_error.list.min_items'],
      [{ ...limits, paths: Array.from({ length: 21 }, () => '/a') }, 'paths', 'value_error.list.max_items'],
      [{ ...limits, paths: ['v1'] }, 'paths.0', 'value_error'],
      [{ ...limits, paths: ['/a', '/**/b'] }, 'paths.1', 'value_error'],
      [{ ...limits, paths: ['/a/../b'] }, 'paths.0', 'value_error'],
      [{ ...limits, paths: [`/${'a'.repeat(512)}`] }, 'paths.0', 'value_error.any_str.max_length'],
      [{ ...limits, max_calls: 0 }, 'max_calls', 'value_error.number.not_ge'],
      [{ ...limits, max_calls: 1.5 }, 'max_calls', 'type_error.integer'],
      [{ ...limits, ttl_seconds: 0 }, 'ttl_seconds', 'value_error.number.not_ge'],
      [{ ...limits, ttl_seconds: 86_401 }, 'ttl_seconds', 'value_error.number.not_le'],
      [{ methods: ['GET'], paths: ['/a'] }, 'ttl_seconds', 'value_error.missing'],
      [{ ...limits, scope: 'more' }, 'scope', 'value_error.extra'],
    ]
    for (const [body, loc, type] of cases) {
      const reply = await lend(body)
      assert.equal(reply.status, 422, JSON.stringify(body))
      const { detail } = (await reply.json()) as { detail: { loc: (string | number)[]; type: string }[] }
      const problem = detail.find((found) => found.loc.join('.') === `body.${loc}`)
      assert.equal(problem?.type, type, JSON.stringify(detail))
    }
  })

  it('is one of at most a hundred live ones of a connector, however many are asked for at once', async () => {
    const crowded = await connectAccount(service)
    const replies = await Promise.all(Array.from({ length: 120 }, () => lend(limits, { of: crowded })))
    assert.equal(replies.filter((reply) => reply.status === 201).length, 100)
    const refused = replies.filter((reply) => reply.status !== 201)
    for (const reply of refused) await assertProblem(reply, 429, 'too_many_leases')
    const [one] = (await listed(crowded)).data
    await service.call('DELETE', connectorPath(crowded, `/leases/${String(one?.['id'])}`))
    assert.equal((await lend(limits, { of: crowded })).status, 201)
  })

  it('is listed by pages, oldest first', async () => {
    const paged = await connectAccount(service)
    const made: unknown[] = []
    for (let n = 0; n < 5; n += 1) made.push((await lent(limits, paged))['id'])
    const first = await listed(paged, '?limit=3')
    assert.equal(first.meta.has_more, true)
    const second = await listed(paged, `?limit=3&cursor=${first.meta.next_cursor ?? ''}`)
    assert.equal(second.meta.has_more, false)
    assert.deepEqual(
      [...first.data, ...second.data].map((lease) => lease['id']),
      made,
    )
  })

  it('is revoked at once and once, and unknown to other connectors', async () => {
    const lease = await lent()
    const leaseId = String(lease['id'])
    const other = await connectAccount(service)
    await assertProblem(await service.call('DELETE', connectorPath(other, `/leases/${leaseId}`)), 404, 'lease_unknown')
    await assertProblem(await service.call('DELETE', connectorPath(id, '/leases/lse_absent')), 404, 'lease_unknown')
    for (let n = 0; n < 2; n += 1) {
      assert.equal((await service.call('DELETE', connectorPath(id, `/leases/${leaseId}`))).status, 204)
    }
    const entries = await rows(
      service,
      'select action, actor_id from audit_entries where resource_id = $1 order by created_at',
      [leaseId],
    )
    assert.deepEqual(
      entries.map((entry) => [entry['action'], entry['actor_id']]),
      [
        ['lease.created', 'ada'],
        ['lease.revoked', 'ada'],
      ],
    )
  })

  it('opens no other route', async () => {
    const lease = await lent({ methods: ['GET', 'POST'], paths: ['/**'], ttl_seconds: 600 })
    const token = String(lease['lease'])
    const document = (await (await fetch(`${service.url}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, unknown>>
    }
    const ids: Readonly<Record<string, string>> = { space_id: spaceId, collection_id: collectionId, connector_id: id }
    const routes = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => ({ method: method.toUpperCase(), path })),
    )
    const other = routes.filter(({ path }) => !path.includes('/proxy/'))
    assert.ok(other.length >= 20, String(other.length))
    for (const { method, path } of other) {
      const filled = path.replaceAll(/\{(\w+)\}/g, (_match, name: string) => ids[name] ?? 'lse_x')
      const reply = await service.call(method, filled, { token })
      assert.equal(reply.status, 401, `${method} ${path}`)
    }
  })

  it('is forgotten thirty days after its end, and not before', async () => {
    const leaseId = String((await lent())['id'])
    const isKnown = async () =>
      (await rows(service, 'select 1 as one from leases where lease_id = $1', [leaseId])).length === 1
    service.clock.advance(29 * 24 * 60 * 60_000)
    await purge(service.context)
    assert.ok(await isKnown())
    service.clock.advance(2 * 24 * 60 * 60_000)
    await purge(service.context)
    assert.ok(!(await isKnown()))
  })
})
