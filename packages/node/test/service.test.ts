import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { after, before, it } from 'node:test'
import { startCuttableProxy } from '../../server/test/support/cuttable-proxy.ts'
import { until } from '../../server/test/support/connectors.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../../server/test/support/service.ts'
import { startWebhookReceiver, type WebhookReceiver } from '../../server/test/support/webhook-receiver.ts'
import {
  ConnectorOAuth,
  ConnectorOAuthError,
  signToken,
  verifyWebhook,
  type ConnectorHandle,
  type StreamedEvent,
} from '../src/index.ts'
import { answering, json, type Answering } from './support.ts'

const place = { spaceId, collectionId }
const accessToken = 'tok_0123456789abcdefghijklmnopqrstuvwxyzABCDEF'
const rights = ['connectors:read', 'connectors:use', 'connectors:token', 'connectors:manage', 'connectors:admin']

let provider: Answering
let receiver: WebhookReceiver
let service: TestService
let client: ConnectorOAuth
let slug: string

before(async () => {
  receiver = await startWebhookReceiver()
  provider = await answering((request, reply) => {
    if (request.url === '/api/echo') request.pipe(reply)
    else if (request.url === '/api/moved') reply.writeHead(302, { location: 'https://elsewhere.example/' }).end()
    else
      json(reply, request.url === '/api/none' ? 404 : 200, { authorized: request.headers.authorization !== undefined })
  })
  service = await startTestService({
    background: true,
    env: { ALLOWED_PRIVATE_HOSTS: `${provider.host},${receiver.host}` },
  })
  client = clientAs('ada')
  const added = await client.admin.addProvider({
    display_name: 'Behind the proxy',
    authorization_url: `${provider.url}/auth`,
    token_url: `${provider.url}/token`,
    api_base_url: `${provider.url}/api`,
    client_id: 'client-1',
    client_secret: 'secret-1',
  })
  slug = added.provider_slug
})
after(async () => {
  await service[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
  await receiver[Symbol.asyncDispose]()
})

function clientAs(subject: string, scope = rights, baseUrl = service.url): ConnectorOAuth {
  return new ConnectorOAuth({ baseUrl, authorization: () => bearer(subject, scope) })
}

function bearer(subject: string, scope = rights): string {
  return signToken({ secret: service.jwtSecret?.reveal() ?? '', subject, tenantId: 'acme', scope })
}

async function imported(): Promise<ConnectorHandle> {
  const connectors = client.connectors(place)
  const { id } = await connectors.import({ provider_slug: slug, credential: { access_token: accessToken } })
  return connectors.connector(id)
}

const isError = (code: string) => (error: unknown) => error instanceof ConnectorOAuthError && error.code === code

it('says who the bearer is, as signToken made it', async () => {
  const me = await client.me()
  assert.equal(me.subject, 'ada')
  assert.equal(me.tenant_id, 'acme')
  assert.deepEqual(me.rights.toSorted(), rights.toSorted())
})

it('imports, lists page by page, changes and disconnects', async () => {
  const made = await Promise.all([imported(), imported(), imported()])
  const connectors = client.connectors(place)
  const seen: string[] = []
  for await (const { id } of connectors.list({ limit: 1, provider_slug: slug })) seen.push(id)
  for (const { id } of made) assert.ok(seen.includes(id))
  assert.equal(new Set(seen).size, seen.length)
  const first = await connectors.list({ limit: 1 }).page()
  assert.ok(first.meta.has_more)
  const [connector] = made
  assert.ok(connector)
  assert.equal((await connector.update({ display_name: 'Mine' })).display_name, 'Mine')
  const ended = await connector.disconnect()
  assert.equal(ended.status, 'disconnected')
  assert.ok(ended.revocation.id)
})

it('gives an access token once and again, and none after the disconnect', async () => {
  const connector = await imported()
  const [one, two] = await Promise.all([connector.getAccessToken(), connector.getAccessToken()])
  assert.equal(one?.access_token, accessToken)
  assert.equal(await connector.getAccessToken(), two)
  await service.context.activity.flush()
  assert.equal((await exports(connector)).length, 1)
  await connector.disconnect()
  await assert.rejects(connector.getAccessToken(), isError('connector_disconnected'))
})

async function exports(connector: ConnectorHandle): Promise<unknown[]> {
  const found: unknown[] = []
  await until(async () => {
    for await (const event of client.events.list({ resource_id: connector.id })) {
      if (event.event_type === 'token.exported') found.push(event)
    }
    return found.length > 0
  })
  return found
}

it('calls the provider through the proxy, with bodies that stream, and answers what it answers', async () => {
  const connector = await imported()
  assert.deepEqual(await (await connector.fetch('/profile')).json(), { authorized: true })
  assert.equal((await connector.fetch('/none')).status, 404)
  const moved = await connector.fetch('/moved')
  assert.equal(moved.status, 302)
  let sent = 0
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent === 64) return controller.close()
      sent += 1
      controller.enqueue(new Uint8Array(65_536))
    },
  })
  const echoed = await (await connector.fetch('/echo', { method: 'POST', body })).arrayBuffer()
  assert.equal(echoed.byteLength, 64 * 65_536)
})

it('throws what the service itself refuses, by its code', async () => {
  const connector = await imported()
  await connector.update({ proxy_policy: { methods: ['GET'] } })
  await assert.rejects(connector.fetch('/profile', { method: 'DELETE' }), isError('proxy_method_refused'))
  await assert.rejects(connector.fetch('/profile', { method: 'HEAD' }), isError('proxy_method_refused'))
  await assert.rejects(client.connectors(place).connector('conn_unknown').get(), (error: ConnectorOAuthError) => {
    assert.equal(error.status, 404)
    assert.ok(error.requestId)
    return isError('connector_unknown')(error)
  })
  await assert.rejects(clientAs('ada', ['connectors:read']).admin.deployment(), isError('missing_right'))
  await assert.rejects(
    client.connectors({ spaceId: 'no-uuid', collectionId: 'neither' }).connector('x').get(),
    (error: ConnectorOAuthError) => {
      assert.deepEqual(
        error.problems.map(({ loc }) => loc.join('.')),
        ['path.space_id', 'path.collection_id'],
      )
      return isError('validation_error')(error)
    },
  )
})

it('lends the proxy to a holder who never sees a token', async () => {
  const connector = await imported()
  const { id, lease } = await connector.lend({ methods: ['GET'], paths: ['/profile'], max_calls: 2, ttl_seconds: 60 })
  const holder = new ConnectorOAuth({ baseUrl: service.url, authorization: lease })
    .connectors(place)
    .connector(connector.id)
  assert.equal((await holder.fetch('/profile')).status, 200)
  await assert.rejects(holder.fetch('/other'), isError('lease_forbids'))
  await connector.revokeLease(id)
  await assert.rejects(holder.fetch('/profile'), isError('lease_invalid'))
})

it('tells events in order, each once, over a connection that breaks', async () => {
  await using line = await startCuttableProxy(service.url)
  const told: StreamedEvent[] = []
  const stop = new AbortController()
  const watcher = clientAs('ada', rights, line.url.replace(/\/$/, ''))
  const reading = (async () => {
    for await (const streamed of watcher.events.stream({ category: 'connector', signal: stop.signal }))
      told.push(streamed)
  })()
  // The service decides where a stream begins, some time after the connection is made.
  const made: string[] = []
  await until(async () => {
    made.push((await imported()).id)
    return told.length > 0
  })
  await until(async () => told.at(-1)?.event.resource_id === made.at(-1))
  line.cut()
  const second = await imported()
  line.mend()
  const third = await imported()
  await until(async () => told.at(-1)?.event.resource_id === third.id)
  stop.abort()
  await reading
  assert.ok(told.length > 2)
  assert.deepEqual(
    told.map(({ event }) => event.resource_id),
    [...made, second.id, third.id].slice(-told.length),
  )
  const later: string[] = []
  for await (const { event } of client.events.stream({ category: 'connector', after: told.at(-3)?.position ?? '' })) {
    later.push(event.resource_id)
    if (later.length === 2) break
  }
  assert.deepEqual(later, [second.id, third.id])
})

it('goes on over another connection when one falls silent', async () => {
  await using line = await startCuttableProxy(service.url)
  const stop = new AbortController()
  const watcher = clientAs('ada', rights, line.url.replace(/\/$/, ''))
  const stream = watcher.events.stream({ category: 'connector', idleMs: 500, signal: stop.signal })
  const first = stream.next()
  const made: string[] = []
  let isTold = false
  void first.then(() => (isTold = true))
  await until(async () => {
    made.push((await imported()).id)
    return isTold
  })
  line.stall()
  const missed = await imported()
  for (;;) {
    const { value } = await stream.next()
    assert.ok(value)
    if (value.event.resource_id === missed.id) break
    assert.ok(made.includes(value.event.resource_id))
  }
  stop.abort()
  assert.equal((await stream.next()).done, true)
})

it('ends a stream with the service’s refusal', async () => {
  const refused = clientAs('ada', ['connectors:use']).events.stream()
  await assert.rejects(refused.next(), isError('missing_right'))
})

it('verifies webhooks, also while their secret is rotated, and refuses what was altered', async () => {
  const { webhooks } = client.admin
  const { id, secret: first } = await webhooks.create({ url: receiver.url, event_types: ['connector.*'] })
  const { secret: second } = await webhooks.rotateSecret(id)
  assert.ok((await webhooks.test(id)).delivered)
  const connector = await imported()
  await until(async () => receiver.received.some(({ resourceId }) => resourceId === connector.id))
  for (const { headers, body, type } of receiver.received) {
    for (const secret of [first, second, [first, second]]) assert.equal(verifyWebhook(secret, headers, body).type, type)
    assert.throws(() => verifyWebhook(second, headers, body.replace('"type"', '"Type"')), isError('webhook_refused'))
    assert.throws(
      () => verifyWebhook(second, { ...headers, 'webhook-id': 'evt_other' }, body),
      isError('webhook_refused'),
    )
    assert.throws(
      () => verifyWebhook('whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0', headers, body),
      isError('webhook_refused'),
    )
    assert.throws(() => verifyWebhook([], headers, body), isError('webhook_refused'))
  }
  const message = receiver.received.find(({ resourceId }) => resourceId === connector.id)
  const headerOf = (name: string): string => String(message?.headers[name])
  assert.equal(
    verifyWebhook(
      second,
      new Headers([
        ['webhook-id', headerOf('webhook-id')],
        ['webhook-timestamp', headerOf('webhook-timestamp')],
        ['webhook-signature', headerOf('webhook-signature')],
      ]),
      message?.body ?? '',
    ).event?.resource_id,
    connector.id,
  )
  // The receiver has the message before the service has its answer.
  const delivered = async (): Promise<boolean[]> => {
    const found: boolean[] = []
    for await (const { status } of webhooks.deliveries(id)) found.push(status === 'delivered')
    return found
  }
  await until(async () => (await delivered()).every(Boolean))
  assert.equal(await webhooks.replay(id, { status: 'delivered' }), (await delivered()).length)
})

it('orders the kill switch once, and reads its receipts', async () => {
  const connector = await imported()
  const key = `order-${connector.id}`
  const order = await client.admin.revoke({ provider_slug: slug }, key)
  assert.equal((await client.admin.revoke({ provider_slug: slug }, key)).id, order.id)
  await until(async () => (await client.admin.revocation(order.id)).status === 'completed')
  const receipts = []
  for await (const receipt of client.admin.receipts(order.id)) receipts.push(receipt.connector_id)
  assert.ok(receipts.includes(connector.id))
})

it('shows no secret when it or its errors are printed', async () => {
  const connector = await imported()
  await connector.getAccessToken()
  const error: unknown = await client
    .connectors(place)
    .import({ provider_slug: 'unknown-provider', credential: { access_token: accessToken } })
    .catch((problem: unknown) => problem)
  const fixed = bearer('ada')
  const holder = new ConnectorOAuth({ baseUrl: 'http://127.0.0.1:9', authorization: fixed, maxRetries: 0 })
  const unreached: unknown = await holder.me().catch((problem: unknown) => problem)
  const printed = [client, connector, holder, error, unreached]
    .map((each) => inspect(each, { depth: 20, showHidden: true }) + JSON.stringify(each) + String(each))
    .join('\n')
  assert.ok(printed.includes('provider_unknown') && printed.includes('network'))
  for (const secret of [accessToken, fixed, service.jwtSecret?.reveal() ?? '?']) assert.ok(!printed.includes(secret))
})
