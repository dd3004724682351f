import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { after, before, it } from 'node:test'
import { compileCache } from '../support/compile-cache.ts'
import { connectorRow, readToken, rows, until } from '../support/connectors.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'
import { runCommand, temporaryFolder, type CommandResult } from './command.ts'

let service: TestService
let env: Readonly<Record<string, string>>
let folder: string
before(async () => {
  const shared = {
    ENCRYPTION_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    PUBLIC_URL: 'https://connectors.example',
    PROVIDER_GITHUB_CLIENT_ID: 'client',
    PROVIDER_GITHUB_CLIENT_SECRET: 'secret',
  }
  service = await startTestService({ env: shared })
  env = { ...shared, DATABASE_URL: service.database.databaseUrl }
  folder = await temporaryFolder()
})
after(async () => {
  await service[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const account = (id: string, more: object = {}) => ({
  space_id: spaceId,
  collection_id: collectionId,
  provider_slug: 'github',
  connector_id: id,
  access_token: `access-of-${id}`,
  ...more,
})

async function fileOf(name: string, content: string): Promise<string> {
  const file = path.join(folder, name)
  await writeFile(file, content)
  return file
}

const jsonLines = (name: string, lines: readonly object[]) =>
  fileOf(name, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))

async function runImport(
  file: string,
  ...more: readonly string[]
): Promise<CommandResult & { readonly counts: unknown }> {
  const result = await runCommand(['import', file, ...more], env)
  const last = result.stdout.trim().split('\n').at(-1) ?? ''
  return { ...result, counts: last.startsWith('{') ? JSON.parse(last) : undefined }
}

const asAda = ['--tenant', 'acme', '--sub', 'ada']

it('takes accounts over from JSON lines, once however often it is run', async () => {
  const file = await jsonLines('accounts.jsonl', [
    account('conn_j1', {
      refresh_token: 'refresh-1',
      expires_at: '2027-01-01T00:00:00Z',
      scopes: ['repo'],
      display_name: 'One',
    }),
    account('conn_j2', { tenant_id: 'umbrella', principal_id: 'bea' }),
  ])
  const dry = await runImport(file, ...asAda, '--dry-run')
  assert.deepEqual([dry.code, dry.counts], [0, { step: 'would import', lines: 2, new: 2, present: 0, refused: 0 }])
  assert.equal((await rows(service, 'select 1 from connectors')).length, 0)
  const real = await runImport(file, ...asAda)
  assert.deepEqual([real.code, real.counts], [0, { step: 'imported', lines: 2, new: 2, present: 0, refused: 0 }])
  const again = await runImport(file, ...asAda)
  assert.deepEqual([again.code, again.counts], [0, { step: 'imported', lines: 2, new: 0, present: 2, refused: 0 }])
  const row = await connectorRow(service, 'conn_j1')
  assert.deepEqual([row.tenant_id, row.principal_subject, row.display_name], ['acme', 'ada', 'One'])
  assert.equal((await readToken(service, 'conn_j1')).accessToken, 'access-of-conn_j1')
  const other = await connectorRow(service, 'conn_j2')
  assert.deepEqual([other.tenant_id, other.principal_subject], ['umbrella', 'bea'])
})

it('takes accounts over from CSV, with quotes, empty cells and a byte order mark', async () => {
  const csv = [
    '\uFEFFconnector_id,space_id,collection_id,provider_slug,access_token,refresh_token,scopes,display_name',
    `conn_c1,${spaceId},${collectionId},github,access-of-conn_c1,,repo gist,"Ada, of ""Acme"""`,
    '',
    `conn_c2,${spaceId},${collectionId},github,access-of-conn_c2,refresh-2,,`,
  ].join('\r\n')
  const { code, counts } = await runImport(await fileOf('accounts.csv', csv), ...asAda)
  assert.deepEqual([code, counts], [0, { step: 'imported', lines: 2, new: 2, present: 0, refused: 0 }])
  const row = await connectorRow(service, 'conn_c1')
  assert.deepEqual(
    [row.display_name, row.granted_scopes, row.refresh_token],
    ['Ada, of "Acme"', ['repo', 'gist'], null],
  )
})

it('names every bad line by its number, repeats nothing of it, and does nothing', async () => {
  const secret = 'a-secret-that-nobody-may-see'
  const file = await fileOf(
    'bad.jsonl',
    [
      JSON.stringify(account('conn_b1')),
      JSON.stringify(account('conn_b2', { space_id: secret, access_token: `${secret} with spaces` })),
      `{"access_token": "${secret}"`,
      JSON.stringify(account('conn_b4', { [secret]: 1 })),
      JSON.stringify(account('conn_b5', { display_name: 'x'.repeat(70_000) })),
      `"${secret}"`,
    ].join('\n'),
  )
  const { code, stdout, stderr } = await runImport(file, '--tenant', 'acme')
  assert.equal(code, 1)
  assert.ok(!(stdout + stderr).includes(secret), stderr)
  const shown = stderr.split('\n').filter((line) => line.startsWith('line '))
  assert.deepEqual(
    shown.map((line) => /^line \d+: [\w -]+/.exec(line)?.[0]),
    [
      'line 1: principal_id',
      'line 2: space_id',
      'line 2: access_token',
      'line 3: this is not JSON',
      'line 4: a column that is not known',
      'line 5: this is not readable',
      'line 6: this is no JSON object',
    ],
  )
  assert.match(stderr, /Nothing was imported/)
  assert.equal((await rows(service, `select 1 from connectors where connector_id like 'conn_b%'`)).length, 0)
})

it('shows nothing of a CSV file that has no line of names', async () => {
  const secret = 'a-secret-that-nobody-may-see'
  const file = await fileOf('headless.csv', `conn_h,${secret}\nconn_h2,${secret}2\n`)
  const { code, stdout, stderr } = await runImport(file, ...asAda)
  assert.equal(code, 1)
  assert.ok(!(stdout + stderr).includes(secret), stderr)
  assert.match(stderr, /line 2: a column that is not known/)
})

it('refuses what cannot be taken over, each for its reason, and goes on with the rest', async () => {
  const elsewhere = '123e4567-e89b-12d3-a456-426614174099'
  const file = await jsonLines('mixed.jsonl', [
    account('conn_j1', { space_id: elsewhere }),
    account('conn_m2', { provider_slug: 'nobody-knows-it' }),
    account('conn_m3', { provider_slug: 'slack' }),
    account('conn_m4'),
  ])
  const dry = await runImport(file, ...asAda, '--dry-run')
  const real = await runImport(file, ...asAda)
  for (const { code, stderr } of [dry, real]) {
    assert.equal(code, 1)
    const refused = stderr
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { line: number; code: string })
      .toSorted((a, b) => a.line - b.line)
    assert.deepEqual(
      refused.map(({ line, code: why }) => [line, why]),
      [
        [1, 'connector_id_taken'],
        [2, 'provider_unknown'],
        [3, 'provider_not_configured'],
      ],
    )
  }
  assert.deepEqual(real.counts, { step: 'imported', lines: 4, new: 1, present: 0, refused: 3 })
})

it('loses nothing and does nothing twice when it is killed in the middle and run again', async () => {
  const ids = Array.from({ length: 400 }, (_, index) => `conn_k${index}`)
  const file = await jsonLines(
    'many.jsonl',
    ids.map((id) => account(id, { refresh_token: `refresh-of-${id}` })),
  )
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
  const child = spawn(process.execPath, [main, 'import', file, ...asAda], {
    cwd: folder,
    env: { ...compileCache, PATH: process.env['PATH'], ...env },
    stdio: 'ignore',
  })
  const done = () => rows(service, `select 1 from connectors where connector_id like 'conn_k%'`)
  await until(async () => (await done()).length > 40)
  child.kill('SIGKILL')
  await once(child, 'close')
  const doneBefore = (await done()).length
  assert.ok(doneBefore < ids.length, 'it was killed too late')
  const { code, counts } = await runImport(file, ...asAda)
  assert.deepEqual(
    [code, counts],
    [0, { step: 'imported', lines: 400, new: 400 - doneBefore, present: doneBefore, refused: 0 }],
  )
  assert.equal((await done()).length, ids.length)
  const events = await rows(
    service,
    `select 1 from events where resource_id like 'conn_k%' and event_type = 'connector.connected'`,
  )
  assert.equal(events.length, ids.length)
})

it('finds an id that stands twice in the file of one tenant', async () => {
  const file = await jsonLines('twice.jsonl', [
    account('conn_t1'),
    account('conn_t1', { tenant_id: 'umbrella' }),
    account('conn_t1', { access_token: 'another' }),
  ])
  const { code, stderr } = await runImport(file, ...asAda)
  assert.equal(code, 1)
  assert.match(stderr, /^line 3: connector_id: stands in line 1 already$/m)
})

it('is called wrongly without a format or a file that is there', async () => {
  assert.equal((await runImport(folder, '--format', 'csv', ...asAda)).code, 2)
  assert.equal((await runImport(path.join(folder, 'accounts'), ...asAda)).code, 2)
  assert.equal((await runImport(path.join(folder, 'nowhere.csv'), ...asAda)).code, 2)
})

it('takes over what the script for Nango wrote', async () => {
  const key = 'nango-secret-key'
  const answers: Readonly<Record<string, unknown>> = {
    '/connections': {
      connections: [
        {
          connection_id: 'conn_n1',
          provider_config_key: 'github-prod',
          tags: { organization_id: 'globex', end_user_id: 'cy' },
        },
        {
          connection_id: 'conn_n2',
          provider_config_key: 'github-prod',
          metadata: { space_id: spaceId },
          end_user: null,
        },
        { connection_id: 'conn_n3', provider_config_key: 'stripe-key' },
        { connection_id: 'conn_n0', provider_config_key: 'github-prod' },
        { connection_id: 'conn_n4', provider_config_key: 'github-prod' },
      ],
    },
    '/connections/conn_n1?provider_config_key=github-prod&refresh_token=true': {
      credentials: {
        type: 'OAUTH2',
        access_token: 'at-1',
        refresh_token: 'rt-1',
        expires_at: '2027-01-01T00:00:00.000Z',
      },
    },
    '/connections/conn_n2?provider_config_key=github-prod&refresh_token=true': {
      credentials: { type: 'OAUTH2', access_token: 'at-2' },
    },
    '/connections/conn_n4?provider_config_key=github-prod&refresh_token=true': {
      credentials: { type: 'API_KEY', apiKey: 'x' },
    },
  }
  const nango = createServer((request, reply) => {
    const isKnown =
      request.headers.authorization === `Bearer ${key}` && request.url !== undefined && request.url in answers
    reply.writeHead(isKnown ? 200 : 404).end(JSON.stringify(isKnown ? answers[request.url ?? ''] : {}))
  })
  await new Promise<void>((resolve) => nango.listen(0, '127.0.0.1', resolve))
  try {
    // A TCP server reports an address object.
    const url = `http://127.0.0.1:${(nango.address() as AddressInfo).port}`
    const mapping = {
      providers: { 'github-prod': 'github' },
      tenant_id: 'acme',
      space_id: spaceId,
      collection_id: collectionId,
    }
    const script = fileURLToPath(new URL('../../../../scripts/from-nango.mjs', import.meta.url))
    const child = spawn(process.execPath, [script, await fileOf('mapping.json', JSON.stringify(mapping))], {
      env: { NANGO_SECRET_KEY: key, NANGO_URL: url },
    })
    const [written, told] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
    assert.match(told, /conn_n3: stripe-key[^]*conn_n0: [^\n]*404[^]*conn_n4: API_KEY[^]*2 of 5 connections written/)
    assert.equal(child.exitCode, 1)
    assert.ok(!told.includes(key))
    const { code, counts } = await runImport(await fileOf('nango.jsonl', written), '--sub', 'platform')
    assert.deepEqual([code, counts], [0, { step: 'imported', lines: 2, new: 2, present: 0, refused: 0 }])
    const row = await connectorRow(service, 'conn_n1')
    assert.deepEqual([row.tenant_id, row.principal_subject, row.refresh_token !== null], ['globex', 'cy', true])
  } finally {
    nango.close()
  }
})
