import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { authorizePath, connectAccount, consentAt, consentedCallback } from '../support/consent.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

it('connects an account with a bearer at both endpoints, and answers in the seed’s words', async () => {
  const callback = await consentedCallback(service)
  const reply = await service.call('GET', callback.pathname + callback.search)
  assert.equal(reply.status, 200)
  const body = (await reply.json()) as Record<string, unknown>
  assert.match(String(body['connector_id']), /^conn_/)
  assert.deepEqual(
    { ...body, connector_id: undefined },
    {
      message: 'OAuth connection established successfully',
      provider: 'sandbox',
      collection_id: collectionId,
      connector_id: undefined,
    },
  )
})

it('hands out a token that the provider’s API takes', async () => {
  const id = await connectAccount(service)
  const path = `/v1/spaces/${spaceId}/collections/${collectionId}/connectors/${id}/token`
  const reply = await service.call('POST', path)
  const { data } = (await reply.json()) as { data: { access_token: string } }
  assert.equal(reply.status, 200)
  const profile = await fetch(`${service.sandbox.issuer}/api/v1/profile`, {
    headers: { authorization: `Bearer ${data.access_token}` },
  })
  assert.equal(profile.status, 200)
})

it('refreshes a token that has expired', async () => {
  const id = await connectAccount(service)
  const path = `/v1/spaces/${spaceId}/collections/${collectionId}/connectors/${id}/token`
  const first = (await (await service.call('POST', path)).json()) as { data: { access_token: string } }
  service.clock.advance(119_000)
  const earlier = service.sandbox.counts.refreshes
  const answers = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const reply = await service.call('POST', path)
      assert.equal(reply.status, 200, await reply.clone().text())
      return (await reply.json()) as { data: { access_token: string } }
    }),
  )
  assert.equal(service.sandbox.counts.refreshes - earlier, 1)
  assert.equal(new Set(answers.map((answer) => answer.data.access_token)).size, 1)
  assert.notEqual(answers[0]?.data.access_token, first.data.access_token)
})

it('parks the code of a browser without bearer, and completes it for the starter', async () => {
  const started = await service.call('POST', '/v1/connectors/oauth/sandbox/sessions', {
    body: { collection_id: collectionId, space_id: spaceId, origin: service.url },
  })
  assert.equal(started.status, 201, await started.clone().text())
  const { data } = (await started.json()) as { data: { session_id: string; authorize_url: string } }
  const departure = await fetch(data.authorize_url, { redirect: 'manual', headers: { accept: 'text/html' } })
  assert.equal(departure.status, 303)
  const callback = await consentAt(departure.headers.get('location') ?? '')
  const earlier = service.sandbox.counts.tokenRequests
  const parked = await fetch(callback, { redirect: 'manual', headers: { accept: 'text/html' } })
  assert.equal(parked.status, 303, await parked.clone().text())
  const target = new URL(parked.headers.get('location') ?? '')
  assert.equal(service.sandbox.counts.tokenRequests, earlier)
  const code = new URLSearchParams(target.hash.slice(1)).get('completion_code')
  const page = await fetch(target)
  assert.equal(page.status, 200)
  const completed = await service.call('POST', '/v1/connectors/oauth/sandbox/complete', {
    body: { session_id: data.session_id, completion_code: code },
  })
  assert.equal(completed.status, 200, await completed.clone().text())
  const status = await service.call('GET', `/v1/connectors/oauth/sessions/${data.session_id}`)
  const seen = (await status.json()) as { data: { status: string } }
  assert.equal(seen.data.status, 'connected')
})

it('answers a missing parameter in the seed’s words', async () => {
  const reply = await service.call('GET', `/api-proxy${authorizePath()}`.replace(/collection_id=[^&]+&/, ''))
  assert.equal(reply.status, 422)
  assert.deepEqual(await reply.json(), {
    detail: [{ loc: ['query', 'collection_id'], msg: 'field required', type: 'value_error.missing' }],
  })
})
