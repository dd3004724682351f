import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { connectAccount } from '../support/consent.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'
import { dataOf, jsonOf, rows, startSession, type Json } from './calls.ts'
import { addProvider } from './own-providers.ts'

let service: TestService
let globex: string
/** What belongs to acme, by the name of the path parameter. */
let theirs: Readonly<Record<string, string>>
before(async () => {
  service = await startTestService()
  globex = await service.token({ tenant: 'globex' })
  const session = await startSession(service)
  const connectorId = await connectAccount(service)
  const connectSession = await dataOf(await service.call('POST', '/v1/connect-sessions', { body: place }), 201)
  const leases = `/v1/spaces/${spaceId}/collections/${collectionId}/connectors/${connectorId}/leases`
  const lease = await dataOf(await service.call('POST', leases, { body: leaseBody }), 201)
  const order = await service.call('POST', '/v1/admin/revocations', { body: { principal_id: 'nobody' } })
  const hook = await dataOf(
    await service.call('POST', '/v1/admin/webhooks', { body: { url: 'https://receiver.example/hook' } }),
    201,
  )
  theirs = {
    webhook_id: String(hook['id']),
    event_id: 'evt_theirs',
    path: 'any',
    revocation_id: String((await dataOf(order, 202))['id']),
    space_id: spaceId,
    collection_id: collectionId,
    connector_id: connectorId,
    lease_id: String(lease['id']),
    provider_slug: await addProvider(service, { origin: 'https://provider.example' }),
    session_id: session.session_id,
    connect_session_id: String(connectSession['connect_session_id']),
  }
})
after(() => service[Symbol.asyncDispose]())

/** As well-formed as the ids above, and nobody's. */
const absent: Readonly<Record<string, string>> = {
  space_id: spaceId,
  collection_id: collectionId,
  connector_id: 'conn_absent',
  provider_slug: 'c-ffffffffffffffff',
  session_id: 'ses_absent',
  connect_session_id: 'cs_absent',
  lease_id: 'lse_absent',
  webhook_id: 'whk_absent',
  event_id: 'evt_absent',
  path: 'any',
  revocation_id: 'mrev_absent',
}

const leaseBody = { methods: ['GET'], paths: ['/**'], ttl_seconds: 60 }
const place = { space_id: spaceId, collection_id: collectionId }
const queries: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'GET /v1/connectors/oauth/{provider_slug}/authorize': place,
  'GET /v1/connectors/oauth/{provider_slug}/callback': { code: 'x', state: 'y' },
}
const bodies: Readonly<Record<string, Json>> = {
  'POST /v1/connect-sessions': place,
  'POST /v1/connectors/oauth/{provider_slug}/sessions': place,
  'POST /v1/connectors/oauth/{provider_slug}/complete': { session_id: 'ses_absent', completion_code: 'x' },
  'POST /v1/spaces/{space_id}/collections/{collection_id}/connectors/{connector_id}/leases': leaseBody,
}

interface Route {
  readonly name: string
  readonly method: string
  readonly path: string
}

async function routes(): Promise<readonly Route[]> {
  const document = (await jsonOf(await fetch(`${service.url}/openapi.json`))) as {
    paths: Record<string, Record<string, unknown>>
  }
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
    })),
  )
}

const filled = (path: string, ids: Readonly<Record<string, string>>) =>
  path.replaceAll(/\{(\w+)\}/g, (_match, name: string) => {
    const id = ids[name]
    assert.ok(id, `teach this test an id for {${name}} in ${path}`)
    return id
  })

async function ask(
  { name, method, path }: Route,
  ids: Readonly<Record<string, string>>,
  token = globex,
): Promise<Response> {
  const search = new URLSearchParams(queries[name] ?? {}).toString()
  const body = bodies[name] ?? (method === 'PATCH' ? {} : undefined)
  return service.call(method, filled(path, ids) + (search === '' ? '' : `?${search}`), {
    token,
    headers: { 'idempotency-key': 'matrix' },
    ...(body === undefined ? {} : { body }),
  })
}

it('answers every route about another tenant’s ids exactly as about absent ones', async () => {
  const all = (await routes()).filter(({ path }) => /\{(connector_id|provider_slug|session_id|\w+_id)\}/.test(path))
  assert.ok(all.length >= 12, String(all.length))
  for (const route of all) {
    // The platform's own ids belong to nobody here: lists below them are empty, and are judged below.
    if (!/\{(?!space_id|collection_id)\w+\}/.test(route.path)) continue
    const about = await ask(route, theirs)
    const control = await ask(route, absent)
    assert.equal(about.status, control.status, route.name)
    assert.equal(await about.text(), await control.text(), route.name)
    assert.notEqual(about.status, 422, `teach this test a well-formed request for ${route.name}`)
    assert.ok(about.status >= 400, route.name)
    const names = (reply: Response) => [...reply.headers.keys()].toSorted()
    assert.deepEqual(names(about), names(control), route.name)
  }
})

/** A stream never ends by itself: what it says first is enough, since it begins with now. */
async function textOf(reply: Response): Promise<string> {
  if (reply.headers.get('content-type')?.startsWith('text/event-stream') !== true) return reply.text()
  assert.ok(reply.body)
  for await (const text of reply.body.pipeThrough(new TextDecoderStream())) return text
  return ''
}

it('shows nothing of another tenant in any list', async () => {
  const lists = (await routes()).filter(
    ({ method, path }) => method === 'GET' && !/\{(?!space_id|collection_id)\w+\}/.test(path),
  )
  assert.ok(lists.length >= 5, String(lists.length))
  // One that has asked for nothing yet: what a tenant asked for stands in its own record.
  const initech = await service.token({ tenant: 'initech' })
  for (const route of lists) {
    const text = await textOf(await ask(route, theirs, initech))
    for (const name of ['connector_id', 'provider_slug', 'session_id', 'revocation_id']) {
      assert.ok(!text.includes(theirs[name] ?? '?'), `${route.name} shows ${name}`)
    }
  }
})

it('left acme’s objects as they were', async () => {
  const [connector] = await rows(service, 'select health from connectors where connector_id = $1', [
    theirs['connector_id'],
  ])
  assert.deepEqual(connector, { health: 'active' })
  const slug = theirs['provider_slug'] ?? ''
  assert.equal((await service.call('GET', `/v1/admin/connector-providers/${slug}`)).status, 200)
})

it('asks every route in the reference for a bearer', async () => {
  for (const { name, method, path } of await routes()) {
    const reply = await fetch(service.url + filled(path, theirs), { method, redirect: 'manual' })
    assert.equal(reply.status, 401, name)
    assert.match(reply.headers.get('www-authenticate') ?? '', /^Bearer /)
  }
})
