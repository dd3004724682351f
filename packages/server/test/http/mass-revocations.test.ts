import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { massRevoke } from '../../src/domain/mass-revoke.ts'
import { revokeDue } from '../../src/domain/revoke-at-provider.ts'
import { connectAccount } from '../support/consent.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'
import { assertProblem, connectorsPath, dataOf, jsonOf, rows, signed, type Json } from './calls.ts'
import { addProvider } from './own-providers.ts'

const otherSpace = '00000000-e89b-42d3-a456-426614174002'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

interface Order {
  readonly id: string
  readonly status: string
  readonly filter: Json
  readonly counts: Readonly<Record<string, number>>
  readonly finished_at: string | null
  readonly receipts: readonly Readonly<Record<string, string | number | null>>[]
}

/** A tenant of the test's own, so that no order reaches another test's connectors. */
function tenantOf(name: string) {
  const token = service.token({ tenant: name })
  const call = async (method: string, path: string, more: Json = {}) =>
    service.call(method, path, { token: await token, ...more })
  return {
    call,
    order: async (body: Json) => dataOf<Order>(await call('POST', '/v1/admin/revocations', { body }), 202),
    read: async (id: string, query = '') => dataOf<Order>(await call('GET', `/v1/admin/revocations/${id}${query}`)),
    async connect(id: string, place: { space?: string; slug?: string } = {}) {
      const slug = place.slug ?? 'sandbox'
      const body = { provider_slug: slug, connector_id: id, credential: { access_token: `token-of-${id}` } }
      const path = `/v1/spaces/${place.space ?? spaceId}/collections/${collectionId}/connectors`
      const reply = await call('POST', path, { body, headers: { 'idempotency-key': id } })
      assert.equal(reply.status, 201, await reply.text())
      return id
    },
    async statuses() {
      const found = await rows(
        service,
        'select connector_id, status from connectors where tenant_id = $1 order by connector_id',
        [name],
      )
      return Object.fromEntries(found.map((row) => [row['connector_id'], row['status']])) as Record<string, string>
    },
  }
}

/** Everything that workers would do now. */
async function workOff(): Promise<void> {
  while ((await massRevoke(service.context)) > 0);
  while ((await revokeDue(service.context)) > 0);
}

describe('an order', () => {
  it('disconnects and revokes every connector of the tenant when its filter is empty, and shows a receipt for each', async () => {
    const acme = tenantOf('whole')
    const other = tenantOf('bystander')
    const ids = ['a', 'b', 'c'].map((name) => `conn_${name}`)
    for (const id of ids) await acme.connect(id)
    await other.connect('conn_stays')
    const order = await acme.order({})
    assert.equal(order.status, 'queued')
    assert.deepEqual(order.counts, { matched: 3, disconnected: 0, revoked: 0, unsupported: 0, failed: 0, pending: 0 })
    await workOff()
    const done = await acme.read(order.id)
    assert.equal(done.status, 'completed')
    assert.ok(done.finished_at)
    assert.deepEqual(done.counts, { matched: 3, disconnected: 3, revoked: 3, unsupported: 0, failed: 0, pending: 0 })
    assert.deepEqual(done.receipts.map((receipt) => String(receipt['connector_id'])).toSorted(), ids)
    for (const receipt of done.receipts) assert.deepEqual([receipt['status'], receipt['reason']], ['revoked', null])
    assert.deepEqual(await other.statuses(), { conn_stays: 'active' })
  })

  it('disconnects just as DELETE does: events, secrets, and the order’s id beside', async () => {
    const token = await service.token({ tenant: 'as-delete' })
    const id = await connectAccount(service, { token })
    const acme = tenantOf('as-delete')
    const order = await acme.order({})
    await workOff()
    const [row] = await rows(service, 'select access_token, refresh_token from connectors where connector_id = $1', [
      id,
    ])
    assert.deepEqual(row, { access_token: null, refresh_token: null })
    const page = await jsonOf(await acme.call('GET', `/v1/events?resource_id=${id}`))
    const events = (page['data'] as { event_type: string; actor_id: string; metadata: Json }[]).slice(1)
    assert.deepEqual(
      events.map((event) => [event.event_type, event.metadata['mass_revocation_id']]),
      [
        ['connector.disconnected', order.id],
        ['connector.revoked', order.id],
      ],
    )
    assert.equal(events[0]?.actor_id, 'ada')
    assert.deepEqual(events[1]?.metadata['tokens'], { refresh_token: 'revoked', access_token: 'revoked' })
  })

  it('means what fits every part of its filter, and nothing else', async () => {
    const token = await service.token({ tenant: 'filters' })
    const acme = tenantOf('filters')
    const slug = await addProvider(service, { origin: 'https://provider.example' }, {}, { token })
    await acme.connect('conn_old')
    service.clock.advance(60_000)
    const noon = service.clock.now().toISOString()
    service.clock.advance(60_000)
    await acme.connect('conn_new')
    await acme.connect('conn_elsewhere', { space: otherSpace })
    await acme.connect('conn_custom', { slug })
    const cases: readonly (readonly [Json, readonly string[]])[] = [
      [{ provider_slug: slug }, ['conn_custom']],
      [{ space_id: otherSpace.toUpperCase() }, ['conn_elsewhere']],
      [{ connected_before: noon }, ['conn_old']],
      [{ provider_slug: 'sandbox', connected_after: noon, space_id: spaceId }, ['conn_new']],
      [{ principal_id: 'grace' }, []],
    ]
    const gone = new Set<string>()
    for (const [filter, meant] of cases) {
      const order = await acme.order(filter)
      assert.equal(order.counts['matched'], meant.length, JSON.stringify(filter))
      await workOff()
      for (const id of meant) gone.add(id)
      for (const [id, status] of Object.entries(await acme.statuses())) {
        assert.equal(status, gone.has(id) ? 'disconnected' : 'active', `${id} after ${JSON.stringify(filter)}`)
      }
      assert.equal((await acme.read(order.id)).status, 'completed')
    }
    await acme.order({ principal_id: 'ada' })
  })

  it('never touches what was connected after it', async () => {
    const acme = tenantOf('afterwards')
    await acme.connect('conn_before')
    const order = await acme.order({})
    service.clock.advance(1)
    await acme.connect('conn_after')
    await workOff()
    assert.deepEqual(await acme.statuses(), { conn_after: 'active', conn_before: 'disconnected' })
    assert.equal((await acme.read(order.id)).counts['disconnected'], 1)
  })

  it('says of each connector what became of it: unsupported, failed and why, or still pending', async () => {
    const token = await service.token({ tenant: 'ends' })
    const acme = tenantOf('ends')
    const slug = await addProvider(service, { origin: 'https://provider.example' }, {}, { token })
    await acme.connect('conn_unsupported', { slug })
    await acme.connect('conn_unreadable')
    await acme.connect('conn_pending')
    await rows(service, `update connectors set access_token = '\\x0101' where connector_id = 'conn_unreadable'`)
    service.sandbox.behave({ failRevocationWith: 503 })
    const order = await acme.order({})
    await workOff()
    const running = await acme.read(order.id)
    assert.deepEqual([running.status, running.finished_at], ['running', null])
    assert.deepEqual(running.counts, { matched: 3, disconnected: 3, revoked: 0, unsupported: 1, failed: 1, pending: 1 })
    const ends: unknown = Object.fromEntries(
      running.receipts.map((one) => [one['connector_id'], [one['status'], one['reason']]]),
    )
    assert.deepEqual(ends, {
      conn_unsupported: ['unsupported', null],
      conn_unreadable: ['failed', 'tokens_unreadable'],
      conn_pending: ['queued', 'http_503'],
    })
    service.sandbox.behave({ failRevocationWith: undefined })
    service.clock.advance(60_000)
    await workOff()
    assert.equal((await acme.read(order.id)).status, 'completed')
  })

  it('goes on after a connector that cannot be disconnected now, and comes back to it', async () => {
    const acme = tenantOf('left-over')
    for (const id of ['conn_1', 'conn_2', 'conn_3']) await acme.connect(id)
    const order = await acme.order({})
    const { vault } = service.context
    const stubborn = {
      ...vault,
      // The key service of one connector's key does not answer.
      open: (...[place, sealed]: Parameters<typeof vault.open>) =>
        place.subjectId === 'conn_1' ? Promise.reject(new Error('away')) : vault.open(place, sealed),
    }
    await massRevoke({ ...service.context, vault: stubborn })
    await assert.rejects(massRevoke({ ...service.context, vault: stubborn }), /could not be disconnected yet/)
    assert.deepEqual(await acme.statuses(), { conn_1: 'active', conn_2: 'disconnected', conn_3: 'disconnected' })
    assert.equal((await acme.read(order.id)).status, 'running')
    service.clock.advance(30_000)
    await workOff()
    assert.equal((await acme.read(order.id)).status, 'completed')
    assert.equal((await acme.statuses())['conn_1'], 'disconnected')
  })

  it('with an Idempotency-Key is given once', async () => {
    const acme = tenantOf('idempotent')
    const headers = { 'idempotency-key': 'panic' }
    const path = '/v1/admin/revocations'
    const first = await dataOf<Order>(await acme.call('POST', path, { body: {}, headers }), 202)
    const second = await dataOf<Order>(await acme.call('POST', path, { body: {}, headers }), 202)
    assert.equal(second.id, first.id)
    const other = await acme.call('POST', path, { body: { provider_slug: 'sandbox' }, headers })
    await assertProblem(other, 409, 'idempotency_conflict')
    const list = await jsonOf(await acme.call('GET', path))
    assert.deepEqual(
      (list['data'] as Order[]).map((order) => order.id),
      [first.id],
    )
  })

  it('needs connectors:admin, a body, and no field that it does not know', async () => {
    const scope = 'connectors:connect connectors:read connectors:use connectors:manage'
    const token = await service.token({ scope })
    await assertProblem(await service.call('POST', '/v1/admin/revocations', { token, body: {} }), 403, 'missing_right')
    for (const path of ['', '/mrev_x', '/mrev_x/report']) {
      await assertProblem(await service.call('GET', `/v1/admin/revocations${path}`, { token }), 403, 'missing_right')
    }
    assert.equal((await service.call('POST', '/v1/admin/revocations')).status, 422)
    const body = { provider: 'google', connected_before: 'yesterday', space_id: 'x' }
    const reply = await service.call('POST', '/v1/admin/revocations', { body })
    assert.equal(reply.status, 422)
    const { detail } = (await reply.json()) as { detail: { loc: string[] }[] }
    assert.deepEqual(detail.map(({ loc }) => String(loc[1])).toSorted(), ['connected_before', 'provider', 'space_id'])
    await assertProblem(await service.call('GET', '/v1/admin/revocations/mrev_x'), 404, 'mass_revocation_unknown')
  })

  it('of a token that reaches some spaces only must stay within one of them', async () => {
    const claims = { tenant_id: 'narrow', spaces: [spaceId] }
    const token = await signed(service, claims)
    const order = (body: Json, bearer = token) => service.call('POST', '/v1/admin/revocations', { token: bearer, body })
    await assertProblem(await order({}), 403, 'space_forbidden')
    await assertProblem(await order({ space_id: otherSpace }), 403, 'space_forbidden')
    const collections = await signed(service, { ...claims, collections: [collectionId] })
    await assertProblem(await order({ space_id: spaceId }, collections), 403, 'space_forbidden')
    const mine = await dataOf<Order>(await order({ space_id: spaceId }), 202)
    const whole = await tenantOf('narrow').order({})
    const list = await jsonOf(await service.call('GET', '/v1/admin/revocations', { token }))
    assert.deepEqual(
      (list['data'] as Order[]).map(({ id }) => id),
      [mine.id],
    )
    const foreign = await service.call('GET', `/v1/admin/revocations/${whole.id}`, { token })
    await assertProblem(foreign, 404, 'mass_revocation_unknown')
  })

  it('is listed with the others from either end', async () => {
    const acme = tenantOf('ordered')
    const ids: string[] = []
    for (let count = 0; count < 5; count += 1) {
      service.clock.advance(1_000)
      ids.push((await acme.order({ provider_slug: 'sandbox' })).id)
    }
    const walk = async (order: string): Promise<readonly string[]> => {
      const seen: string[] = []
      let cursor = ''
      do {
        const body = await jsonOf(await acme.call('GET', `/v1/admin/revocations?limit=2${order}${cursor}`))
        seen.push(...(body['data'] as Order[]).map(({ id }) => id))
        const { next_cursor: next } = body['meta'] as { next_cursor: string | null }
        cursor = next === null ? '' : `&cursor=${next}`
      } while (cursor !== '')
      return seen
    }
    assert.deepEqual(await walk(''), ids)
    assert.deepEqual(await walk('&order=asc'), ids)
    assert.deepEqual(await walk('&order=desc'), ids.toReversed())
    assert.equal((await acme.call('GET', '/v1/admin/revocations?order=newest')).status, 422)
  })

  it('and its end stand in the audit record', async () => {
    const acme = tenantOf('audited')
    const order = await acme.order({ provider_slug: 'sandbox' })
    await workOff()
    const entries = await rows(
      service,
      `select action, actor_id from audit_entries where resource_id = $1 order by created_at, action`,
      [order.id],
    )
    assert.deepEqual(entries, [
      { action: 'mass_revocation.ordered', actor_id: 'ada' },
      { action: 'mass_revocation.swept', actor_id: 'ada' },
    ])
  })
})

describe('the report', () => {
  it('holds every receipt, as CSV that no spreadsheet runs, or as JSON lines', async () => {
    const acme = tenantOf('report')
    const ids = ['-1_1', 'plain']
    for (const id of ids) await acme.connect(id)
    const order = await acme.order({})
    await workOff()
    const csv = await acme.call('GET', `/v1/admin/revocations/${order.id}/report`)
    assert.match(csv.headers.get('content-type') ?? '', /^text\/csv/)
    assert.equal(csv.headers.get('content-disposition'), `attachment; filename="${order.id}.csv"`)
    const lines = (await csv.text()).trimEnd().split('\r\n')
    assert.match(lines[0] ?? '', /^connector_id,space_id,collection_id,provider_slug,revocation_id,status,reason/)
    assert.deepEqual(
      lines
        .slice(1)
        .map((line) => String(line.split(',')[0]))
        .toSorted(),
      [`'-1_1`, 'plain'],
    )
    const jsonl = await acme.call('GET', `/v1/admin/revocations/${order.id}/report?format=jsonl`)
    const receipts = (await jsonl.text()).trimEnd().split('\n')
    assert.deepEqual(
      receipts.map((line) => (JSON.parse(line) as { connector_id: string }).connector_id).toSorted(),
      ids.toSorted(),
    )
    assert.equal((await acme.call('GET', `/v1/admin/revocations/${order.id}/report?format=xml`)).status, 422)
  })

  it('and the receipts are paged over many connectors, none twice and none left out', async () => {
    const acme = tenantOf('many')
    await acme.connect('conn_first')
    // Copies whose tokens do not open at another id; receipts are what counts here.
    const [found] = await rows(
      service,
      `select string_agg(column_name, ', ') as names
       from information_schema.columns
       where table_name = 'connectors' and is_generated = 'NEVER' and column_name <> 'connector_id'`,
    )
    const names = String(found?.['names'])
    await rows(
      service,
      `insert into connectors (connector_id, ${names})
       select 'conn_' || n, ${names}
       from connectors, generate_series(1, 620) n
       where tenant_id = 'many' and connector_id = 'conn_first'`,
    )
    const expected = 621
    const order = await acme.order({})
    while ((await massRevoke(service.context)) > 0);
    const seen: string[] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const query = `?limit=100${cursor === '' ? '' : `&cursor=${cursor}`}`
      const page = await jsonOf(await acme.call('GET', `/v1/admin/revocations/${order.id}${query}`))
      seen.push(...(page['data'] as Order).receipts.map((receipt) => String(receipt['connector_id'])))
      cursor = (page['meta'] as { next_cursor: string | null }).next_cursor
    }
    const report = await (await acme.call('GET', `/v1/admin/revocations/${order.id}/report?format=jsonl`)).text()
    assert.equal(new Set(seen).size, expected)
    assert.equal(seen.length, expected)
    assert.equal(report.trimEnd().split('\n').length, expected)
  })
})

it('a revoked connector answers like any other that is disconnected', async () => {
  const acme = tenantOf('after')
  await acme.connect('conn_gone')
  await acme.order({})
  await workOff()
  await assertProblem(await acme.call('POST', `${connectorsPath}/conn_gone/token`), 409, 'connector_disconnected')
})
