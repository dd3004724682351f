import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startCollector, type Collector, type SeenSpan } from '../support/collector.ts'
import { readToken, until } from '../support/connectors.ts'
import { connectAccount } from '../support/consent.ts'
import { startHostileProvider, type HostileProvider } from '../support/hostile-provider.ts'
import { proxiedConnector, proxiedToken, proxyPath } from '../support/proxied.ts'
import { startTestService, type TestService } from '../support/service.ts'

let collector: Collector
let provider: HostileProvider
let service: TestService
let id: string
before(async () => {
  collector = await startCollector()
  provider = await startHostileProvider()
  service = await startTestService({
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      ALLOWED_PRIVATE_HOSTS: provider.host,
      TRUST_PROXY: '127.0.0.1,::1',
    },
  })
  id = await proxiedConnector(service, provider.origin)
  provider.answer('/api/v1/items', { json: [] })
})
after(async () => {
  await service[Symbol.asyncDispose]()
  await provider.close()
  await collector[Symbol.asyncDispose]()
})

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`

async function spansOf(trace: string, count: number): Promise<readonly SeenSpan[]> {
  const found = () => collector.spans.filter((span) => span.traceId === trace)
  await until(() => found().length >= count)
  return found()
}

/** The trace of the last request that the log tells of. */
function lastTrace(): string {
  const lines = service.logs.map((line) => JSON.parse(line) as Record<string, unknown>)
  return String(lines.findLast((line) => line['msg'] === 'request')?.['trace_id'])
}

describe('a trace', () => {
  it('shows a request by its route’s pattern, and the provider’s part by host and status', async () => {
    const reply = await service.call('GET', proxyPath(id, '/items?secret=in-the-query'), { headers: { traceparent } })
    assert.equal(reply.status, 200)
    const spans = await spansOf(traceId, 3)
    const request = spans.find((span) => span.name.startsWith('GET '))
    assert.equal(request?.name, 'GET /v1/spaces/:space_id/collections/:collection_id/connectors/:connector_id/proxy/*')
    assert.equal(request.parentSpanId, '00f067aa0ba902b7')
    assert.equal(request.attributes['http.response.status_code'], 200)
    const proxied = spans.find((span) => span.name === 'proxy')
    assert.equal(proxied?.parentSpanId, request.spanId)
    const asked = spans.find((span) => span.name === 'provider request')
    assert.equal(asked?.parentSpanId, proxied.spanId)
    assert.deepEqual(asked.attributes, {
      'http.request.method': 'GET',
      'server.address': provider.host,
      'http.response.status_code': 200,
    })
  })

  it('is not shown to the provider', () => {
    const headers = provider.seen.at(-1)?.headers ?? {}
    assert.equal(headers['traceparent'], undefined)
    assert.ok(!JSON.stringify(provider.seen).includes(traceId))
  })

  it('is the caller’s only when the caller may say so, and its header is well-formed', async () => {
    for (const bad of ['00-0-0-01', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, `01-${traceId}-00f067aa0ba902b7-01`]) {
      await service.call('GET', '/v1/connector-providers', { headers: { traceparent: bad } })
      assert.notEqual(lastTrace(), traceId)
      assert.match(lastTrace(), /^[0-9a-f]{32}$/)
    }
    await using stranger = await startTestService({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } })
    await stranger.call('GET', '/v1/connector-providers', { headers: { traceparent } })
    assert.ok(!stranger.logs.some((line) => line.includes(traceId)))
  })

  it('holds no token, code, state, query, header or id of a person', async () => {
    const connected = await connectAccount(service)
    const { accessToken } = await readToken(service, connected)
    await spansOf(lastTrace(), 1)
    const everything = collector.bodies.join('\n')
    assert.ok(everything.includes('/v1/connectors/oauth/:provider_slug/callback'))
    for (const secret of [
      accessToken,
      proxiedToken,
      'in-the-query',
      'code=',
      'state=',
      'Bearer ',
      'eyJ',
      connected,
      'acme',
      '"ada"',
    ]) {
      assert.ok(secret !== undefined && !everything.includes(secret), `${secret} stands in a trace`)
    }
  })

  it('shows the exchange of a code with its outcome', async () => {
    await connectAccount(service)
    await until(() => collector.spans.some((span) => span.name === 'exchange'))
    const exchange = collector.spans.find((span) => span.name === 'exchange')
    assert.deepEqual(exchange?.attributes, { provider: 'sandbox', outcome: 'granted' })
    assert.ok(collector.spans.some((span) => span.parentSpanId === exchange.spanId && span.name === 'provider request'))
  })

  it('shows a refresh with its outcome', async () => {
    const connected = await connectAccount(service)
    service.clock.advance(24 * 3_600_000)
    assert.equal((await readToken(service, connected)).status, 200)
    await until(() => collector.spans.some((span) => span.name === 'refresh'))
    const refresh = collector.spans.find((span) => span.name === 'refresh')
    assert.equal(refresh?.attributes['provider'], 'sandbox')
    assert.equal(refresh.attributes['outcome'], 'granted')
    assert.ok(collector.spans.some((span) => span.parentSpanId === refresh.spanId && span.name === 'provider request'))
  })

  it('goes nowhere without harm when the collector is away', async () => {
    await using lonely = await startTestService({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' } })
    assert.equal((await lonely.call('GET', '/v1/connector-providers')).status, 200)
  })
})
