import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { connectAccount } from '../support/consent.ts'
import { connectorPath, readToken, rows } from '../support/connectors.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'
import { addProvider } from './own-providers.ts'

let service: TestService
before(async () => {
  service = await startTestService({ env: { METRICS_PUBLIC: 'on' } })
})
after(() => service[Symbol.asyncDispose]())

const page = async (of = service) => (await fetch(`${of.url}/metrics`)).text()
const valueOf = (text: string, series: string) =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${series} `))
      ?.slice(series.length + 1),
  )

describe('GET /metrics', () => {
  it('is not there unless it is switched on', async () => {
    await using quiet = await startTestService()
    assert.equal((await fetch(`${quiet.url}/metrics`)).status, 404)
  })

  it('is in the text format of Prometheus', async () => {
    const reply = await fetch(`${service.url}/metrics`)
    assert.equal(reply.status, 200)
    assert.match(reply.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    assert.equal(reply.headers.get('cache-control'), 'no-store')
    for (const line of (await reply.text()).trimEnd().split('\n')) {
      assert.match(line, /^(# (HELP|TYPE) \S+ .*|[a-z_:][a-z0-9_:]*(\{[^}]*\})? \S+|)$/i)
    }
  })

  it('times requests by the pattern of their route, method and status class', async () => {
    const id = await connectAccount(service)
    assert.equal((await service.call('GET', connectorPath(id))).status, 200)
    assert.equal((await service.call('GET', connectorPath('conn_absent'))).status, 404)
    await fetch(`${service.url}/no/such/place`, { method: 'PROPFIND' })
    const text = await page()
    const route = '/v1/spaces/:space_id/collections/:collection_id/connectors/:connector_id'
    const count = (labels: string) => valueOf(text, `connector_oauth_http_request_seconds_count{${labels}}`)
    assert.equal(count(`route="${route}",method="GET",status="2xx"`), 1)
    assert.equal(count(`route="${route}",method="GET",status="4xx"`), 1)
    assert.equal(count('route="none",method="any",status="4xx"'), 1)
  })

  it('counts connectors by status, due work, data keys by their key, connections and migrations', async () => {
    const id = await connectAccount(service)
    await service.call('PATCH', connectorPath(id), { body: { paused: true } })
    const ended = await connectAccount(service)
    await service.call('DELETE', connectorPath(ended))
    service.clock.advance(60_000)
    await writeDeliveries()
    const text = await page()
    const count = (name: string) => valueOf(text, `connector_oauth_${name}`)
    assert.equal(count('connectors{status="paused"}'), 1)
    assert.equal(count('connectors{status="disconnected"}'), 1)
    assert.equal(count('connectors{status="reauth_required"}'), 0)
    assert.equal(count('work_due{work="revoke"}'), 1)
    const oldest = count('work_oldest_due_seconds{work="revoke"}')
    assert.ok(oldest >= 60 && oldest < 120, String(oldest))
    assert.ok(count('work_due{work="link"}') >= 3)
    assert.deepEqual([count('work_due{work="deliver"}'), count('webhook_deliveries_pending')], [2, 4])
    const sinceLooked = count('work_oldest_due_seconds{work="deliver"}')
    assert.ok(sinceLooked >= 20 && sinceLooked < 60, String(sinceLooked))
    assert.equal(count('data_keys{key_id="development",state="wraps"}'), 1)
    assert.ok(count('migrations_applied') >= 3)
    assert.ok(count('database_connections{state="idle"}') >= 1)
    assert.ok(count('figures_age_seconds') < 5)
  })

  it('asks the database at most every fifteen seconds, however often it is asked itself', async () => {
    service.clock.advance(20_000)
    await page()
    const id = await connectAccount(service)
    const known = valueOf(await page(), 'connector_oauth_connectors{status="active"}')
    service.clock.advance(10_000)
    const still = await page()
    assert.equal(valueOf(still, 'connector_oauth_connectors{status="active"}'), known)
    assert.ok(valueOf(still, 'connector_oauth_figures_age_seconds') >= 10)
    service.clock.advance(5_000)
    assert.equal(valueOf(await page(), 'connector_oauth_connectors{status="active"}'), known + 1, id)
  })

  it('names no tenant, no connector, no place and no person, and all custom providers as one', async () => {
    const slug = await addProvider(service, { origin: 'https://provider.example' })
    service.context.meter.count('refreshes_total', { provider: slug, outcome: 'refreshed' })
    service.context.meter.observe('provider_request_seconds', { provider: slug, call: 'token' }, 0.1)
    service.context.meter.observe('provider_request_seconds', { provider: 'sandbox', call: 'token' }, Number.NaN)
    const id = await connectAccount(service)
    await readToken(service, id)
    const text = await page()
    assert.equal(valueOf(text, 'connector_oauth_refreshes_total{provider="custom",outcome="refreshed"}'), 1)
    for (const word of [slug, id, 'acme', 'ada', spaceId, collectionId]) {
      assert.ok(!text.includes(word), `${word} stands in the metrics`)
    }
  })
})

/** Two that are due, one whose time has not come, and one whose endpoint is left alone for a while. */
async function writeDeliveries(): Promise<void> {
  const now = service.clock.now()
  const at = (seconds: number): Date => new Date(now.getTime() + seconds * 1000)
  await rows(
    service,
    `with hook as (
       insert into webhooks (tenant_id, webhook_id, url, secret, cursor_position, claimed_at, retry_at, created_at, updated_at)
       values ('acme', 'whk_well', 'https://receiver.example', '', 0, $2, null, $1, $1),
              ('acme', 'whk_ill', 'https://receiver.example', '', 0, $2, $4, $1, $1))
     insert into webhook_deliveries
       (tenant_id, webhook_id, event_id, position, event_type, resource_id, status, next_attempt_at, created_at)
     values ('acme', 'whk_well', 'evt_1', 1, 'a.b', 'c', 'pending', $3, $1),
            ('acme', 'whk_well', 'evt_2', 2, 'a.b', 'c', 'pending', $3, $1),
            ('acme', 'whk_well', 'evt_3', 3, 'a.b', 'c', 'pending', $4, $1),
            ('acme', 'whk_ill', 'evt_1', 1, 'a.b', 'c', 'pending', $3, $1)`,
    [now, at(-20), at(-3600), at(3600)],
  )
}
