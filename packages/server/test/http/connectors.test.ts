import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { connectAccount } from '../support/consent.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'
import { assertProblem, connectorsPath, dataOf, jsonOf, otherId, signed, type Json } from './calls.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

const idsIn = async (query: string, token?: string) => {
  const reply = await service.call('GET', `${connectorsPath}${query}`, token === undefined ? {} : { token })
  return (await dataOf<readonly { id: string }[]>(reply)).map((connector) => connector.id)
}

it('shows a connector with the contract’s fields and what its addresses were filled with, times in RFC 3339 UTC, and never a secret', async () => {
  const id = await connectAccount(service)
  const token = await dataOf(await service.call('POST', `${connectorsPath}/${id}/token`))
  const reply = await service.call('GET', `${connectorsPath}/${id}`)
  const text = await reply.clone().text()
  const connector = await dataOf(reply)
  assert.deepEqual(Object.keys(connector), [
    'id',
    'space_id',
    'collection_id',
    'provider_slug',
    'principal_id',
    'display_name',
    'account',
    'status',
    'status_reason',
    'scopes',
    'access_token_expires_at',
    'last_refreshed_at',
    'last_used_at',
    'scope_config',
    'sync_schedule',
    'proxy_policy',
    'url_variables',
    'created_at',
    'updated_at',
  ])
  assert.deepEqual(
    [connector['space_id'], connector['collection_id'], connector['provider_slug'], connector['principal_id']],
    [spaceId, collectionId, 'sandbox', 'ada'],
  )
  assert.equal((connector['account'] as { name: string }).name, 'ada')
  assert.deepEqual(connector['scopes'], {
    requested: ['openid', 'profile', 'email', 'offline_access'],
    granted: ['openid', 'profile', 'email', 'offline_access'],
    missing: [],
  })
  for (const name of ['created_at', 'updated_at', 'access_token_expires_at']) {
    assert.match(String(connector[name]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  }
  assert.ok(
    !text.includes(String(token['access_token'])) &&
      !/token"|secret/.test(text.replace('access_token_expires_at"', '')),
  )
})

it('lists with limit 20 by default, and pages through all of them once', async () => {
  const token = await service.token({ tenant: 'pages' })
  const headers = (key: string) => ({ 'idempotency-key': key })
  for (let made = 0; made < 25; made += 1) {
    const body = { provider_slug: 'sandbox', connector_id: `conn_${made}`, credential: { access_token: `t${made}` } }
    assert.equal(
      (await service.call('POST', connectorsPath, { token, headers: headers(`k${made}`), body })).status,
      201,
    )
  }
  const first = await jsonOf(await service.call('GET', connectorsPath, { token }))
  assert.deepEqual(Object.keys(first), ['data', 'meta'])
  assert.equal((first['data'] as unknown[]).length, 20)
  assert.equal((first['meta'] as Json)['has_more'], true)
  const seen: string[] = []
  let cursor = ''
  for (let page = 0; page < 5; page += 1) {
    const reply = await service.call('GET', `${connectorsPath}?limit=7${cursor}`, { token })
    const body = (await reply.json()) as {
      data: { id: string }[]
      meta: { next_cursor: string | null; has_more: boolean }
    }
    seen.push(...body.data.map((connector) => connector.id))
    assert.equal(body.meta.has_more, body.meta.next_cursor !== null)
    if (body.meta.next_cursor === null) break
    cursor = `&cursor=${encodeURIComponent(body.meta.next_cursor)}`
  }
  assert.equal(seen.length, 25)
  assert.equal(new Set(seen).size, 25)
})

it('answers 400 invalid_cursor for a cursor it never gave', async () => {
  for (const cursor of ['nonsense', 'e30', Buffer.from('["x","y"]').toString('base64url')]) {
    await assertProblem(await service.call('GET', `${connectorsPath}?cursor=${cursor}`), 400, 'invalid_cursor')
  }
})

it('filters by provider_slug and status', async () => {
  const id = await connectAccount(service, { query: { connector_id: 'conn_filtered' } })
  assert.equal((await service.call('PATCH', `${connectorsPath}/${id}`, { body: { paused: true } })).status, 200)
  assert.deepEqual(await idsIn('?status=paused'), [id])
  assert.ok(!(await idsIn('?status=active')).includes(id))
  assert.deepEqual(await idsIn('?provider_slug=github'), [])
  assert.ok((await idsIn('?provider_slug=sandbox')).includes(id))
  assert.deepEqual(await idsIn('?provider_slug=sandbox&status=paused'), [id])
})

it('PATCH changes what it names and nothing else; null clears', async () => {
  const id = await connectAccount(service)
  const path = `${connectorsPath}/${id}`
  const scope = { folders: ['a', { deep: [1, null, true] }] }
  const change = { display_name: 'Ada’s files', scope_config: scope, sync_schedule: '0 * * * *', paused: true }
  const all = await dataOf(await service.call('PATCH', path, { body: change }))
  assert.deepEqual(
    [all['display_name'], all['scope_config'], all['sync_schedule'], all['status']],
    ['Ada’s files', scope, '0 * * * *', 'paused'],
  )
  const none = await dataOf(await service.call('PATCH', path, { body: {} }))
  assert.deepEqual({ ...none, updated_at: 0 }, { ...all, updated_at: 0 })
  const cleared = await dataOf(
    await service.call('PATCH', path, {
      body: { display_name: null, scope_config: null, sync_schedule: null, paused: false },
    }),
  )
  assert.deepEqual(
    [cleared['display_name'], cleared['scope_config'], cleared['sync_schedule'], cleared['status']],
    [null, null, null, 'active'],
  )
  for (const bad of [{ status: 'active' }, { account: {} }, { scope_config: 'x' }, { display_name: 'x'.repeat(201) }]) {
    assert.equal((await service.call('PATCH', path, { body: bad })).status, 422)
  }
})

it('shows the scopes that were asked for and not granted', async () => {
  const headers = { 'idempotency-key': 'scopes' }
  const credential = { access_token: 'x', scopes: ['a'] }
  const body = { provider_slug: 'sandbox', credential }
  const imported = await dataOf(await service.call('POST', connectorsPath, { headers, body }), 201)
  assert.deepEqual(imported['scopes'], { requested: ['a'], granted: ['a'], missing: [] })
})

it('the claims spaces and collections narrow every right', async () => {
  const id = await connectAccount(service)
  const reaches = async (claims: Json) => {
    const token = await signed(service, claims)
    const list = await service.call('GET', connectorsPath, { token })
    const one = await service.call('GET', `${connectorsPath}/${id}`, { token })
    const exported = await service.call('POST', `${connectorsPath}/${id}/token`, { token })
    const statuses = [list.status, one.status, exported.status]
    assert.equal(new Set(statuses).size, 1, JSON.stringify([claims, statuses]))
    return statuses[0]
  }
  assert.equal(await reaches({ spaces: [spaceId], collections: [collectionId] }), 200)
  assert.equal(await reaches({ spaces: [spaceId.toUpperCase()] }), 200)
  for (const claims of [
    { spaces: [otherId] },
    { collections: [otherId] },
    { spaces: [] },
    { spaces: 'all' },
    { collections: null },
  ]) {
    assert.equal(await reaches(claims), 403, JSON.stringify(claims))
  }
})

it('a connector of another space or collection answers like an absent one', async () => {
  const id = await connectAccount(service)
  const absent = await (await service.call('GET', `${connectorsPath}/conn_absent`)).text()
  for (const path of [
    `/v1/spaces/${otherId}/collections/${collectionId}/connectors/${id}`,
    `/v1/spaces/${spaceId}/collections/${otherId}/connectors/${id}`,
  ]) {
    for (const [method, tail] of [
      ['GET', ''],
      ['PATCH', ''],
      ['DELETE', ''],
      ['POST', '/token'],
    ] as const) {
      const reply = await service.call(method, path + tail, method === 'PATCH' ? { body: {} } : {})
      assert.equal(reply.status, 404)
      assert.equal(await reply.text(), absent)
    }
  }
  assert.equal((await service.call('GET', `${connectorsPath}/${id}`)).status, 200)
})
