import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { createSecretKey, randomBytes } from 'node:crypto'
import { after, before, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { tenantId } from '../../src/core/ids.ts'
import { Secret } from '../../src/core/secret.ts'
import { connectorPlace } from '../../src/domain/connector-places.ts'
import { openDatabase } from '../../src/store/database.ts'
import { dataKeys } from '../../src/store/data-keys.ts'
import { heldKeys, UnknownKey } from '../../src/vault/key-encryption-keys.ts'
import { createVault, type Vault } from '../../src/vault/vault.ts'
import { compileCache } from '../support/compile-cache.ts'
import { connectorPath } from '../support/connectors.ts'
import { collectionId, spaceId } from '../support/service.ts'
import { deploymentOf, type Deployment, type ServiceProcess } from '../support/service-process.ts'
import { sized } from '../support/size.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

/** Each with two sealed tokens. */
const connectors = sized(5_000, 50_000)
const tenants = ['acme', 'bravo', 'charlie', 'delta']
const readers = 2
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const [oldKey, newKey] = [randomBytes(32), randomBytes(32)]
const [oldEntry, newEntry] = [`old:${oldKey.toString('base64')}`, `new:${newKey.toString('base64')}`]

let database: TestDatabase
let admin: pg.Client
let deployment: Deployment
let rolledOut: Deployment
let api: readonly ServiceProcess[]
let worker: ServiceProcess

before(async () => {
  database = await createTestDatabase()
  admin = new pg.Client({ connectionString: database.adminUrl })
  await admin.connect()
  await fill()
  deployment = deploymentOf(database.databaseUrl, { ENCRYPTION_KEYS: `${newEntry},${oldEntry}` })
  // One process has the new key, but not first: the roll-out has not reached it in full.
  rolledOut = deploymentOf(database.databaseUrl, { ...deployment.env, ENCRYPTION_KEYS: `${oldEntry},${newEntry}` })
  api = await Promise.all([deployment.start('api'), rolledOut.start('api')])
  worker = await deployment.start('worker')
})
after(async () => {
  for (const process of [...api, worker]) await process[Symbol.asyncDispose]()
  await admin.end()
  await database.drop()
})

function vaultWith(id: string, key: Buffer) {
  const opened = openDatabase(database.databaseUrl)
  const vault = createVault(heldKeys([{ id, key: createSecretKey(key) }]), dataKeys(opened))
  return { vault, close: () => opened.close() }
}

const idOf = (index: number): string => `conn_${index}`
const tenantOf = (index: number): string => tenants[index % tenants.length] ?? 'acme'
const placeOf = (index: number, field: 'access_token' | 'refresh_token') =>
  connectorPlace(
    { tenant_id: tenantOf(index), space_id: spaceId, collection_id: collectionId, connector_id: idOf(index) },
    field,
  )

/** Connectors as a connection leaves them, sealed by the vault itself under the old key. */
async function fill(): Promise<void> {
  const { vault, close } = vaultWith('old', oldKey)
  const indexes = Array.from({ length: connectors }, (_, index) => index)
  const seal = (field: 'access_token' | 'refresh_token') =>
    Promise.all(indexes.map((index) => vault.seal(placeOf(index, field), new Secret(`${field} ${index}`))))
  const values = [indexes.map(tenantOf), indexes.map(idOf), await seal('access_token'), await seal('refresh_token')]
  await admin.query(
    `insert into connectors
       (tenant_id, connector_id, space_id, collection_id, provider_slug, context_id, principal_issuer,
        principal_subject, health, requested_scopes, granted_scopes, access_token, refresh_token, token_type,
        created_at, updated_at, tokens_granted_at)
     select given.tenant, given.id, '${spaceId}', '${collectionId}', 'github', 'context', '', 'ada', 'active', '{}',
            '{}', given.access, given.refresh, 'Bearer', now(), now(), now()
     from unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[]) as given (tenant, id, access, refresh)`,
    values,
  )
  await close()
}

/** Values that the first data keys sealed. */
async function left(): Promise<number> {
  const { rows } = await admin.query<{ left: number }>(
    `select (count(*) filter (where substring(access_token from 6 for 1) = '\\x01')
             + count(*) filter (where substring(refresh_token from 6 for 1) = '\\x01'))::int as left
     from connectors`,
  )
  return rows[0]?.left ?? 0
}

/** Reads at every process without a pause until told to stop; every answer must be the right token. */
function startReading() {
  const state = { isOver: false, reads: 0, failures: [] as string[] }
  const tokens = new Map<string, string>()
  const read = async (reader: number): Promise<void> => {
    for (let turn = reader; !state.isOver; turn += readers) {
      const index = (turn * 7_919) % connectors
      const service = api[turn % api.length]
      assert.ok(service)
      const token = tokens.get(tenantOf(index)) ?? (await deployment.token({ tenant: tenantOf(index) }))
      tokens.set(tenantOf(index), token)
      const reply = await service.call('POST', connectorPath(idOf(index), '/token'), { token })
      const text = await reply.text()
      state.reads += 1
      if (!text.includes(`"access_token ${index}"`)) state.failures.push(`${reply.status} ${text}`)
    }
  }
  const reading = Promise.all(Array.from({ length: readers }, (_, reader) => read(reader)))
  return {
    state,
    async stop() {
      state.isOver = true
      await reading
    },
  }
}

function command(...args: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<number | null> } {
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...compileCache, ...deployment.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  child.stdout?.resume()
  return { child, ended: new Promise((resolve) => child.once('close', (code) => resolve(code))) }
}

async function until(happened: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + sized(120_000, 1_200_000)
  while (!(await happened())) {
    assert.ok(Date.now() < deadline, 'it did not happen')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function everyValueOpens(vault: Vault): Promise<void> {
  const { rows } = await admin.query<{ connector_id: string; access_token: Buffer; refresh_token: Buffer }>(
    'select connector_id, access_token, refresh_token from connectors',
  )
  assert.equal(rows.length, connectors)
  for (const row of rows) {
    const index = Number(row.connector_id.slice('conn_'.length))
    for (const field of ['access_token', 'refresh_token'] as const) {
      assert.equal((await vault.open(placeOf(index, field), row[field])).reveal(), `${field} ${index}`)
    }
  }
}

it('rotates under load and through three kills without one failed read, and then refuses the old key', async () => {
  const all = 2 * connectors
  assert.equal(await left(), all)
  const reading = startReading()
  await until(async () => reading.state.reads > 200)

  const first = command('keys', 'rotate', '--wait')
  await until(async () => (await left()) < all * 0.9)
  first.child.kill('SIGKILL')
  await first.ended
  assert.ok((await left()) > 0, 'it was killed too late to show anything')

  const second = command('keys', 'rotate', '--wait')
  await until(async () => (await left()) < all * 0.6)
  second.child.kill('SIGKILL')
  await worker.kill('SIGKILL')
  await second.ended
  const atLastKill = await left()
  assert.ok(atLastKill > 0, 'they were killed too late to show anything')

  await worker.restart()
  await until(async () => (await left()) === 0)
  const readsBefore = reading.state.reads
  await until(async () => reading.state.reads > readsBefore + 200)
  await reading.stop()
  assert.deepEqual(reading.state.failures, [])
  console.log(JSON.stringify({ values: all, reads: reading.state.reads }))

  const renewed = vaultWith('new', newKey)
  await everyValueOpens(renewed.vault)
  await renewed.close()

  const outdated = vaultWith('old', oldKey)
  const { rows } = await admin.query<{ access_token: Buffer }>(
    `select access_token from connectors where connector_id = 'conn_0' and tenant_id = 'acme'`,
  )
  assert.ok(rows[0])
  await assert.rejects(outdated.vault.open(placeOf(0, 'access_token'), rows[0].access_token), UnknownKey)
  await assert.rejects(outdated.vault.prepare(tenantId('newcomer')), /retired/)
  await outdated.close()
  const status = await deployment.command('keys', 'status')
  assert.match(status, /\{"key_id":"old","state":"retired","data_keys":0\}/)
  await assert.rejects(
    deploymentOf(database.databaseUrl, { ...deployment.env, ENCRYPTION_KEYS: oldEntry }).start(),
    (error: Error) => error.message.includes('the first key, old, is retired'),
  )
})
