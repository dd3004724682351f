import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { readFile, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { after, before, it } from 'node:test'
import { tenantId } from '../../src/core/ids.ts'
import { Secret } from '../../src/core/secret.ts'
import { openDatabase } from '../../src/store/database.ts'
import { dataKeys } from '../../src/store/data-keys.ts'
import { heldKeys } from '../../src/vault/key-encryption-keys.ts'
import { createVault } from '../../src/vault/vault.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'
import { runCommand, temporaryFolder } from './command.ts'

const [first, second] = [randomBytes(32), randomBytes(32)]
const entry = (id: string, bytes: Buffer) => `${id}:${bytes.toString('base64')}`
const production = {
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://connectors.example',
  AUTH_JWT_SECRET: randomBytes(32).toString('base64url'),
  PORT: '0',
}

let database: TestDatabase

before(async () => {
  database = await createTestDatabase()
  await sealOne(first, 'one')
})
after(() => database.drop())

/** Leaves a provider app's secret sealed by a data key under `key`. */
async function sealOne(key: Buffer, id: string): Promise<void> {
  const opened = openDatabase(database.databaseUrl)
  const vault = createVault(heldKeys([{ id, key: createSecretKey(key) }]), dataKeys(opened))
  const place = { purpose: 'provider-app', tenantId: tenantId('acme'), spaceId: '', collectionId: '' } as const
  const sealed = await vault.seal(
    { ...place, subjectId: 'github', field: 'client_secret https://github.com' },
    new Secret('x'),
  )
  const insert = {
    name: 'test.insert',
    text: `insert into provider_apps
             (tenant_id, provider_slug, client_id, client_secret, secret_origin, url_variables, created_at, updated_at)
           values ('acme', 'github', 'app', $1, 'https://github.com', '{}', now(), now())
           on conflict (tenant_id, provider_slug) do update set client_secret = $1`,
  }
  await opened.tenant(tenantId('acme')).query(insert, [sealed])
  await opened.close()
}

function keys(args: readonly string[], encryptionKeys: string) {
  const env = { ...production, DATABASE_URL: database.databaseUrl, ENCRYPTION_KEYS: encryptionKeys }
  return runCommand(['keys', ...args], env)
}

function lines(stdout: string): readonly Record<string, unknown>[] {
  const text = stdout.trim().split('\n')
  return text.map((line) => JSON.parse(line) as Record<string, unknown>)
}

it('keys rotate explains the steps when the first key is the one in use, and changes nothing', async () => {
  const { code, stdout, stderr } = await keys(['rotate'], entry('one', first))
  assert.equal(code, 1)
  assert.equal(stdout, '')
  assert.match(stderr, /one, is the key in use[\s\S]*keys generate[\s\S]*restart every process[\s\S]*--data-keys-only/)
  const { stdout: status } = await keys(['status'], entry('one', first))
  assert.deepEqual(lines(status), [
    { key_id: 'one', state: 'wraps', data_keys: 1 },
    { epoch: 1, data_keys: 1, left_to_reseal: 0 },
  ])
})

it('keys rotate --data-keys-only adds data keys under the key in use', async () => {
  const { code, stdout } = await keys(['rotate', '--data-keys-only'], entry('one', first))
  assert.equal(code, 0)
  assert.deepEqual(lines(stdout).at(-1), { step: 'done', retired: [], left_to_reseal: 1 })
  const { stdout: status } = await keys(['status'], entry('one', first))
  assert.deepEqual(lines(status), [
    { key_id: 'one', state: 'wraps', data_keys: 2 },
    { epoch: 1, data_keys: 1, left_to_reseal: 1 },
    { epoch: 2, data_keys: 1, left_to_reseal: 0 },
  ])
})

it('keys rotate --wait takes up the new first key and leaves nothing under an older data key', async () => {
  const { code, stdout, stderr } = await keys(['rotate', '--wait'], `${entry('two', second)},${entry('one', first)}`)
  assert.equal(code, 0, stderr)
  const told = lines(stdout)
  assert.deepEqual(told[0], { step: 'ordered', key_id: 'two' })
  assert.deepEqual(told.at(-1), { step: 'done', retired: ['one'], left_to_reseal: 0 })
  for (const bytes of [first, second]) assert.ok(!stdout.includes(bytes.toString('base64')))
  const { stdout: status } = await keys(['status'], `${entry('two', second)},${entry('one', first)}`)
  assert.deepEqual(lines(status).slice(0, 2), [
    { key_id: 'two', state: 'wraps', data_keys: 3 },
    { key_id: 'one', state: 'retired', data_keys: 0 },
  ])
})

it('a retired key that comes first ends every start with 78; one without the current key is told so', async () => {
  const refused = await keys(['rotate'], `${entry('one', first)},${entry('two', second)}`)
  assert.equal(refused.code, 78)
  assert.match(refused.stderr, /ENCRYPTION_KEYS: the first key, one, is retired/)
  for (const role of ['all', 'worker']) {
    const started = await runCommand(['serve', '--role', role], {
      ...production,
      DATABASE_URL: database.databaseUrl,
      ENCRYPTION_KEYS: entry('one', first),
    })
    assert.equal(started.code, 78, started.stderr)
    assert.match(started.stderr, /ENCRYPTION_KEYS: the first key, one, is retired/)
  }
})

it('keys rotate makes the new key itself in development, and the old one stays second', async () => {
  const folder = await temporaryFolder()
  const own = await createTestDatabase()
  const file = path.join(folder, 'encryption-key')
  const env = { DATABASE_URL: own.databaseUrl, DATA_DIR: folder }
  try {
    for (const [turn, id] of ['development-2', 'development-3'].entries()) {
      const earlier = turn === 0 ? '' : await readFile(file, 'utf8')
      const { code, stdout, stderr } = await runCommand(['keys', 'rotate'], env)
      assert.equal(code, 0, stderr)
      assert.deepEqual(lines(stdout)[0], { step: 'ordered', key_id: id })
      const now = await readFile(file, 'utf8')
      assert.ok(now.startsWith(`${id}:`))
      assert.ok(now.endsWith(earlier))
      assert.equal((await stat(file)).mode & 0o777, 0o600)
    }
    const { stdout } = await runCommand(['keys', 'status'], env)
    assert.deepEqual(lines(stdout)[0], { key_id: 'development-3', state: 'wraps', data_keys: 0 })
  } finally {
    await own.drop()
    await rm(folder, { recursive: true, force: true })
  }
})
