import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { after, before, it } from 'node:test'
import { connectorPlace } from '../../src/domain/connector-places.ts'
import type { ConnectorRow, DataKeyRow } from '../../src/store/rows.ts'
import { heldKeys } from '../../src/vault/key-encryption-keys.ts'
import { createVault, SealBroken } from '../../src/vault/vault.ts'
import { connectorRow, rows } from '../support/connectors.ts'
import { dumpDatabase } from '../support/dump.ts'
import { startHostileProvider, type HostileProvider } from '../support/hostile-provider.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'
import { runCommand, type CommandResult } from './command.ts'

const encryptionKey = randomBytes(32)

let provider: HostileProvider
let service: TestService
let env: Readonly<Record<string, string>>
before(async () => {
  provider = await startHostileProvider()
  env = {
    ENCRYPTION_KEYS: `k1:${encryptionKey.toString('base64')}`,
    ALLOWED_PRIVATE_HOSTS: provider.host,
    PUBLIC_URL: 'https://connectors.example',
  }
  service = await startTestService({ env })
})
after(async () => {
  await service[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
})

/** Gives a tenant something of everything that a day's use leaves behind. */
async function liveIn(tenant: string, connectors: number): Promise<readonly string[]> {
  const token = await service.token({ tenant })
  const send = async (method: string, path: string, status: number, more: object = {}) => {
    const reply = await service.call(method, path, { token, ...more })
    const text = await reply.text()
    assert.equal(reply.status, status, text)
    return (JSON.parse(text) as { data: Record<string, string> }).data
  }
  const { origin } = provider
  const added = await send('POST', '/v1/admin/connector-providers', 201, {
    body: {
      display_name: 'Its own',
      authorization_url: `${origin}/auth`,
      token_url: `${origin}/token`,
      revocation_url: `${origin}/revoke`,
      client_id: 'client',
      client_secret: 'secret',
    },
  })
  const base = `/v1/spaces/${spaceId}/collections/${collectionId}/connectors`
  const ids = Array.from({ length: connectors }, (_, index) => `conn_${tenant}_${index}`)
  for (const id of ids) {
    const credential = { access_token: `access-of-${id}`, refresh_token: `refresh-of-${id}` }
    const body = { provider_slug: added['provider_slug'], connector_id: id, credential }
    await send('POST', base, 201, { body, headers: { 'idempotency-key': id } })
  }
  await send('POST', '/v1/connectors/oauth/sandbox/sessions', 201, {
    body: { space_id: spaceId, collection_id: collectionId },
  })
  await send('POST', '/v1/admin/revocations', 202, { body: { principal_id: 'nobody' } })
  const lease = { methods: ['GET'], paths: ['/**'], ttl_seconds: 60 }
  await send('POST', `${base}/${ids[0]}/leases`, 201, { body: lease })
  await rows(service, `insert into redirect_uris values ($1, 'https://a.example', 'landing', null)`, [tenant])
  await service.context.activity.flush()
  return ids
}

const erase = (tenant: string, ...more: readonly string[]): Promise<CommandResult> =>
  runCommand(['tenant', 'erase', tenant, ...more], { ...env, DATABASE_URL: service.database.databaseUrl })

/** The rows of a tenant in every table that has any, found another way than the command finds them. */
async function rowsOf(tenant: string): Promise<Readonly<Record<string, number>>> {
  const tables = await rows(
    service,
    `select c.table_name as name
     from information_schema.columns c
     join information_schema.tables t using (table_schema, table_name)
     where c.column_name = 'tenant_id' and c.table_schema = 'public' and t.table_type = 'BASE TABLE'`,
  )
  const found: Record<string, number> = {}
  for (const { name } of tables) {
    const table = String(name)
    const [row] = await rows(service, `select count(*)::int as n from "${table}" where tenant_id = $1`, [tenant])
    if (Number(row?.['n']) > 0) found[table] = Number(row?.['n'])
  }
  return found
}

const lastLine = (result: CommandResult) =>
  JSON.parse(result.stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>

it('shows what it would destroy and destroys nothing without --yes, off a terminal', async () => {
  await liveIn('unsure', 1)
  const held = await rowsOf('unsure')
  const result = await erase('unsure')
  assert.equal(result.code, 2, result.stderr)
  assert.match(result.stderr, /--yes/)
  const found = lastLine(result)
  assert.deepEqual([found['step'], found['connected'], found['rows']], ['found', 1, held])
  assert.deepEqual(await rowsOf('unsure'), held)
})

it('revokes at the provider, then leaves no trace of the tenant in any table, and touches no other tenant', async () => {
  provider.answer('/revoke', { status: 200, text: '' })
  await rows(service, 'create table planted (tenant_id text primary key)')
  await rows(service, `alter table planted owner to ${new URL(service.database.databaseUrl).username}`)
  const ids = await liveIn('doomed', 7)
  await rows(service, `insert into planted values ('doomed'), ('bystander')`)
  await liveIn('bystander', 2)
  const bystander = await rowsOf('bystander')
  const held = await rowsOf('doomed')
  for (const table of ['connectors', 'data_keys', 'planted', 'events', 'leases', 'mass_revocations', 'transactions']) {
    assert.ok(held[table], `the test does not fill ${table}`)
  }
  const result = await erase('doomed', '--yes')
  assert.equal(result.code, 0, result.stderr)
  for (const id of ids) {
    for (const kind of ['access', 'refresh']) {
      const asked = provider.seenAt('/revoke').filter(({ body }) => body.includes(`token=${kind}-of-${id}&`))
      assert.equal(asked.length, 1, `${kind} token of ${id}`)
    }
  }
  assert.deepEqual(await rowsOf('doomed'), {})
  assert.deepEqual(await rowsOf('bystander'), bystander)
  for (const [table, text] of await dumpDatabase(service.database.adminUrl)) {
    assert.ok(!text.includes('doomed'), `${table} still names the tenant`)
  }
  const receipt = lastLine(result)
  assert.deepEqual(
    [receipt['step'], receipt['disconnected'], receipt['revocations'], receipt['rows_left']],
    ['erased', 7, { revoked: 7, unsupported: 0, failed: 0, untold: 0 }, 0],
  )
  assert.deepEqual((receipt['rows'] as Record<string, number>)['planted'], 1)
  const again = await erase('doomed', '--yes')
  assert.equal(again.code, 0)
  assert.deepEqual(lastLine(again)['rows'], {})
})

it('gives up a provider that is down at the deadline, says so, and erases all the same', async () => {
  await liveIn('impatient', 2)
  provider.answer('/revoke', { status: 503, text: '' })
  const began = Date.now()
  const result = await erase('impatient', '--yes', '--wait', '2s')
  assert.equal(result.code, 0, result.stderr)
  assert.ok(Date.now() - began >= 2_000)
  assert.deepEqual((lastLine(result)['revocations'] as Record<string, number>)['untold'], 2)
  assert.match(result.stderr, /2 grants could not be revoked in time/)
  assert.deepEqual(await rowsOf('impatient'), {})
})

it('makes a backup unreadable whose data keys were kept apart and are copied anew after it', async () => {
  provider.answer('/revoke', { status: 200, text: '' })
  const [id] = await liveIn('backed-up', 1)
  const backup = await connectorRow(service, id ?? '')
  const dataKeys = () => rows(service, `select * from data_keys where tenant_id = 'backed-up'`)
  const oldKeys = await dataKeys()
  assert.equal((await erase('backed-up', '--yes')).code, 0)
  assert.equal((await openWith(backup, oldKeys)).reveal(), `access-of-${id}`, 'the test opens it the wrong way')
  await assert.rejects(openWith(backup, await dataKeys()), SealBroken)
})

/** Opens a backed-up connector's access token with a copy of the table of data keys. */
async function openWith(backup: ConnectorRow, copy: readonly Readonly<Record<string, unknown>>[]) {
  const stored = (copy as unknown as readonly DataKeyRow[]).map((row) => ({
    epoch: row.epoch,
    keyId: row.key_encryption_key_id,
    wrapped: row.wrapped,
    createdAt: row.created_at,
  }))
  const unexpected = () => Promise.reject(new Error('nothing is written to a backup'))
  const store = {
    newest: async () => stored.at(-1),
    find: async (_tenant: string, epoch: number) => stored.find((key) => key.epoch === epoch),
    add: unexpected,
    isRetired: async () => false,
    countEncryptions: async () => {},
  }
  const vault = createVault(heldKeys([{ id: 'k1', key: createSecretKey(encryptionKey) }]), store)
  assert.ok(backup.access_token)
  return vault.open(connectorPlace(backup, 'access_token'), backup.access_token)
}
