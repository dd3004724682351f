import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { connectorPlace } from '../../src/domain/connector-places.ts'
import { connectAccount } from '../support/consent.ts'
import { connectorPath, connectorRow, eventTypes, readToken, rows, until } from '../support/connectors.ts'
import { startTestService, type TestService } from '../support/service.ts'

/** The sandbox's access tokens live this long. */
const lifetimeMs = 120_000
const expired = lifetimeMs + 1_000
/** Within the minute that a handed-out token must have left, and before its end. */
const endingSoon = lifetimeMs - 30_000

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())
beforeEach(() => {
  // Back to the present: the sandbox's ID tokens would be too old for a clock that is an hour ahead.
  service.clock.advance(Date.now() - service.clock.now().getTime())
  service.sandbox.behave({ failTokenWith: undefined, retryAfter: undefined, replyAfterMs: 0, down: false })
})

/** Opens a sealed token of the row, as nobody outside can. */
async function storedToken(id: string, field: 'access_token' | 'refresh_token'): Promise<string> {
  const row = await connectorRow(service, id)
  const sealed = row[field]
  assert.ok(sealed)
  return (await service.context.vault.open(connectorPlace(row, field), sealed)).reveal()
}

function requests(): number {
  return service.sandbox.counts.tokenRequests
}

/** Reads a token while the sandbox keeps its reply to the refresh, does `work`, and answers what the reader got. */
async function whileRefreshing(id: string, work: () => Promise<void>) {
  service.clock.advance(expired)
  const refreshesBefore = service.sandbox.counts.refreshes
  service.sandbox.behave({ replyAfterMs: 1_000 })
  const reading = readToken(service, id)
  await until(() => service.sandbox.counts.refreshes > refreshesBefore)
  service.sandbox.behave({ replyAfterMs: 0 })
  await work()
  return reading
}

describe('a refresh that fails for now', () => {
  it('is tried again after a wait that doubles up to a quarter of an hour, and not before', async () => {
    const id = await connectAccount(service)
    service.clock.advance(expired)
    service.sandbox.behave({ failTokenWith: 503 })
    for (let failures = 0; failures < 10; failures += 1) {
      const countBefore = requests()
      const first = await readToken(service, id)
      assert.equal(first.status, 503)
      assert.equal(first.code, 'provider_unavailable')
      const longest = Math.min(900, 5 * 2 ** failures)
      assert.ok(first.retryAfterSeconds >= Math.floor(longest / 2), `${first.retryAfterSeconds} after ${failures}`)
      assert.ok(first.retryAfterSeconds <= longest, `${first.retryAfterSeconds} after ${failures}`)
      assert.equal((await readToken(service, id)).status, 503)
      assert.equal(requests() - countBefore, 1, 'asked again before its time')
      service.clock.advance(first.retryAfterSeconds * 1000)
    }
    service.sandbox.behave({ failTokenWith: undefined })
    assert.equal((await readToken(service, id)).status, 200)
    assert.equal((await connectorRow(service, id)).refresh_failures, 0)
  })

  for (const [what, retryAfter] of [
    ['seconds', () => '300'],
    ['a date', () => new Date(service.clock.now().getTime() + 300_000).toUTCString()],
  ] as const) {
    it(`waits as long as Retry-After says, in ${what}`, async () => {
      const id = await connectAccount(service)
      service.clock.advance(expired)
      service.sandbox.behave({ failTokenWith: 429, retryAfter: retryAfter() })
      const { status, retryAfterSeconds } = await readToken(service, id)
      assert.equal(status, 503)
      assert.ok(retryAfterSeconds >= 298 && retryAfterSeconds <= 300, String(retryAfterSeconds))
      service.sandbox.behave({ failTokenWith: undefined })
      const countBefore = requests()
      service.clock.advance(290_000)
      assert.equal((await readToken(service, id)).status, 503)
      assert.equal(requests(), countBefore)
      service.clock.advance(11_000)
      assert.equal((await readToken(service, id)).status, 200)
    })
  }

  it('hands out the token that is still valid, and says once that it degraded and once that it recovered', async () => {
    const id = await connectAccount(service)
    const { accessToken } = await readToken(service, id)
    service.clock.advance(endingSoon)
    service.sandbox.behave({ failTokenWith: 503 })
    for (let round = 0; round < 3; round += 1) {
      assert.deepEqual(await readToken(service, id), {
        status: 200,
        accessToken,
        code: undefined,
        retryAfterSeconds: 0,
      })
      assert.equal((await connectorRow(service, id)).status, 'degraded')
      service.clock.advance(round === 0 ? 6_000 : 11_000)
    }
    service.clock.advance(20_000)
    service.sandbox.behave({ failTokenWith: undefined })
    const fresh = await readToken(service, id)
    assert.equal(fresh.status, 200)
    assert.notEqual(fresh.accessToken, accessToken)
    await readToken(service, id)
    assert.equal((await connectorRow(service, id)).status, 'active')
    const types = (await eventTypes(service, id)).filter((type) => type.startsWith('connector.'))
    assert.deepEqual(types, ['connector.connected', 'connector.degraded', 'connector.recovered'])
  })

  it('never ends a connection, whatever the provider answers', async () => {
    for (const trouble of [{ failTokenWith: 500 }, { failTokenWith: 404 }, { failTokenWith: 429 }]) {
      const id = await connectAccount(service)
      service.clock.advance(expired)
      service.sandbox.behave(trouble)
      assert.equal((await readToken(service, id)).status, 503)
      assert.equal((await connectorRow(service, id)).status, 'degraded')
      service.sandbox.behave({ failTokenWith: undefined })
      service.clock.advance(10_000)
      assert.equal((await readToken(service, id)).status, 200)
    }
  })
})

describe('a grant that is lost', () => {
  it('asks for a person, once, and is not asked about again', async () => {
    const id = await connectAccount(service)
    service.sandbox.revokeEverything()
    service.clock.advance(expired)
    for (let round = 0; round < 3; round += 1) {
      const countBefore = requests()
      const { status, code } = await readToken(service, id)
      assert.deepEqual({ status, code }, { status: 409, code: 'reauth_required' })
      assert.equal(requests() - countBefore, round === 0 ? 1 : 0)
      service.clock.advance(3_600_000)
    }
    const row = await connectorRow(service, id)
    assert.deepEqual([row.status, row.status_reason], ['reauth_required', 'invalid_grant'])
    assert.deepEqual(await eventTypes(service, id), ['connector.connected', 'connector.reauth_required'])
  })

  it('is mended by a reconnect in place', async () => {
    const id = await connectAccount(service)
    service.sandbox.revokeEverything()
    service.clock.advance(expired)
    assert.equal((await readToken(service, id)).status, 409)
    assert.equal(await connectAccount(service, { query: { connector_id: id } }), id)
    assert.equal((await readToken(service, id)).status, 200)
    assert.equal((await connectorRow(service, id)).status_reason, null)
  })
})

describe('a refresh under way', () => {
  it('loses against a reconnect', async () => {
    const id = await connectAccount(service)
    let reconnected = ''
    const reading = await whileRefreshing(id, async () => {
      await connectAccount(service, { query: { connector_id: id } })
      reconnected = await storedToken(id, 'access_token')
    })
    assert.equal(reading.accessToken, reconnected, 'the reader got another token than the reconnect’s')
    assert.equal(await storedToken(id, 'access_token'), reconnected)
    service.clock.advance(expired)
    assert.equal((await readToken(service, id)).status, 200)
    assert.equal(service.sandbox.counts.reuseDetections, 0)
  })

  it('loses against a disconnect, which is final, and what it brought is given back', async () => {
    const id = await connectAccount(service)
    const countBefore = service.sandbox.counts.revocations
    const reading = await whileRefreshing(id, async () => {
      assert.equal((await service.call('DELETE', connectorPath(id))).status, 202)
    })
    assert.deepEqual([reading.status, reading.code], [409, 'connector_disconnected'])
    const row = await connectorRow(service, id)
    assert.deepEqual([row.status, row.access_token, row.refresh_token], ['disconnected', null, null])
    // No worker runs here: these are the new tokens, which no revocation has heard of.
    assert.equal(service.sandbox.counts.revocations - countBefore, 2)
  })

  it('does not undo a pause', async () => {
    const id = await connectAccount(service)
    const reading = await whileRefreshing(id, async () => {
      const reply = await service.call('PATCH', connectorPath(id), { body: { paused: true } })
      assert.equal(reply.status, 200)
    })
    assert.deepEqual([reading.status, reading.code], [409, 'connector_paused'])
    await service.call('PATCH', connectorPath(id), { body: { paused: false } })
    const countBefore = service.sandbox.counts.refreshes
    assert.equal((await readToken(service, id)).status, 200)
    assert.equal(service.sandbox.counts.refreshes, countBefore, 'the refresh was stored meanwhile')
  })
})

it('never shows a refresh token to a provider app that has changed', async () => {
  const token = await service.token({ tenant: 'changing' })
  const id = await connectAccount(service, { token })
  const path = '/v1/admin/connector-providers/sandbox'
  const body = { client_id: 'another-app', client_secret: 'another-secret' }
  assert.equal((await service.call('PATCH', path, { token, body })).status, 200)
  service.clock.advance(expired)
  const countBefore = requests()
  const renewed = await service.token({ tenant: 'changing' })
  const { status, code } = await readToken(service, id, { token: renewed })
  assert.deepEqual({ status, code }, { status: 409, code: 'reauth_required' })
  assert.equal(requests(), countBefore)
  assert.equal((await connectorRow(service, id)).status_reason, 'provider_app_changed')
})

it('asks for a person when the sealed tokens can be read no more', async () => {
  const id = await connectAccount(service)
  await rows(service, `update connectors set refresh_token = '\\x0101' where connector_id = $1`, [id])
  service.clock.advance(expired)
  const countBefore = requests()
  const { status, code } = await readToken(service, id)
  assert.deepEqual({ status, code }, { status: 409, code: 'reauth_required' })
  assert.equal(requests(), countBefore)
  assert.equal((await connectorRow(service, id)).status_reason, 'tokens_unreadable')
})

it('refreshes once when every token lives shorter than the caller asks', async () => {
  const id = await connectAccount(service)
  const countBefore = service.sandbox.counts.refreshes
  const { status, accessToken } = await readToken(service, id, { query: '?min_ttl=3600' })
  assert.equal(status, 200)
  assert.equal(accessToken, await storedToken(id, 'access_token'))
  assert.equal(service.sandbox.counts.refreshes - countBefore, 1)
})

it('has the new refresh token stored before anyone sees the new access token', async () => {
  const id = await connectAccount(service)
  const old = await storedToken(id, 'refresh_token')
  service.clock.advance(expired)
  const { accessToken } = await readToken(service, id)
  assert.equal(await storedToken(id, 'access_token'), accessToken)
  assert.notEqual(await storedToken(id, 'refresh_token'), old)
})

it('keeps the refresh token when the reply brings none', async () => {
  await using google = await startTestService({ sandbox: { quirk: 'no-refresh-token-on-refresh' } })
  const id = await connectAccount(google)
  const sealedBefore = (await connectorRow(google, id)).refresh_token
  const seen = new Set<string | undefined>()
  for (let round = 0; round < 3; round += 1) {
    google.clock.advance(expired)
    const { status, accessToken } = await readToken(google, id)
    assert.equal(status, 200)
    seen.add(accessToken)
  }
  assert.equal(seen.size, 3)
  assert.deepEqual((await connectorRow(google, id)).refresh_token, sealedBefore)
})
