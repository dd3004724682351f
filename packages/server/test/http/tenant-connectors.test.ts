import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import pg from 'pg'
import { connectAccount } from '../support/consent.ts'
import { addManyRows, known } from '../support/many-rows.ts'
import { collectionId, spaceId, startTestService, type CallOptions, type TestService } from '../support/service.ts'
import { anonymous, assertProblem, dataOf, rows, signed } from './calls.ts'

const path = '/v1/admin/connectors'
const tenant = 'large'
const count = 3_000

interface Listed {
  readonly id: string
  readonly space_id: string
  readonly collection_id: string
  readonly provider_slug: string
  readonly principal_id: string
  readonly display_name: string | null
  readonly account: { readonly name: string }
  readonly status: string
  readonly created_at: string
}

let service: TestService
let bearer: string
/** Every connector of the tenant, newest first, looked at past the API. */
let all: readonly Listed[]
before(async () => {
  service = await startTestService()
  bearer = await service.token({ tenant })
  const client = new pg.Client({ connectionString: service.database.adminUrl })
  await client.connect()
  await addManyRows(client, { tenant, connectors: count, events: 100 })
  // Two that nothing but their ids tells apart in time.
  await client.query(
    `update connectors
     set created_at = (select min(created_at) from connectors)
     where connector_id in (select connector_id from connectors order by created_at limit 50)`,
  )
  await client.end()
  const found = await rows(
    service,
    `select connector_id as id, space_id, collection_id, provider_slug, principal_subject as principal_id, display_name,
            json_build_object('name', account_name) as account, status,
            to_char(created_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as created_at
     from connectors
     order by created_at desc, connector_id desc`,
  )
  // The query names them as the API does.
  all = found as unknown as readonly Listed[]
  assert.equal(all.length, count)
})
after(() => service[Symbol.asyncDispose]())

type Query = Readonly<Record<string, string>>
type Body = { readonly data: readonly Listed[]; readonly meta: { next_cursor: string | null; has_more: boolean } }

async function page(query: Query, options: CallOptions = {}): Promise<Body> {
  const reply = await service.call('GET', `${path}?${new URLSearchParams(query).toString()}`, {
    token: bearer,
    ...options,
  })
  const text = await reply.text()
  assert.equal(reply.status, 200, text)
  return JSON.parse(text) as Body
}

/** The ids of the first pages, four at most. */
async function walk(query: Query, options: CallOptions = {}): Promise<readonly string[]> {
  const ids: string[] = []
  let cursor: string | null = null
  for (let pages = 0; pages < 4; pages += 1) {
    const { data, meta } = await page({ limit: '6', ...query, ...(cursor !== null && { cursor }) }, options)
    ids.push(...data.map((one) => one.id))
    assert.equal(meta.has_more, meta.next_cursor !== null)
    cursor = meta.next_cursor
    if (cursor === null) break
  }
  return ids
}

/** What a look at every row finds. */
function fitting(query: Query, connectors = all): readonly string[] {
  const begins = (text: string | null): boolean =>
    text?.toLowerCase().startsWith(query['q']?.toLowerCase() ?? '') === true
  const isMeant = (one: Listed): boolean =>
    (query['status'] ?? one.status) === one.status &&
    (query['provider_slug'] ?? one.provider_slug) === one.provider_slug &&
    (query['space_id'] ?? one.space_id) === one.space_id &&
    (query['collection_id'] ?? one.collection_id) === one.collection_id &&
    (query['principal_id'] ?? one.principal_id) === one.principal_id &&
    (query['q'] === undefined || one.id.startsWith(query['q']) || begins(one.display_name) || begins(one.account.name))
  return connectors.filter(isMeant).map((one) => one.id)
}

/** Every combination of some of these. */
function combinations(parts: Query): readonly Query[] {
  return Object.entries(parts).reduce<readonly Query[]>(
    (some, [name, value]) => [...some, ...some.map((query) => ({ ...query, [name]: value }))],
    [{}],
  )
}

it('finds what a look at every row finds, newest first, page by page, for every combination of filters', async () => {
  const [example] = all.filter((one) => one.display_name !== null && one.principal_id === known.importer)
  assert.ok(example)
  const parts = {
    status: 'active',
    provider_slug: example.provider_slug,
    space_id: example.space_id,
    collection_id: example.collection_id,
    principal_id: known.importer,
    q: 'person',
  }
  let found = 0
  for (const query of combinations(parts)) {
    const ids = await walk(query)
    assert.deepEqual(ids, fitting(query).slice(0, 24), JSON.stringify(query))
    found += ids.length
  }
  assert.ok(found > 300, String(found))
})

it('finds an id, a display name or an account’s name by how it begins', async () => {
  const [example] = all.filter((one) => one.display_name !== null)
  assert.ok(example)
  const queries = [
    example.id,
    example.id.slice(0, 8),
    'conn_',
    'CONNECTION 12',
    'connection 29',
    'PERSON7',
    'person1%',
    'x',
  ]
  for (const q of queries) assert.deepEqual(await walk({ q }), fitting({ q }).slice(0, 24), q)
  assert.deepEqual(fitting({ q: example.id }), [example.id])
  // Case counts in ids, which are not words.
  const other = example.id.replace('conn_', 'CONN_')
  assert.deepEqual(await walk({ q: other }), [])
})

it('begins each page where the one before ended, to the last of many', async () => {
  const ids: string[] = []
  for (let cursor: string | null = ''; cursor !== null;) {
    const { data, meta }: Body = await page({ limit: '100', ...(cursor !== '' && { cursor }) })
    ids.push(...data.map((one) => one.id))
    cursor = meta.next_cursor
  }
  assert.deepEqual(
    ids,
    all.map((one) => one.id),
  )
})

it('shows a connector as everywhere else, and without a secret', async () => {
  const id = await connectAccount(service)
  const token = await service.token()
  const [listed] = (await page({}, { token })).data
  const base = `/v1/spaces/${spaceId}/collections/${collectionId}/connectors`
  assert.deepEqual(listed, await dataOf(await service.call('GET', `${base}/${id}`)))
  assert.equal((await page({}, { token })).data.length, 1)
})

it('narrows lists and counts to the spaces and collections that the bearer reaches', async () => {
  const [first, second] = [...new Set(all.map((one) => one.space_id))]
  const [example] = all.filter((one) => one.space_id === first)
  assert.ok(first !== undefined && second !== undefined && example)
  const { collection_id: collection } = example
  const claims = [
    { spaces: [first] },
    { spaces: [first, second] },
    { collections: [collection] },
    { spaces: [second], collections: [collection] },
    { spaces: [] },
  ]
  for (const claim of claims) {
    const token = await signed(service, { tenant_id: tenant, ...claim })
    const reached = all.filter(
      (one) =>
        (claim.spaces?.includes(one.space_id) ?? true) && (claim.collections?.includes(one.collection_id) ?? true),
    )
    const queries: readonly Query[] = [
      {},
      { status: 'active' },
      { space_id: first },
      { space_id: second },
      { q: 'person' },
    ]
    for (const query of queries) {
      const wanted = fitting(query, reached).slice(0, 24)
      assert.deepEqual(await walk(query, { token }), wanted, JSON.stringify([claim, query]))
    }
    const overview = await dataOf<Overview>(await service.call('GET', '/v1/admin/overview', { token }))
    assert.equal(overview.connectors.total, reached.length)
    assert.equal(overview.needs_person, reached.filter((one) => one.status === 'reauth_required').length)
    assert.deepEqual(overview.activity, [])
  }
})

it('keeps another tenant’s connectors out of lists and counts', async () => {
  const token = await service.token({ tenant: 'globex' })
  const [example] = all
  assert.ok(example)
  for (const query of [
    {},
    { q: example.id },
    { space_id: example.space_id },
    { provider_slug: example.provider_slug },
  ]) {
    assert.deepEqual((await page(query, { token })).data, [])
  }
  const { connectors, by_provider: byProvider } = await dataOf<Overview>(
    await service.call('GET', '/v1/admin/overview', { token }),
  )
  assert.deepEqual([connectors.total, byProvider], [0, []])
})

it('is for administrators with well-formed questions', async () => {
  const reader = await service.token({ scope: 'connectors:read connectors:manage' })
  for (const at of [path, '/v1/admin/overview']) {
    await assertProblem(await anonymous(service, at), 401, 'unauthorized')
    await assertProblem(await service.call('GET', at, { token: reader }), 403, 'missing_right')
  }
  await assertProblem(await service.call('GET', `${path}?cursor=x`), 400, 'invalid_cursor')
  for (const query of ['space_id=x', 'collection_id=x', 'status=gone', 'limit=101', 'q=', `q=${'x'.repeat(201)}`]) {
    assert.equal((await service.call('GET', `${path}?${query}`)).status, 422, query)
  }
  assert.equal((await service.call('GET', '/v1/admin/overview?hours=25')).status, 422)
})

interface Overview {
  readonly connectors: { readonly total: number; readonly by_status: Readonly<Record<string, number>> }
  readonly by_provider: readonly { readonly provider_slug: string; readonly total: number }[]
  readonly needs_person: number
  readonly activity: readonly { readonly from: string; readonly counts: Readonly<Record<string, number>> }[]
  readonly hours: number
  readonly bucket_seconds: number
}

it('counts connectors by status and provider as they stand', async () => {
  const overview = await dataOf<Overview>(await service.call('GET', '/v1/admin/overview', { token: bearer }))
  const by = (name: 'status' | 'provider_slug') =>
    Object.fromEntries(Object.entries(Object.groupBy(all, (one) => one[name])).map(([key, of]) => [key, of?.length]))
  assert.equal(overview.connectors.total, count)
  assert.deepEqual(overview.connectors.by_status, by('status'))
  const byProvider = Object.fromEntries(overview.by_provider.map((one) => [one.provider_slug, one.total]))
  assert.deepEqual(byProvider, by('provider_slug'))
  assert.deepEqual(
    overview.by_provider.map((one) => one.total),
    Object.values(byProvider).toSorted((a, b) => b - a),
  )
  assert.equal(overview.needs_person, overview.connectors.by_status['reauth_required'])
})

it('shows the hours or days that were asked for, empty ones too', async () => {
  for (const [hours, buckets, seconds] of [
    ['24', 24, 3600],
    ['168', 168, 3600],
    ['720', 30, 86_400],
  ] as const) {
    const reply = await service.call('GET', `/v1/admin/overview?hours=${hours}`, { token: bearer })
    const overview = await dataOf<Overview>(reply)
    assert.deepEqual([overview.hours, overview.bucket_seconds], [Number(hours), seconds])
    assert.equal(overview.activity.length, buckets)
    const froms = overview.activity.map((bucket) => Date.parse(bucket.from))
    for (const [index, from] of froms.entries()) {
      assert.equal(from % (seconds * 1000), 0)
      if (index > 0) assert.equal(from - (froms[index - 1] ?? 0), seconds * 1000)
    }
    assert.ok(service.clock.now().getTime() - (froms.at(-1) ?? 0) < seconds * 1000)
  }
  const { activity } = await dataOf<Overview>(
    await service.call('GET', '/v1/admin/overview?hours=720', { token: bearer }),
  )
  const events = await rows(
    service,
    `select event_type, count(*)::int as count
     from events
     where tenant_id = $1 and created_at >= $2
     group by event_type`,
    [tenant, activity[0]?.from],
  )
  assert.ok(events.length > 2)
  for (const event of events) {
    const shown = activity.reduce((sum, { counts }) => sum + (counts[String(event['event_type'])] ?? 0), 0)
    assert.equal(shown, event['count'])
  }
})
