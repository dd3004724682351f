import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { authorizePath, connectAccount } from '../support/consent.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'
import { anonymous, assertProblem, connectorsPath, jsonOf, otherId, signed } from './calls.ts'

let service: TestService
let connectorId: string
before(async () => {
  service = await startTestService()
  connectorId = await connectAccount(service)
})
after(() => service[Symbol.asyncDispose]())

const badBase = '/v1/spaces/no-uuid/collections/no-uuid/connectors'
/** Requests that are ill-formed as well as everything else one can say against them. */
const illFormed: readonly (readonly [method: string, path: string, body?: unknown])[] = [
  ['GET', badBase],
  ['POST', badBase, { surprise: 1 }],
  ['GET', `${badBase}/none`],
  ['PATCH', `${badBase}/none`, { surprise: 1 }],
  ['DELETE', `${badBase}/none`],
  ['POST', `${badBase}/none/token`, { min_ttl: 'soon' }],
  ['POST', '/v1/connectors/oauth/none/sessions', { collection_id: 'no-uuid' }],
  ['POST', '/v1/connectors/oauth/none/complete', {}],
  ['GET', '/v1/connectors/oauth/none/authorize?collection_id=no-uuid'],
  ['GET', '/v1/connectors/oauth/none/callback'],
  ['PATCH', '/v1/admin/connector-providers/none', { surprise: 1 }],
  ['POST', '/v1/admin/connector-providers', {}],
  ['PUT', '/v1/admin/tenant/redirect-uris', { surprise: 1 }],
  ['GET', '/v1/events?limit=0'],
]

it('says 401 before 422', async () => {
  for (const [method, path, body] of illFormed) {
    const token = await signed(service, { exp: 1 })
    const reply = await service.call(method, path, { token, ...(body === undefined ? {} : { body }) })
    await assertProblem(reply, 401, 'token_expired')
    assert.equal((await anonymous(service, path, {}, method)).status, 401, `${method} ${path}`)
  }
})

it('says 401 before it reads a body that is no JSON', async () => {
  const reply = await fetch(service.url + connectorsPath, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{',
  })
  await assertProblem(reply, 401, 'unauthorized')
})

it('says 401 before the 400 of a repeated parameter', async () => {
  await assertProblem(await anonymous(service, `${authorizePath()}&space_id=${spaceId}`), 401, 'unauthorized')
})

it('says 422 before 403', async () => {
  const token = await service.token({ scope: 'none' })
  for (const [method, path, body] of illFormed) {
    const reply = await service.call(method, path, { token, ...(body === undefined ? {} : { body }) })
    assert.equal(reply.status, 422, `${method} ${path}`)
    assert.ok(Array.isArray((await jsonOf(reply))['detail']))
  }
})

it('says 422 before the 403 of a foreign tenant_id', async () => {
  const reply = await service.call('GET', authorizePath({ tenant_id: 'globex', connector_id: 'a b' }))
  assert.equal(reply.status, 422)
})

it('says 403 before 404', async () => {
  const token = await service.token({ scope: 'none' })
  const place = { collection_id: collectionId, space_id: spaceId }
  const credential = { access_token: 'x' }
  const calls: readonly (readonly [string, string, unknown?])[] = [
    ['GET', `${connectorsPath}/none`],
    ['PATCH', `${connectorsPath}/none`, { paused: true }],
    ['DELETE', `${connectorsPath}/none`],
    ['POST', `${connectorsPath}/none/token`],
    ['POST', '/v1/connectors/oauth/none/sessions', place],
    ['GET', authorizePath({}, 'none')],
    ['POST', '/v1/connectors/oauth/none/complete', { session_id: 'none', completion_code: 'x' }],
    ['GET', '/v1/connectors/oauth/sessions/none'],
    ['GET', '/v1/admin/connector-providers/none'],
    ['PATCH', '/v1/admin/connector-providers/none', {}],
    ['DELETE', '/v1/admin/connector-providers/none'],
  ]
  for (const [method, path, body] of calls) {
    const reply = await service.call(method, path, { token, ...(body === undefined ? {} : { body }) })
    await assertProblem(reply, 403, 'missing_right')
  }
  const headers = { 'idempotency-key': 'k' }
  const reply = await service.call('POST', connectorsPath, {
    token,
    headers,
    body: { provider_slug: 'none', credential },
  })
  await assertProblem(reply, 403, 'missing_right')
})

it('says 403 for a space the token does not reach, before 404', async () => {
  const token = await signed(service, { spaces: [otherId] })
  await assertProblem(await service.call('GET', `${connectorsPath}/none`, { token }), 403, 'space_forbidden')
  await assertProblem(await service.call('GET', authorizePath({}, 'none'), { token }), 403, 'space_forbidden')
})

it('says 404 before 409', async () => {
  // The id is taken elsewhere, and the provider is unknown.
  await assertProblem(
    await service.call('GET', authorizePath({ connector_id: connectorId }, 'none')),
    404,
    'provider_unknown',
  )
  const path = authorizePath({ connector_id: connectorId, collection_id: otherId })
  await assertProblem(await service.call('GET', path), 409, 'connector_id_taken')
  // A disconnected connector refuses a change here, and does not exist elsewhere.
  const id = await connectAccount(service)
  assert.equal((await service.call('DELETE', `${connectorsPath}/${id}`)).status, 202)
  const elsewhere = `/v1/spaces/${otherId}/collections/${collectionId}/connectors/${id}`
  await assertProblem(await service.call('PATCH', elsewhere, { body: { paused: true } }), 404, 'connector_unknown')
  const here = await service.call('PATCH', `${connectorsPath}/${id}`, { body: { paused: true } })
  await assertProblem(here, 409, 'connector_disconnected')
})

it('asks for each right where the contract says so', async () => {
  const all = ['connect', 'read', 'use', 'token', 'manage', 'admin']
  const place = { collection_id: collectionId, space_id: spaceId }
  const calls: readonly (readonly [right: string, method: string, path: string, body?: unknown])[] = [
    ['connect', 'GET', authorizePath()],
    ['connect', 'POST', '/v1/connectors/oauth/sandbox/sessions', place],
    ['connect', 'POST', '/v1/connectors/oauth/sandbox/complete', { session_id: 'none', completion_code: 'x' }],
    ['connect', 'GET', '/v1/connectors/oauth/sessions/none'],
    ['read', 'GET', connectorsPath],
    ['read', 'GET', `${connectorsPath}/${connectorId}`],
    ['manage', 'PATCH', `${connectorsPath}/${connectorId}`, {}],
    ['manage', 'DELETE', `${connectorsPath}/none`],
    ['token', 'POST', `${connectorsPath}/${connectorId}/token`],
    ['read', 'GET', '/v1/connector-providers'],
    ['read', 'GET', '/v1/events'],
    ['admin', 'GET', '/v1/admin/connector-providers'],
    ['admin', 'GET', '/v1/admin/connector-providers/github'],
    ['admin', 'PATCH', '/v1/admin/connector-providers/github', {}],
    ['admin', 'GET', '/v1/admin/tenant/redirect-uris'],
    ['admin', 'PUT', '/v1/admin/tenant/redirect-uris', []],
  ]
  for (const [right, method, path, body] of calls) {
    const options = body === undefined ? {} : { body }
    const others = all.filter((name) => name !== right).map((name) => `connectors:${name}`)
    const without = await service.call(method, path, {
      ...options,
      token: await service.token({ scope: others.join(' ') }),
    })
    await assertProblem(without, 403, 'missing_right')
    const only = await service.call(method, path, {
      ...options,
      token: await service.token({ scope: `connectors:${right}` }),
    })
    assert.notEqual(only.status, 403, `${method} ${path}`)
  }
})
