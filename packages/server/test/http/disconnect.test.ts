import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { revokeDue } from '../../src/domain/revoke-at-provider.ts'
import { connectAccount } from '../support/consent.ts'
import { startTestService, type TestService } from '../support/service.ts'
import { assertProblem, connectorsPath, dataOf, eventsOf, racing, rows, type Json } from './calls.ts'
import { addProvider } from './own-providers.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

const remove = async (id: string) => dataOf(await service.call('DELETE', `${connectorsPath}/${id}`), 202)
const exportToken = (id: string) => service.call('POST', `${connectorsPath}/${id}/token`)
const typesOf = async (id: string) => (await eventsOf(service, { resource_id: id })).map((event) => event.event_type)

it('DELETE answers 202 with a queued revocation, and the secrets are gone from the connector at once', async () => {
  const id = await connectAccount(service)
  const gone = await remove(id)
  assert.equal(gone['status'], 'disconnected')
  const revocation = gone['revocation'] as Json
  assert.deepEqual(Object.keys(revocation), ['id', 'status', 'reason', 'created_at', 'finished_at'])
  assert.deepEqual([revocation['status'], revocation['finished_at']], ['queued', null])
  const [row] = await rows(service, 'select access_token, refresh_token from connectors where connector_id = $1', [id])
  assert.deepEqual(row, { access_token: null, refresh_token: null })
  await assertProblem(await exportToken(id), 409, 'connector_disconnected')
})

it('revokes at the provider, tells the end state in an event, and keeps no secret after that', async () => {
  const id = await connectAccount(service)
  const { access_token: token } = await dataOf(await exportToken(id))
  const earlier = service.sandbox.counts.revocations
  const { revocation } = await remove(id)
  await revokeDue(service.context)
  assert.ok(service.sandbox.counts.revocations > earlier)
  const profile = await fetch(`${service.sandbox.issuer}/api/v1/profile`, {
    headers: { authorization: `Bearer ${String(token)}` },
  })
  assert.equal(profile.status, 401)
  const types = (await typesOf(id)).filter((type) => type.startsWith('connector.'))
  assert.deepEqual(types, ['connector.connected', 'connector.disconnected', 'connector.revoked'])
  const events = await eventsOf(service, { resource_id: id })
  assert.equal(events.at(-1)?.metadata['revocation_id'], (revocation as Json)['id'])
  const [row] = await rows(
    service,
    'select status, access_token, refresh_token from revocations where connector_id = $1',
    [id],
  )
  assert.deepEqual(row, { status: 'revoked', access_token: null, refresh_token: null })
})

it('tries again while the provider fails, as its Retry-After says', async () => {
  const id = await connectAccount(service)
  await remove(id)
  service.sandbox.behave({ failRevocationWith: 503, retryAfter: '300' })
  await revokeDue(service.context)
  const statusOf = async () =>
    (await rows(service, 'select status from revocations where connector_id = $1', [id]))[0]?.['status']
  assert.equal(await statusOf(), 'queued')
  service.sandbox.behave({ failRevocationWith: undefined, retryAfter: undefined })
  service.clock.advance(200_000)
  await revokeDue(service.context)
  assert.equal(await statusOf(), 'queued')
  service.clock.advance(150_000)
  await revokeDue(service.context)
  assert.equal(await statusOf(), 'revoked')
})

it('a provider without revocation ends as unsupported, and the event says so', async () => {
  const slug = await addProvider(service, { origin: 'https://provider.example' })
  const body = { provider_slug: slug, connector_id: 'conn_unsupported', credential: { access_token: 'x' } }
  const headers = { 'idempotency-key': 'unsupported' }
  assert.equal((await service.call('POST', connectorsPath, { headers, body })).status, 201)
  await remove('conn_unsupported')
  await revokeDue(service.context)
  const event = (await eventsOf(service, { resource_id: 'conn_unsupported' })).at(-1)
  assert.deepEqual([event?.event_type, event?.metadata['status']], ['connector.revocation_failed', 'unsupported'])
})

it('a second DELETE answers with the same revocation and starts none', async () => {
  const id = await connectAccount(service)
  const first = await remove(id)
  const second = await remove(id)
  assert.equal((second['revocation'] as Json)['id'], (first['revocation'] as Json)['id'])
  const all = await rows(service, 'select 1 from revocations where connector_id = $1', [id])
  assert.equal(all.length, 1)
})

it('parallel DELETEs make one revocation and one event', async () => {
  const id = await connectAccount(service)
  const many = () => Promise.all(Array.from({ length: 10 }, () => service.call('DELETE', `${connectorsPath}/${id}`)))
  const replies = await racing(service, many, 'select 1 from connectors for update')
  assert.deepEqual([...new Set(replies.map((reply) => reply.status))], [202])
  assert.deepEqual(await typesOf(id), ['connector.connected', 'connector.disconnected'])
})

it('a refresh in flight does not bring a deleted connector back', async () => {
  const id = await connectAccount(service)
  service.clock.advance(119_000)
  service.sandbox.behave({ replyAfterMs: 400 })
  const refreshes = service.sandbox.counts.refreshes
  const exporting = exportToken(id)
  while (service.sandbox.counts.refreshes === refreshes) await new Promise((resolve) => setImmediate(resolve))
  await remove(id)
  service.sandbox.behave({ replyAfterMs: 0 })
  await assertProblem(await exporting, 409, 'connector_disconnected')
  const [row] = await rows(service, 'select access_token, refresh_token from connectors where connector_id = $1', [id])
  assert.deepEqual(row, { access_token: null, refresh_token: null })
})
