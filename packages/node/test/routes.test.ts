import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { startTestService, type TestService } from '../../server/test/support/service.ts'
import { ConnectorOAuth } from '../src/index.ts'
import { answering, json, type Answering } from './support.ts'

/** What a backend has no use for, with the reason. */
const leftOut: Readonly<Record<string, string>> = {
  'GET /v1/connectors/oauth/{provider_slug}/authorize': 'browsers navigate there',
  'GET /v1/connectors/oauth/{provider_slug}/callback': 'browsers navigate there',
  'POST /v1/connectors/oauth/{provider_slug}/callback': 'browsers navigate there',
}

let service: TestService
let recorder: Answering
before(async () => {
  service = await startTestService()
  const emptyPage = { data: [], meta: { next_cursor: null, has_more: false, next_from: null } }
  recorder = await answering((request, reply) => {
    if (request.url?.includes('/stream')) reply.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n')
    else json(reply, 200, request.url?.endsWith('/replay') ? { ...emptyPage, data: { replayed: 0 } } : emptyPage)
  })
})
after(async () => {
  await service[Symbol.asyncDispose]()
  await recorder[Symbol.asyncDispose]()
})

async function drained(list: AsyncIterable<unknown>): Promise<void> {
  for await (const _each of list) assert.fail('The recorder lists nothing')
}

/** Calls everything there is once. */
async function callEverything(client: ConnectorOAuth): Promise<void> {
  const ids = { space_id: 's', collection_id: 'c' }
  const connectors = client.connectors({ spaceId: 's', collectionId: 'c' })
  const connector = connectors.connector('conn_1')
  const { admin, events } = client
  await client.me()
  await client.providers()
  await client.createConnectSession(ids)
  await client.connectSession('x')
  await client.createSession('google', ids)
  await client.session('x')
  await client.complete('google', { session_id: 'x', completion_code: 'y' })
  await drained(connectors.list())
  await connectors.import({ provider_slug: 'google', credential: { access_token: 'x' } })
  await connector.get()
  await connector.update({ paused: true })
  await connector.getAccessToken()
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
    await connector.fetch('/x', { method })
  }
  await connector.lend({ methods: ['GET'], paths: ['/**'], ttl_seconds: 60 })
  await drained(connector.leases())
  await connector.revokeLease('x')
  await connector.disconnect()
  await drained(events.list())
  const stop = new AbortController()
  const streaming = drained(events.stream({ signal: stop.signal }))
  await admin.overview()
  await drained(admin.connectors())
  await admin.deployment()
  await admin.providers()
  await admin.provider('google')
  await admin.setUpProvider('google', {})
  await admin.addProvider({ display_name: 'x', issuer: 'https://id.example' })
  await admin.removeProvider('c-1')
  await admin.redirectUris()
  await admin.setRedirectUris([])
  await admin.appearance()
  await admin.setAppearance({})
  await admin.keys()
  await admin.rotateKey()
  await admin.revoke({})
  await drained(admin.revocations())
  await admin.revocation('x')
  await (await admin.revocationReport('x')).cancel()
  await drained(admin.audit())
  await (await admin.auditExport()).cancel()
  await drained(admin.auditCheckpoints())
  await admin.auditKeys()
  const { webhooks } = admin
  await webhooks.create({ url: 'https://app.example' })
  await drained(webhooks.list())
  await webhooks.get('x')
  await webhooks.update('x', {})
  await webhooks.remove('x')
  await webhooks.rotateSecret('x')
  await webhooks.test('x')
  await drained(webhooks.deliveries('x'))
  await webhooks.replayOne('x', 'y')
  await webhooks.replay('x')
  while (!recorder.asked.some(({ path }) => path.includes('/stream'))) await new Promise(setImmediate)
  stop.abort()
  await streaming
}

it('reaches every route of the API that is not for browsers', async () => {
  const openapi = (await (await fetch(`${service.url}/openapi.json`)).json()) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  }
  await callEverything(new ConnectorOAuth({ baseUrl: recorder.url, authorization: 'x' }))
  const called = recorder.asked.map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`)
  const missing = Object.entries(openapi.paths).flatMap(([path, operations]) =>
    Object.keys(operations)
      .map((method) => ({ name: `${method.toUpperCase()} ${path}`, pattern: patternOf(method, path) }))
      .filter(({ name, pattern }) => leftOut[name] === undefined && !called.some((call) => pattern.test(call)))
      .map(({ name }) => name),
  )
  assert.deepEqual(missing, [])
  assert.ok(Object.keys(openapi.paths).length > 30)
})

function patternOf(method: string, path: string): RegExp {
  return new RegExp(`^${method.toUpperCase()} ${path.replaceAll('.', String.raw`\.`).replaceAll(/\{\w+\}/g, '[^/]+')}$`)
}
