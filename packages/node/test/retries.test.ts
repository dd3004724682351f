import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { it } from 'node:test'
import { inspect } from 'node:util'
import { ConnectorOAuth, ConnectorOAuthError } from '../src/index.ts'
import { answering, json } from './support.ts'

const place = { spaceId: '123e4567-e89b-12d3-a456-426614174001', collectionId: '123e4567-e89b-12d3-a456-426614174000' }
const clientOf = (baseUrl: string, more: { timeoutMs?: number; maxRetries?: number } = {}) =>
  new ConnectorOAuth({ baseUrl, authorization: 'bearer-of-the-test', ...more })

const isError = (code: string, status: number) => (error: unknown) => {
  assert.ok(error instanceof ConnectorOAuthError, String(error))
  assert.equal(error.code, code)
  assert.equal(error.status, status)
  return true
}

it('repeats what may be repeated, as the service says when', async () => {
  let times = 0
  await using service = await answering((_request, reply) => {
    times += 1
    if (times === 1) json(reply, 503, { detail: 'Starting.', code: 'starting' }, { 'retry-after': '0' })
    else if (times === 2)
      json(reply, 429, { detail: 'Wait.', code: 'rate_limited' }, { 'retry-after': new Date().toUTCString() })
    else json(reply, 200, { data: { tenant_id: 'acme' } })
  })
  assert.equal((await clientOf(service.url).me()).tenant_id, 'acme')
  assert.equal(service.asked.length, 3)
})

it('gives up after as many tries as were allowed, with the last answer’s code', async () => {
  await using service = await answering((_request, reply) =>
    json(
      reply,
      503,
      { detail: 'Away.', code: 'database_unavailable' },
      { 'retry-after': '0', 'x-request-id': 'req-1' },
    ),
  )
  await assert.rejects(clientOf(service.url, { maxRetries: 1 }).me(), (error: ConnectorOAuthError) => {
    assert.equal(error.requestId, 'req-1')
    assert.equal(error.retryAfterSeconds, 0)
    return isError('database_unavailable', 503)(error)
  })
  assert.equal(service.asked.length, 2)
})

it('does not wait when the service asks for longer than half a minute', async () => {
  await using service = await answering((_request, reply) =>
    json(reply, 429, { detail: 'Wait.', code: 'rate_limited' }, { 'retry-after': '3600' }),
  )
  await assert.rejects(clientOf(service.url).me(), isError('rate_limited', 429))
  assert.equal(service.asked.length, 1)
})

it('sends once what does something new each time', async () => {
  await using service = await answering((_request, reply) =>
    json(reply, 503, { detail: 'Away.', code: 'starting' }, { 'retry-after': '0' }),
  )
  const session = { space_id: place.spaceId, collection_id: place.collectionId }
  await assert.rejects(clientOf(service.url).createSession('sandbox', session), isError('starting', 503))
  assert.equal(service.asked.length, 1)
})

const removals: readonly (readonly [goneCode: string, remove: (client: ConnectorOAuth) => Promise<void>])[] = [
  ['lease_unknown', (client) => client.connectors(place).connector('conn_1').revokeLease('lease_1')],
  ['provider_unknown', (client) => client.admin.removeProvider('custom-crm')],
  ['webhook_unknown', (client) => client.admin.webhooks.remove('whk_1')],
]

it('takes a removal whose answer got lost for done when nothing is there any more', async () => {
  for (const lose of [
    (reply: ServerResponse) => void reply.destroy(),
    (reply: ServerResponse) => json(reply, 504, { detail: 'No answer came.' }),
  ]) {
    for (const [code, remove] of removals) {
      await using service = await answering((_request, reply) => {
        if (service.asked.length === 1) lose(reply)
        else json(reply, 404, { detail: 'There is none.', code })
      })
      await remove(clientOf(service.url))
      assert.equal(service.asked.length, 2)
    }
  }
})

it('takes no other 404 for the end of a removal whose answer got lost', async () => {
  const others = [{ code: 'connector_unknown' }, { code: 'not_found' }, { detail: 'default backend - 404' }, 'none']
  for (const body of others) {
    for (const [, remove] of removals) {
      await using service = await answering((_request, reply) => {
        if (service.asked.length === 1) reply.destroy()
        else json(reply, 404, body)
      })
      const code = typeof body === 'object' && 'code' in body ? body.code : 'invalid_answer'
      await assert.rejects(remove(clientOf(service.url)), isError(code, 404))
      assert.equal(service.asked.length, 2)
    }
  }
})

it('says that there is nothing to remove when no try may have removed it', async () => {
  await using service = await answering((_request, reply) => {
    if (service.asked.length === 1) json(reply, 503, { detail: 'Starting.', code: 'starting' }, { 'retry-after': '0' })
    else json(reply, 404, { detail: 'There is none.', code: 'webhook_unknown' })
  })
  await assert.rejects(clientOf(service.url).admin.webhooks.remove('whk_1'), isError('webhook_unknown', 404))
  assert.equal(service.asked.length, 2)
})

it('repeats an import under one idempotency key', async () => {
  await using service = await answering((_request, reply) => {
    if (service.asked.length === 1) json(reply, 502, { detail: 'Away.', code: 'provider_error' })
    else json(reply, 201, { data: { id: 'conn_1' } })
  })
  const credential = { access_token: 'secret-access-token' }
  await clientOf(service.url).connectors(place).import({ provider_slug: 'sandbox', credential })
  const keys = service.asked.map(({ headers }) => headers['idempotency-key'])
  assert.equal(keys.length, 2)
  assert.ok(keys[0])
  assert.equal(keys[0], keys[1])
})

it('ends a request that takes too long, and says so', async () => {
  await using service = await answering(() => {})
  await assert.rejects(clientOf(service.url, { timeoutMs: 50, maxRetries: 0 }).me(), isError('timeout', 0))
})

it('ends a body that drips too long', async () => {
  await using service = await answering((_request, reply) => {
    reply.writeHead(200, { 'content-type': 'application/json' }).write('{"data":')
  })
  await assert.rejects(clientOf(service.url, { timeoutMs: 50 }).me(), isError('timeout', 0))
})

it('refuses an answer that is too large, that is no JSON, or that leads elsewhere', async () => {
  await using elsewhere = await answering((_request, reply) => json(reply, 200, { data: {} }))
  await using service = await answering((request, reply) => {
    if (request.url?.includes('page')) reply.writeHead(200, { 'content-type': 'text/html' }).end('<html>')
    else if (request.url?.includes('moved')) reply.writeHead(302, { location: elsewhere.url }).end()
    else reply.writeHead(200).end(`{"data":"${'x'.repeat(17 * 1024 ** 2)}"}`)
  })
  const client = clientOf(service.url, { maxRetries: 0 })
  await assert.rejects(client.me(), isError('invalid_answer', 200))
  await assert.rejects(client.session('page'), isError('invalid_answer', 200))
  await assert.rejects(client.session('moved'), isError('invalid_answer', 302))
  assert.equal(elsewhere.asked.length, 0)
})

it('asks for the bearer anew at every try', async () => {
  await using service = await answering((_request, reply) => {
    if (service.asked.length === 1) json(reply, 503, { code: 'starting' }, { 'retry-after': '0' })
    else json(reply, 200, { data: {} })
  })
  let asked = 0
  await new ConnectorOAuth({ baseUrl: service.url, authorization: async () => `bearer-${(asked += 1)}` }).me()
  assert.deepEqual(
    service.asked.map(({ headers }) => headers.authorization),
    ['Bearer bearer-1', 'Bearer bearer-2'],
  )
})

it('lets no id or path lead to another route', async () => {
  await using service = await answering((_request, reply) => json(reply, 200, { data: {} }))
  const client = clientOf(service.url)
  const connector = client.connectors(place).connector('conn_1')
  for (const path of ['/../token', '/a/../../token', '/%2e%2e/token', '/..\\token', '/.%2E/..']) {
    await assert.rejects(connector.fetch(path), TypeError, path)
  }
  await assert.rejects(connector.fetch('no-slash'), TypeError)
  await assert.rejects(client.connectors(place).connector('..').get(), TypeError)
  assert.equal(service.asked.length, 0)
  await connector.fetch('/v1/../items/%2F?q=../..').catch(() => {})
  assert.equal(service.asked.length, 1)
  assert.match(service.asked[0]?.path ?? '', /\/connectors\/conn_1\/proxy\/items\/%2F\?q=\.\.\/\.\.$/)
})

it('counts the time that the bearer takes, and tells an error of its maker as it is', async () => {
  const never = (): Promise<string> => new Promise(() => {})
  const options = { baseUrl: 'http://127.0.0.1:9', maxRetries: 0, timeoutMs: 50 }
  await assert.rejects(new ConnectorOAuth({ ...options, authorization: never }).me(), isError('timeout', 0))
  const failing = (): never => {
    throw new RangeError('no key')
  }
  await assert.rejects(new ConnectorOAuth({ ...options, authorization: failing }).me(), RangeError)
})

it('shows neither a bearer that fits in no header nor credentials of a base URL', async () => {
  const secret = 'secret-of-the-test'
  await using service = await answering((_request, reply) => json(reply, 200, { data: {} }))
  const shown = (error: unknown): boolean => inspect(error, { depth: 9, showHidden: true }).includes(secret)
  for (const authorization of [`${secret}\nx`, `Bearer ${secret}`, `${secret}\u2603`]) {
    await assert.rejects(new ConnectorOAuth({ baseUrl: service.url, authorization }).me(), (error) => !shown(error))
  }
  for (const baseUrl of [`http://u:${secret}@`, `http://u:${secret}@a.example`]) {
    assert.throws(
      () => new ConnectorOAuth({ baseUrl, authorization: 'x' }),
      (error) => !shown(error),
    )
  }
  await new ConnectorOAuth({ baseUrl: service.url, authorization: `${secret}\n` }).me()
  assert.equal(service.asked.length, 1)
})

it('ends what a signal ends, and what others wait for goes on', async () => {
  const held = Promise.withResolvers<void>()
  await using service = await answering((request, reply) => {
    if (request.url?.endsWith('/token') !== true) return
    const expires = new Date(Date.now() + 3_600_000).toISOString()
    void held.promise.then(() =>
      json(reply, 200, { data: { access_token: 'at', token_type: 'Bearer', expires_at: expires, scopes: [] } }),
    )
  })
  const client = clientOf(service.url)
  const stop = new AbortController()
  const stopped = client.withSignal(stop.signal)
  const connector = (of: ConnectorOAuth) => of.connectors(place).connector('conn_1')
  const ended = [
    stopped.me(),
    stopped.connectors(place).list().page(),
    connector(stopped).fetch('/slow'),
    connector(stopped).getAccessToken(),
  ].map(async (call) => assert.rejects(call, { message: 'the request is over' }))
  const stream = stopped.events.stream()
  const streaming = stream.next()
  const waiting = connector(client).getAccessToken()
  stop.abort(new Error('the request is over'))
  await Promise.all(ended)
  assert.deepEqual(await streaming, { value: undefined, done: true })
  held.resolve()
  assert.equal((await waiting).access_token, 'at')
  assert.equal(service.asked.filter(({ path }) => path.endsWith('/token')).length, 1)
  await assert.rejects(connector(stopped).getAccessToken(), { message: 'the request is over' })
})

it('sends by what it is given to send with', async () => {
  const asked: string[] = []
  const fetch: typeof globalThis.fetch = async (input, init) => {
    asked.push(`${init?.method} ${String(input instanceof Request ? input.url : input)}`)
    return Response.json({ data: { tenant_id: 'acme' } })
  }
  await new ConnectorOAuth({ baseUrl: 'https://connectors.example/in/', authorization: 'x', fetch }).me()
  assert.deepEqual(asked, ['GET https://connectors.example/in/v1/me'])
})
