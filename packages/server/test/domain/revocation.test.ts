import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { after, before, beforeEach, describe, it } from 'node:test'
import { plusMs } from '../../src/core/clock.ts'
import {
  collectionId as toCollectionId,
  connectorId as toConnectorId,
  spaceId as toSpaceId,
  tenantId as toTenantId,
} from '../../src/core/ids.ts'
import { connectorPlace } from '../../src/domain/connector-places.ts'
import { disconnect as disconnectFlow } from '../../src/domain/disconnect.ts'
import { revokeDue } from '../../src/domain/revoke-at-provider.ts'
import { dataKeys } from '../../src/store/data-keys.ts'
import { openDatabase } from '../../src/store/database.ts'
import { claimDueRevocations } from '../../src/store/revocations.ts'
import { heldKeys, UnknownKey } from '../../src/vault/key-encryption-keys.ts'
import { createVault } from '../../src/vault/vault.ts'
import { connectAccount } from '../support/consent.ts'
import { connectorPath, connectorRow, eventTypes, isActive, rows } from '../support/connectors.ts'
import { collectionId, spaceId, startTestService, type CallOptions, type TestService } from '../support/service.ts'

const encryptionKey = randomBytes(32)

// No worker runs here: each test works off what is due when it says so.
let service: TestService
before(async () => {
  service = await startTestService({ env: { ENCRYPTION_KEYS: `test:${encryptionKey.toString('base64')}` } })
})
after(() => service[Symbol.asyncDispose]())
beforeEach(() => {
  service.sandbox.behave({ failRevocationWith: undefined, retryAfter: undefined, down: false })
  service.clock.advance(Date.now() - service.clock.now().getTime())
})

interface Tokens {
  readonly access: string
  readonly refresh: string
}

async function tokensOf(id: string): Promise<Tokens> {
  const row = await connectorRow(service, id)
  const open = async (field: 'access_token' | 'refresh_token') =>
    (await service.context.vault.open(connectorPlace(row, field), row[field] ?? Buffer.alloc(0))).reveal()
  return { access: await open('access_token'), refresh: await open('refresh_token') }
}

async function activeTokens({ access, refresh }: Tokens): Promise<readonly boolean[]> {
  const secret = service.context.settings.deploymentApps.get('sandbox')?.clientSecret?.reveal() ?? ''
  return [await isActive(service, secret, access), await isActive(service, secret, refresh)]
}

interface RevocationView {
  readonly id: string
  readonly status: string
  readonly reason: string | null
}

async function disconnect(id: string, options: CallOptions = {}): Promise<RevocationView> {
  const reply = await service.call('DELETE', connectorPath(id), options)
  const text = await reply.text()
  assert.equal(reply.status, 202, text)
  return (JSON.parse(text) as { data: { revocation: RevocationView } }).data.revocation
}

async function revocation(id: string): Promise<Readonly<Record<string, unknown>>> {
  const [row] = await rows(service, 'select * from revocations where connector_id = $1', [id])
  assert.ok(row)
  return row
}

async function endEvents(id: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return rows(
    service,
    `select event_type, metadata - 'revocation_id' - 'provider_slug' as metadata
     from events
     where resource_id = $1 and event_type like 'connector.revo%'`,
    [id],
  )
}

/** The receipt of a grant whose tokens ended alike. */
const bothTokens = (end: string) => ({ refresh_token: end, access_token: end })

describe('a disconnect', () => {
  it('destroys the sealed tokens before it answers, and keeps them for the revocation alone', async () => {
    const id = await connectAccount(service)
    const rowBefore = await connectorRow(service, id)
    assert.equal((await disconnect(id)).status, 'queued')
    const row = await connectorRow(service, id)
    assert.deepEqual([row.access_token, row.refresh_token], [null, null])
    const queued = await revocation(id)
    assert.notDeepEqual(queued['refresh_token'], rowBefore.refresh_token, 'the token was not sealed for its new place')
    await revokeDue(service.context)
  })

  it('ends the grant at the provider, destroys what was kept for that, and says so once', async () => {
    const id = await connectAccount(service)
    const tokens = await tokensOf(id)
    assert.deepEqual(await activeTokens(tokens), [true, true])
    const { id: revocationId } = await disconnect(id)
    assert.ok((await revokeDue(service.context)) >= 1)
    assert.deepEqual(await activeTokens(tokens), [false, false])
    const ended = await revocation(id)
    assert.deepEqual([ended['status'], ended['access_token'], ended['refresh_token']], ['revoked', null, null])
    assert.deepEqual(await eventTypes(service, id), [
      'connector.connected',
      'connector.disconnected',
      'connector.revoked',
    ])
    assert.equal(await revokeDue(service.context), 0)
    // A second disconnect answers with the first one's end.
    const again = await disconnect(id)
    assert.deepEqual([again.id, again.status], [revocationId, 'revoked'])
    assert.equal((await endEvents(id)).length, 1)
  })

  it('is worked off once when several workers look at once', async () => {
    const ids = [await connectAccount(service), await connectAccount(service), await connectAccount(service)]
    for (const id of ids) await disconnect(id)
    const countBefore = service.sandbox.counts.revocations
    const counts = await Promise.all(Array.from({ length: 6 }, () => revokeDue(service.context)))
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      3,
    )
    assert.equal(service.sandbox.counts.revocations - countBefore, 6, 'two tokens for each connector')
    for (const id of ids) assert.equal((await endEvents(id)).length, 1)
  })
})

it('disconnects although the sealed tokens can be read no more', async () => {
  const id = await connectAccount(service)
  await rows(service, `update connectors set access_token = '\\x0101' where connector_id = $1`, [id])
  const { status, reason } = await disconnect(id)
  assert.deepEqual({ status, reason }, { status: 'failed', reason: 'tokens_unreadable' })
  const row = await connectorRow(service, id)
  assert.deepEqual([row.status, row.access_token, row.refresh_token], ['disconnected', null, null])
  assert.deepEqual(await endEvents(id), [
    { event_type: 'connector.revocation_failed', metadata: { status: 'failed', reason: 'tokens_unreadable' } },
  ])
})

it('disconnects for more tenants at once than there are connections, with no data key read yet', async () => {
  const tenants = Array.from({ length: 25 }, (_, index) => `crowd-${index}`)
  const connected = await Promise.all(
    tenants.map(async (tenant) => {
      const token = await service.token({ tenant })
      return { tenant, id: await connectAccount(service, { token }) }
    }),
  )
  // Another process over the same database has read none of them.
  const other = openDatabase(service.database.databaseUrl)
  const keys = heldKeys([{ id: 'test', key: createSecretKey(encryptionKey) }])
  const vault = createVault(keys, dataKeys(other))
  await Promise.all(
    connected.map(({ tenant, id }) =>
      disconnectFlow(
        { ...service.context, database: other, vault },
        {
          tenantId: toTenantId(tenant),
          issuer: '',
          subject: 'ada',
          rights: new Set(['connectors:manage']),
          spaces: undefined,
          collections: undefined,
          expiresAt: new Date(Date.now() + 3_600_000),
        },
        { spaceId: toSpaceId(spaceId), collectionId: toCollectionId(collectionId), connectorId: toConnectorId(id) },
      ),
    ),
  )
  await other.close()
  let left = 1
  while (left > 0) left = await revokeDue(service.context)
})

describe('a provider that cannot revoke now', () => {
  for (const [what, trouble] of [
    ['answers 503', { failRevocationWith: 503 }],
    ['is down', { down: true }],
  ] as const) {
    it(`is asked again later when it ${what}, until it has`, async () => {
      const id = await connectAccount(service)
      const tokens = await tokensOf(id)
      await disconnect(id)
      service.sandbox.behave(trouble)
      for (const waitMs of [20_000, 40_000, 80_000]) {
        assert.equal(await revokeDue(service.context), 1)
        assert.equal((await revocation(id))['status'], 'queued')
        assert.equal(await revokeDue(service.context), 0, 'asked again at once')
        service.clock.advance(waitMs)
      }
      assert.deepEqual(await endEvents(id), [])
      service.sandbox.behave({ failRevocationWith: undefined, down: false })
      assert.equal(await revokeDue(service.context), 1)
      assert.deepEqual(await activeTokens(tokens), [false, false])
      assert.deepEqual(await endEvents(id), [
        { event_type: 'connector.revoked', metadata: { status: 'revoked', tokens: bothTokens('revoked') } },
      ])
    })
  }

  it('is given the time that Retry-After asks for', async () => {
    const id = await connectAccount(service)
    await disconnect(id)
    service.sandbox.behave({ failRevocationWith: 503, retryAfter: '600' })
    assert.equal(await revokeDue(service.context), 1)
    service.sandbox.behave({ failRevocationWith: undefined })
    service.clock.advance(590_000)
    assert.equal(await revokeDue(service.context), 0)
    service.clock.advance(11_000)
    assert.equal(await revokeDue(service.context), 1)
    assert.equal((await revocation(id))['status'], 'revoked')
  })

  it('is given up after a week, with an event that says why, and the tokens are destroyed', async () => {
    const id = await connectAccount(service)
    await disconnect(id)
    service.sandbox.behave({ failRevocationWith: 503 })
    await revokeDue(service.context)
    service.clock.advance(8 * 24 * 3_600_000)
    await revokeDue(service.context)
    const ended = await revocation(id)
    assert.deepEqual([ended['status'], ended['access_token'], ended['refresh_token']], ['failed', null, null])
    const reason = ended['reason']
    assert.match(String(reason), /503/)
    assert.deepEqual(await endEvents(id), [
      {
        event_type: 'connector.revocation_failed',
        metadata: { status: 'failed', reason, tokens: bothTokens('failed') },
      },
    ])
  })
})

it('says when the provider has no way to revoke', async () => {
  const added = await service.call('POST', '/v1/admin/connector-providers', {
    body: {
      display_name: 'No revocation',
      authorization_url: `${service.sandbox.issuer}/auth`,
      token_url: `${service.sandbox.issuer}/token`,
      client_id: 'x',
      client_secret: 'y',
    },
  })
  const text = await added.text()
  assert.equal(added.status, 201, text)
  const slug = (JSON.parse(text) as { data: { provider_slug: string } }).data.provider_slug
  const imported = await service.call('POST', connectorPath('').replace(/\/$/, ''), {
    body: { provider_slug: slug, credential: { access_token: 'imported-access-token' } },
    headers: { 'idempotency-key': 'no-revocation' },
  })
  const { data } = (await imported.json()) as { data: { id: string } }
  assert.equal(imported.status, 201)
  await disconnect(data.id)
  await revokeDue(service.context)
  assert.deepEqual(await endEvents(data.id), [
    { event_type: 'connector.revocation_failed', metadata: { status: 'unsupported', tokens: {} } },
  ])
})

it('never sends old tokens to a provider app that has changed', async () => {
  const token = await service.token({ tenant: 'changing' })
  const id = await connectAccount(service, { token })
  await disconnect(id, { token })
  const body = { client_id: 'another-app', client_secret: 'another-secret' }
  const changed = await service.call('PATCH', '/v1/admin/connector-providers/sandbox', { token, body })
  assert.equal(changed.status, 200)
  const countBefore = service.sandbox.counts.revocations
  await revokeDue(service.context)
  assert.equal(service.sandbox.counts.revocations, countBefore)
  assert.deepEqual(await endEvents(id), [
    {
      event_type: 'connector.revocation_failed',
      metadata: { status: 'failed', reason: 'provider_app_changed', tokens: {} },
    },
  ])
})

it('is taken up by another worker when one dies over it', async () => {
  const id = await connectAccount(service)
  await disconnect(id)
  const now = service.clock.now()
  const claimed = await claimDueRevocations(service.context.database.system, now, plusMs(now, 60_000), {
    limits: { all: 20, ofTenant: 5, ofTenantAtProvider: 5 },
    underWay: [],
    without: [],
  })
  assert.equal(claimed.length, 1)
  assert.equal(await revokeDue(service.context), 0)
  service.clock.advance(61_000)
  assert.equal(await revokeDue(service.context), 1)
  assert.equal((await revocation(id))['status'], 'revoked')
})

it('is not held up by one whose tokens nobody can read any more', async () => {
  const [broken, good] = [await connectAccount(service), await connectAccount(service)]
  await disconnect(broken)
  await disconnect(good)
  await rows(
    service,
    `update revocations set refresh_token = '\\x0101', next_attempt_at = $2 where connector_id = $1`,
    [broken, new Date(0)],
  )
  assert.equal(await revokeDue(service.context), 2)
  assert.equal((await revocation(good))['status'], 'revoked')
  assert.deepEqual(await endEvents(broken), [
    {
      event_type: 'connector.revocation_failed',
      metadata: { status: 'failed', reason: 'tokens_unreadable', tokens: {} },
    },
  ])
})

it('is not held up by one whose key is missing, which is worked off once the key is back', async () => {
  const token = await service.token({ tenant: 'locked-out' })
  const [locked, good] = [await connectAccount(service, { token }), await connectAccount(service)]
  await disconnect(locked, { token })
  await disconnect(good)
  await rows(service, `update revocations set next_attempt_at = $2 where connector_id = $1`, [locked, new Date(0)])
  const nameKey = (name: string) =>
    rows(service, `update data_keys set key_encryption_key_id = $1 where tenant_id = 'locked-out'`, [name])
  await nameKey('lost')
  const keys = heldKeys([{ id: 'test', key: createSecretKey(encryptionKey) }])
  const restarted = { ...service.context, vault: createVault(keys, dataKeys(service.context.database)) }
  await assert.rejects(revokeDue(restarted), UnknownKey)
  assert.equal((await revocation(good))['status'], 'revoked')
  assert.equal((await revocation(locked))['status'], 'queued')
  await nameKey('test')
  service.clock.advance(61_000)
  assert.equal(await revokeDue(restarted), 1)
  assert.equal((await revocation(locked))['status'], 'revoked')
})
