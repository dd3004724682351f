import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { authorizePath } from '../support/consent.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'
import { connectorsPath } from './calls.ts'

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

async function detailOf(reply: Response): Promise<readonly Said[]> {
  const text = await reply.text()
  assert.equal(reply.status, 422, text)
  const body = JSON.parse(text) as { detail: readonly Said[] }
  assert.deepEqual(Object.keys(body), ['detail'])
  return body.detail
}

const oauth = '/v1/connectors/oauth/sandbox'
const get = async (path: string) => detailOf(await service.call('GET', path))
const session = async (more: object) =>
  detailOf(
    await service.call('POST', `${oauth}/sessions`, {
      body: { collection_id: collectionId, space_id: spaceId, ...more },
    }),
  )
const said = (loc: Said['loc'], msg: string, type: string): Said => ({ loc, msg, type })

it('answers the seed’s own 422 of authorize, byte for byte', async () => {
  const reply = await service.call('GET', `${oauth}/authorize?space_id=${spaceId}`)
  assert.equal(
    await reply.text(),
    '{"detail":[{"loc":["query","collection_id"],"msg":"field required","type":"value_error.missing"}]}',
  )
  assert.equal(reply.status, 422)
})

it('answers the seed’s own 422 of the callback, byte for byte', async () => {
  const reply = await service.call('GET', `${oauth}/callback?state=x`)
  assert.equal(
    await reply.text(),
    '{"detail":[{"loc":["query","code"],"msg":"field required","type":"value_error.missing"}]}',
  )
  assert.equal(reply.status, 422)
})

it('missing: field required / value_error.missing', async () => {
  assert.deepEqual(await get(`${oauth}/callback?code=x`), [
    said(['query', 'state'], 'field required', 'value_error.missing'),
  ])
  const none = await detailOf(await service.call('POST', `${oauth}/sessions`))
  assert.deepEqual(none, [said(['body'], 'field required', 'value_error.missing')])
})

it('UUID: value is not a valid uuid / type_error.uuid', async () => {
  const words = ['value is not a valid uuid', 'type_error.uuid'] as const
  for (const bad of ['abc', '', '123e4567-e89b-12d3-a456-42661417400', '123e4567e89b12d3a456426614174000', '{x}']) {
    assert.deepEqual(await get(authorizePath({ collection_id: bad })), [said(['query', 'collection_id'], ...words)])
  }
  const path = `/v1/spaces/abc/collections/${collectionId}/connectors`
  assert.deepEqual(await get(path), [said(['path', 'space_id'], ...words)])
  assert.deepEqual(await session({ space_id: 'abc' }), [said(['body', 'space_id'], ...words)])
})

it('URL: scheme, host and extra characters are told apart', async () => {
  const loc = ['query', 'redirect_uri']
  const at = (redirect_uri: string) => get(authorizePath({ redirect_uri }))
  for (const bad of ['ftp://app.example/x', 'app.example', 'javascript:alert(1)', '//app.example', '']) {
    assert.deepEqual(await at(bad), [said(loc, 'invalid or missing URL scheme', 'value_error.url.scheme')])
  }
  for (const bad of ['https://', 'https:///path', 'https://?x']) {
    assert.deepEqual(await at(bad), [said(loc, 'URL host invalid', 'value_error.url.host')])
  }
  const extra = said(loc, 'URL invalid, extra characters found after valid URL', 'value_error.url.extra')
  for (const bad of ['https://app.example/a b', 'https://app.example\\@evil.example', 'https://app.example/\n']) {
    assert.deepEqual(await at(bad), [extra])
  }
})

it('pattern: string does not match regex "…" / value_error.str.regex', async () => {
  const msg = 'string does not match regex "^[A-Za-z0-9_-]{1,64}$"'
  for (const bad of ['a b', '', 'x'.repeat(65), 'ä', '../x', 'a\u0000']) {
    assert.deepEqual(await get(authorizePath({ connector_id: bad })), [
      said(['query', 'connector_id'], msg, 'value_error.str.regex'),
    ])
  }
})

it('length: ensure this value has at most / at least N characters', async () => {
  assert.deepEqual(await get(authorizePath({ tenant_id: 'x'.repeat(129) })), [
    said(['query', 'tenant_id'], 'ensure this value has at most 128 characters', 'value_error.any_str.max_length'),
  ])
  assert.deepEqual(await get(authorizePath({ tenant_id: '' })), [
    said(['query', 'tenant_id'], 'ensure this value has at least 1 characters', 'value_error.any_str.min_length'),
  ])
  assert.deepEqual(await get(authorizePath({ token: 'x'.repeat(513) })), [
    said(['query', 'token'], 'ensure this value has at most 512 characters', 'value_error.any_str.max_length'),
  ])
})

it('integer: value is not a valid integer / type_error.integer', async () => {
  for (const bad of ['abc', '1.5', '', '1e2', '0x10', ' 5']) {
    assert.deepEqual(await get(`${connectorsPath}?limit=${encodeURIComponent(bad)}`), [
      said(['query', 'limit'], 'value is not a valid integer', 'type_error.integer'),
    ])
  }
})

it('range: ensure this value is less than or equal to / greater than or equal to N', async () => {
  assert.deepEqual(await get(`${connectorsPath}?limit=101`), [
    said(['query', 'limit'], 'ensure this value is less than or equal to 100', 'value_error.number.not_le'),
  ])
  assert.deepEqual(await get(`${connectorsPath}?limit=0`), [
    said(['query', 'limit'], 'ensure this value is greater than or equal to 1', 'value_error.number.not_ge'),
  ])
})

it('enum: value is not a valid enumeration member; permitted: … / type_error.enum', async () => {
  const permitted = "'active', 'degraded', 'reauth_required', 'paused', 'disconnected'"
  assert.deepEqual(await get(`${connectorsPath}?status=fine`), [
    said(['query', 'status'], `value is not a valid enumeration member; permitted: ${permitted}`, 'type_error.enum'),
  ])
})

it('body not JSON: value_error.jsondecode', async () => {
  for (const body of ['{', 'nonsense', '{"a":1,}', '{"__proto__":{}}']) {
    const reply = await fetch(`${service.url}${oauth}/sessions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await service.token()}`, 'content-type': 'application/json' },
      body,
    })
    const [first, ...rest] = await detailOf(reply)
    assert.deepEqual(rest, [])
    assert.equal(first?.type, 'value_error.jsondecode')
    assert.deepEqual(first?.loc, ['body'])
  }
})

it('unknown body field: extra fields not permitted / value_error.extra', async () => {
  assert.deepEqual(await session({ surprise: true }), [
    said(['body', 'surprise'], 'extra fields not permitted', 'value_error.extra'),
  ])
})

it('loc begins with header for a missing header', async () => {
  const body = { provider_slug: 'sandbox', credential: { access_token: 'x' } }
  assert.deepEqual(await detailOf(await service.call('POST', connectorsPath, { body })), [
    said(['header', 'idempotency-key'], 'field required', 'value_error.missing'),
  ])
})

it('body types are not coerced', async () => {
  assert.deepEqual(await session({ allow_account_change: 'yes' }), [
    said(['body', 'allow_account_change'], 'value could not be parsed to a boolean', 'type_error.bool'),
  ])
  assert.deepEqual(await session({ scopes: 'openid' }), [
    said(['body', 'scopes'], 'value is not a valid list', 'type_error.list'),
  ])
  assert.deepEqual(await session({ scopes: [1] }), [said(['body', 'scopes', 0], 'str type expected', 'type_error.str')])
})

it('tells every problem of every part at once', async () => {
  const path = '/v1/spaces/abc/collections/def/connectors?limit=x&status=fine'
  const locs = (await get(path)).map((problem) => problem.loc.join('.'))
  assert.deepEqual(locs.toSorted(), ['path.collection_id', 'path.space_id', 'query.limit', 'query.status'])
  const body = { provider_slug: 7, credential: { refresh_token: 1, surprise: 1 }, extra: 1 }
  const posted = await detailOf(await service.call('POST', '/v1/spaces/abc/collections/def/connectors', { body }))
  assert.deepEqual(posted.map((problem) => problem.loc.join('.')).toSorted(), [
    'body.credential.access_token',
    'body.credential.refresh_token',
    'body.credential.surprise',
    'body.extra',
    'body.provider_slug',
    'header.idempotency-key',
    'path.collection_id',
    'path.space_id',
  ])
})
