import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { authorizePath, connectAccount, consentedCallback } from '../support/consent.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'
import { anonymous, connectorsPath, dataOf } from './calls.ts'

let service: TestService
let connectorId: string
before(async () => {
  service = await startTestService()
  connectorId = await connectAccount(service)
})
after(() => service[Symbol.asyncDispose]())

it('answers under /api-proxy/v1 byte for byte what it answers under /v1', async () => {
  const place = { collection_id: collectionId, space_id: spaceId }
  const calls: readonly (readonly [string, string, unknown?])[] = [
    ['GET', connectorsPath],
    ['GET', `${connectorsPath}?limit=x`],
    ['GET', `${connectorsPath}/${connectorId}`],
    ['GET', `${connectorsPath}/none`],
    ['POST', `${connectorsPath}/${connectorId}/token`],
    ['POST', connectorsPath, {}],
    ['GET', '/v1/connector-providers'],
    ['GET', '/v1/admin/connector-providers'],
    ['GET', '/v1/admin/connector-providers/none'],
    ['GET', '/v1/admin/tenant/redirect-uris'],
    ['GET', '/v1/events'],
    ['GET', '/v1/connectors/oauth/sandbox/authorize'],
    ['GET', authorizePath({}, 'none')],
    ['GET', '/v1/connectors/oauth/sandbox/callback?state=x'],
    ['GET', '/v1/connectors/oauth/sandbox/callback?state=x&code=y'],
    ['POST', '/v1/connectors/oauth/none/sessions', place],
    ['GET', '/v1/connectors/oauth/sessions/none'],
    ['GET', '/v1/nothing-here'],
    ['PUT', '/v1/events', {}],
  ]
  for (const [method, path, body] of calls) {
    const options = body === undefined ? {} : { body }
    const plain = await service.call(method, path, options)
    const proxied = await service.call(method, `/api-proxy${path}`, options)
    assert.equal(proxied.status, plain.status, `${method} ${path}`)
    assert.equal(await proxied.text(), await plain.text(), `${method} ${path}`)
    assert.equal(proxied.headers.get('content-type'), plain.headers.get('content-type'))
    const bare = await anonymous(service, path, {}, method)
    const bareProxied = await anonymous(service, `/api-proxy${path}`, {}, method)
    assert.equal(bareProxied.status, bare.status)
    assert.equal(await bareProxied.text(), await bare.text())
  }
})

it('runs a whole connection under /api-proxy/v1', async () => {
  const departure = await service.call('GET', `/api-proxy${authorizePath()}`)
  assert.equal(departure.status, 303)
  const callback = await consentedCallback(service)
  const reply = await service.call('GET', `/api-proxy${callback.pathname}${callback.search}`)
  assert.equal(reply.status, 200)
})

it('sends the provider to the same callback whichever prefix was called', async () => {
  const redirectUriOf = async (prefix: string) => {
    const reply = await service.call('GET', prefix + authorizePath())
    return new URL(reply.headers.get('location') ?? '').searchParams.get('redirect_uri')
  }
  assert.equal(await redirectUriOf('/api-proxy'), await redirectUriOf(''))
})

it('takes no other prefix and no prefix twice', async () => {
  for (const prefix of ['/api-proxy/api-proxy', '/API-PROXY', '/proxy', '/api-proxy//']) {
    assert.equal((await service.call('GET', prefix + connectorsPath)).status, 404)
  }
  const data = await dataOf<readonly unknown[]>(await service.call('GET', `/api-proxy${connectorsPath}`))
  assert.ok(data.length > 0)
})
