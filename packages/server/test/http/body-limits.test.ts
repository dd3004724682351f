import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { connectAccount } from '../support/consent.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'
import { assertProblem, connectorsPath } from './calls.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

interface Said {
  readonly loc: readonly (string | number)[]
  readonly msg: string
  readonly type: string
}

const sessions = '/v1/connectors/oauth/sandbox/sessions'
const app = '/v1/admin/connector-providers/github'
const place = { collection_id: collectionId, space_id: spaceId }
const fields = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`x${index}`, 1]))

async function said(method: string, path: string, body: unknown, headers = {}): Promise<readonly Said[]> {
  const reply = await service.call(method, path, { body, headers })
  const text = await reply.text()
  assert.equal(reply.status, 422, text)
  return (JSON.parse(text) as { detail: readonly Said[] }).detail
}

it('refuses unknown fields however many there are', async () => {
  for (const count of [1, 7, 8, 9, 50, 249, 250, 251, 1000, 5000]) {
    const detail = await said('POST', sessions, { ...place, ...fields(count) })
    assert.equal(detail.length, Math.min(count, 100))
    assert.ok(detail.every((problem) => problem.type === 'value_error.extra'))
  }
})

it('refuses keys that a field does not take however many there are', async () => {
  for (const count of [1, 8, 499, 500, 501, 2000]) {
    const headers = Object.fromEntries(Array.from({ length: count }, (_, index) => [`no name ${index}`, 'x']))
    const url = 'https://provider.example/'
    const body = { display_name: 'x', authorization_url: url, token_url: url, token_request_headers: headers }
    const detail = await said('POST', '/v1/admin/connector-providers', body)
    assert.ok(detail.every((problem) => problem.loc[0] === 'body'))
  }
})

it('tells of more than eight problems at once, and of a hundred at most', async () => {
  const detail = await said('POST', sessions, { ...fields(20), collection_id: 7, login_hint: '' })
  const names = detail.map(({ loc }) => loc.join('.'))
  for (const name of ['body.space_id', 'body.collection_id', 'body.login_hint', 'body.x19']) {
    assert.ok(names.includes(name), name)
  }
  const many = await said(
    'PUT',
    '/v1/admin/tenant/redirect-uris',
    Array.from({ length: 200 }, () => fields(2)),
  )
  assert.equal(many.length, 100)
})

it('takes 64 KiB on every route but import, which takes 256', async () => {
  const over = (bytes: number) => ({ surprise: 'x'.repeat(bytes) })
  for (const [method, path] of [
    ['POST', sessions],
    ['PATCH', app],
    ['PUT', '/v1/admin/tenant/redirect-uris'],
    ['PATCH', `${connectorsPath}/none`],
  ] as const) {
    await said(method, path, over(65_000))
    await assertProblem(await service.call(method, path, { body: over(65_536) }), 413, 'body_too_large')
  }
  await said('POST', connectorsPath, over(262_000))
  const body = await assertProblem(
    await service.call('POST', connectorsPath, { body: over(262_144) }),
    413,
    'body_too_large',
  )
  assert.match(String(body['detail']), /64 KiB.*256 KiB/)
})

it('counts lists and objects before it judges what is in them', async () => {
  const scopes = Array.from({ length: 101 }, () => 7)
  const words = (limit: number, kind: string) => ({
    msg: `ensure this value has at most ${limit} items`,
    type: `value_error.${kind}.max_items`,
  })
  assert.deepEqual(await said('POST', sessions, { ...place, scopes }), [
    { loc: ['body', 'scopes'], ...words(100, 'list') },
  ])
  assert.deepEqual(await said('PATCH', app, { scopes }), [{ loc: ['body', 'scopes'], ...words(100, 'list') }])
  const uris = Array.from({ length: 201 }, () => ({}))
  assert.deepEqual(await said('PUT', '/v1/admin/tenant/redirect-uris', uris), [
    { loc: ['body'], ...words(200, 'list') },
  ])
  for (const value of ['x', 7]) {
    const variables = Object.fromEntries(Object.keys(fields(51)).map((name) => [name, value]))
    assert.deepEqual(await said('PATCH', app, { url_variables: variables }), [
      { loc: ['body', 'url_variables'], ...words(50, 'dict') },
    ])
  }
})

function nested(levels: number): object {
  let value: object = {}
  for (let level = 1; level < levels; level += 1) value = level % 2 === 0 ? { a: value } : [value]
  return { a: value }
}

it('takes a scope_config of 20 levels and 16 KiB, and no more', async () => {
  const id = await connectAccount(service)
  const path = `${connectorsPath}/${id}`
  const ofSize = (bytes: number) => ({ a: 'x'.repeat(bytes - '{"a":""}'.length) })
  for (const scope_config of [null, {}, nested(19), ofSize(16_384)]) {
    assert.equal((await service.call('PATCH', path, { body: { scope_config } })).status, 200)
  }
  const headers = { 'idempotency-key': 'deep' }
  const imported = { provider_slug: 'sandbox', credential: { access_token: 'x' } }
  for (const scope_config of [nested(20), nested(500), ofSize(16_385), { a: 'ä'.repeat(8_200) }]) {
    for (const detail of [
      await said('PATCH', path, { scope_config }),
      await said('POST', connectorsPath, { ...imported, scope_config }, headers),
    ]) {
      assert.deepEqual(detail, [
        {
          loc: ['body', 'scope_config'],
          msg: 'ensure this value has at most 20 levels and 16384 bytes of JSON',
          type: 'value_error',
        },
      ])
    }
  }
})

it('refuses a scope_config nested deeper than the stack', async () => {
  const id = await connectAccount(service)
  const send = async (method: string, path: string, body: string) =>
    fetch(service.url + path, {
      method,
      headers: {
        authorization: `Bearer ${await service.token()}`,
        'content-type': 'application/json',
        'idempotency-key': 'deeper',
      },
      body,
    })
  const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`
  const patch = `{"scope_config":{"a":${deep(32_000)}}}`
  assert.equal((await send('PATCH', `${connectorsPath}/${id}`, patch)).status, 422)
  const whole = `{"provider_slug":"sandbox","credential":{"access_token":"x"},"scope_config":{"a":${deep(130_000)}}}`
  assert.equal((await send('POST', connectorsPath, whole)).status, 422)
})
