import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { after, before, it } from 'node:test'
import { dataOf, rows, type Json } from '../http/calls.ts'
import { connectAccount } from '../support/consent.ts'
import { startTestService, type TestService } from '../support/service.ts'
import { runCommand, temporaryFolder } from './command.ts'

let service: TestService
let folder: string
/** An export as a client saved it, and the key that is to be trusted. */
let saved: string
let key: string
before(async () => {
  service = await startTestService()
  folder = await temporaryFolder()
  for (let count = 0; count < 3; count += 1) await connectAccount(service)
  await connectAccount(service, { token: await service.token({ tenant: 'globex' }) })
  for (const tenant of ['globex', 'acme']) {
    const token = await service.token({ tenant })
    saved = await (await service.call('GET', '/v1/admin/audit/export', { token })).text()
  }
  const [first] = await dataOf<readonly Json[]>(await service.call('GET', '/v1/admin/audit/keys'))
  key = String(first?.['public_key'])
})
after(async () => {
  await rm(folder, { recursive: true, force: true })
  await service[Symbol.asyncDispose]()
})

const inDatabase = () => ({ DATABASE_URL: service.database.databaseUrl })
const linesOf = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Json)
/** Production, and nothing that it needs: whatever read settings or a database would fail. */
const offline = { NODE_ENV: 'production' }

async function verifyFile(content: string, ...more: readonly string[]) {
  const file = path.join(folder, 'export.jsonl')
  await writeFile(file, content)
  const { code, stdout } = await runCommand(['audit', 'verify', '--file', file, ...more], offline)
  return { code, told: linesOf(stdout)[0] }
}

it('an export is verified offline, without database or settings: exit code 0 and a summary', async () => {
  const { code, told } = await verifyFile(saved)
  assert.equal(code, 0)
  assert.equal(told?.['verified'], true)
  assert.equal(told['tenant_id'], 'acme')
  assert.ok(Number(told['entries']) > 1 && Number(told['checkpoints']) > 0)
  const pinned = await verifyFile(saved, '--public-key', key, '--tenant', 'acme')
  assert.deepEqual([pinned.code, pinned.told?.['key_is_pinned']], [0, true])
})

it('an export that was touched: exit code 1 and the first position that is wrong', async () => {
  const lines = saved.trimEnd().split('\n')
  const text = (some: readonly string[]) => `${some.join('\n')}\n`
  for (const [content, position, fault] of [
    [text(lines.toSpliced(2, 1)), 2, 'removed'],
    [text(lines.with(1, (lines[1] ?? '').replace('"ada"', '"eve"'))), 1, 'altered'],
    [text(lines.with(1, lines[2] ?? '').with(2, lines[1] ?? '')), 1, 'removed'],
    [text(lines.slice(0, 3)), 3, 'truncated'],
    [text(lines.slice(1)), 0, 'removed'],
    ['', 0, 'truncated'],
    ['nonsense', 0, 'unreadable'],
  ] as const) {
    const { code, told } = await verifyFile(content)
    assert.equal(code, 1, fault)
    assert.deepEqual([told?.['verified'], told?.['position'], told?.['fault']], [false, position, fault])
  }
  const another = await verifyFile(saved, '--public-key', key.replace(/.{5}$/, 'AAAA='))
  assert.deepEqual([another.code, another.told?.['fault']], [1, 'foreign_key'])
  assert.equal((await verifyFile(saved, '--tenant', 'globex')).code, 1)
})

it('a file that is not there: exit code 1', async () => {
  const { code, stderr } = await runCommand(['audit', 'verify', '--file', path.join(folder, 'none')], offline)
  assert.equal(code, 1)
  assert.match(stderr, /no such file/)
})

it('the database is verified, all tenants or one, and names the one that was touched', async () => {
  const all = await runCommand(['audit', 'verify'], inDatabase())
  assert.equal(all.code, 0, all.stderr)
  assert.deepEqual(
    linesOf(all.stdout).map((line) => [line['tenant_id'], line['verified']]),
    [
      ['acme', true],
      ['globex', true],
    ],
  )
  await rows(service, `update audit_entries set actor_id = 'eve' where tenant_id = 'globex' and position = 2`)
  const touched = await runCommand(['audit', 'verify'], inDatabase())
  assert.equal(touched.code, 1)
  const [acme, globex] = linesOf(touched.stdout)
  assert.equal(acme?.['verified'], true)
  assert.deepEqual([globex?.['tenant_id'], globex?.['position'], globex?.['fault']], ['globex', 2, 'altered'])
  assert.equal((await runCommand(['audit', 'verify', '--tenant', 'acme'], inDatabase())).code, 0)
  assert.equal((await runCommand(['audit', 'verify', '--tenant', 'globex'], inDatabase())).code, 1)
})
