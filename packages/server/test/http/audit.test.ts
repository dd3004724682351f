import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { tenantId } from '../../src/core/ids.ts'
import { emptyExport, endExport, readExportLine } from '../../src/core/verify-export.ts'
import { exportAudit } from '../../src/domain/export-audit.ts'
import { linkDue, linkTenant } from '../../src/domain/link-audit.ts'
import { verifyAudit } from '../../src/domain/verify-audit.ts'
import type { Database, Db } from '../../src/store/database.ts'
import { connectAccount } from '../support/consent.ts'
import { spaceId, startTestService, type TestService } from '../support/service.ts'
import { assertProblem, connectorsPath, dataOf, otherId, rows, signed, startSession, type Json } from './calls.ts'

let service: TestService
let connector: string
before(async () => {
  service = await startTestService()
  connector = await connectAccount(service)
  for (let count = 0; count < 3; count += 1) await connectAccount(service)
})
after(() => service[Symbol.asyncDispose]())

const list = (query: Readonly<Record<string, string>> = {}, token?: string) =>
  service.call('GET', `/v1/admin/audit?${new URLSearchParams(query).toString()}`, token === undefined ? {} : { token })

async function exported(query = '', token?: string): Promise<readonly string[]> {
  const reply = await service.call('GET', `/v1/admin/audit/export${query}`, token === undefined ? {} : { token })
  assert.equal(reply.status, 200)
  assert.match(reply.headers.get('content-type') ?? '', /^application\/x-ndjson/)
  return (await reply.text()).trimEnd().split('\n')
}

const judge = (lines: readonly string[], pinned?: string) =>
  endExport(lines.reduce((state, line) => readExportLine(state, line, pinned), emptyExport))

const lineAt = (lines: readonly string[], index: number) => JSON.parse(lines.at(index) ?? '') as Json

it('lists every entry with its position and hash, in the order of the chain', async () => {
  await service.call('POST', `${connectorsPath}/${connector}/token`)
  const entries = await dataOf<readonly Json[]>(await list({ limit: '100' }))
  assert.deepEqual(Object.keys(entries[0] ?? {}), [
    'id',
    'tenant_id',
    'position',
    'action',
    'actor_id',
    'resource_type',
    'resource_id',
    'space_id',
    'collection_id',
    'metadata',
    'created_at',
    'hash',
  ])
  assert.deepEqual(
    entries.map((entry) => entry['position']),
    entries.map((_, index) => index + 1),
  )
  for (const entry of entries) assert.match(String(entry['hash']), /^[0-9a-f]{64}$/)
  // What was done a moment ago is in it: nobody waits for a background round.
  assert.equal(entries.at(-1)?.['action'], 'token.exported')
})

it('pages through every entry once, and refuses a cursor it never gave', async () => {
  const all = await dataOf<readonly Json[]>(await list({ limit: '100' }))
  const seen: unknown[] = []
  let cursor = ''
  do {
    const reply = await list({ limit: '3', ...(cursor !== '' && { cursor }) })
    const body = (await reply.json()) as { data: Json[]; meta: { next_cursor: string | null; has_more: boolean } }
    seen.push(...body.data.map((entry) => entry['id']))
    assert.equal(body.meta.has_more, body.meta.next_cursor !== null)
    cursor = body.meta.next_cursor ?? ''
  } while (cursor !== '')
  assert.deepEqual(
    seen,
    all.map((entry) => entry['id']),
  )
  await assertProblem(await list({ cursor: 'nonsense' }), 400, 'invalid_cursor')
  const strange = Buffer.from(JSON.stringify([new Date().toISOString(), 'evt_1'])).toString('base64url')
  await assertProblem(await list({ cursor: strange }), 400, 'invalid_cursor')
})

it('filters by action, actor, resource and time', async () => {
  const all = await dataOf<readonly Json[]>(await list({ limit: '100' }))
  const middle = String(all[Math.floor(all.length / 2)]?.['created_at'])
  for (const [query, fits] of [
    [{ action: 'session.started' }, (entry: Json) => entry['action'] === 'session.started'],
    [{ actor_id: 'ada' }, (entry: Json) => entry['actor_id'] === 'ada'],
    [{ actor_id: 'nobody' }, () => false],
    [{ resource_type: 'session' }, (entry: Json) => entry['resource_type'] === 'session'],
    [{ resource_id: connector }, (entry: Json) => entry['resource_id'] === connector],
    [{ from_date: middle }, (entry: Json) => String(entry['created_at']) >= middle],
    [{ to_date: middle }, (entry: Json) => String(entry['created_at']) <= middle],
  ] as const) {
    const found = await dataOf<readonly Json[]>(await list({ limit: '100', ...query }))
    assert.deepEqual(found, all.filter(fits), JSON.stringify(query))
  }
})

it('finds hours among others, from either end', async () => {
  const turns: string[] = []
  for (let hour = 0; hour < 4; hour += 1) {
    service.clock.advance(1_800_000)
    turns.push(service.clock.now().toISOString())
    service.clock.advance(1_800_000)
    await startSession(service)
  }
  const all = await dataOf<readonly Json[]>(await list({ limit: '100' }))
  const [, from = '', , to = ''] = turns
  const within = all.filter((entry) => String(entry['created_at']) >= from && String(entry['created_at']) <= to)
  assert.equal(within.length, 2)
  const found = async (order: string) =>
    dataOf<readonly Json[]>(await list({ limit: '100', order, from_date: from, to_date: to }))
  assert.deepEqual(await found('asc'), within)
  assert.deepEqual((await found('desc')).toReversed(), within)
})

it('takes the right connectors:admin, and shows a tenant its own record alone', async () => {
  const scope = 'connectors:connect connectors:read connectors:use connectors:token connectors:manage'
  const token = await service.token({ scope })
  for (const path of ['', '/export', '/checkpoints', '/keys']) {
    const reply = await service.call('GET', `/v1/admin/audit${path}`, { token })
    await assertProblem(reply, 403, 'missing_right')
    assert.equal((await fetch(`${service.url}/v1/admin/audit${path}`)).status, 401)
  }
  const globex = await service.token({ tenant: 'globex' })
  assert.deepEqual(await dataOf(await list({}, globex)), [])
  const lines = await exported('', globex)
  assert.equal(lines.length, 2)
  assert.equal(judge(lines).kind, 'complete')
})

it('shows a bearer that is narrowed to spaces what happened in them, and gives it no export', async () => {
  const narrowed = await signed(service, { spaces: [spaceId] })
  const elsewhere = await signed(service, { spaces: [otherId] })
  assert.ok((await dataOf<readonly Json[]>(await list({}, narrowed))).every((entry) => entry['space_id'] === spaceId))
  assert.deepEqual(await dataOf(await list({}, elsewhere)), [])
  for (const path of ['/export', '/checkpoints']) {
    for (const token of [narrowed, await signed(service, { collections: [otherId] })]) {
      const reply = await service.call('GET', `/v1/admin/audit${path}`, { token })
      await assertProblem(reply, 403, 'space_forbidden')
    }
  }
})

it('exports what proves itself untouched, with a checkpoint of its end, under the key the API names', async () => {
  const [key] = await dataOf<readonly Json[]>(await service.call('GET', '/v1/admin/audit/keys'))
  const lines = await exported()
  const state = judge(lines, String(key?.['public_key']))
  assert.equal(state.kind, 'complete', JSON.stringify(state))
  assert.equal(lineAt(lines, 0)['type'], 'header')
  assert.equal(lineAt(lines, -2)['type'], 'checkpoint')
  assert.equal(lineAt(lines, -1)['type'], 'footer')
  const checkpoints = await dataOf<readonly Json[]>(await service.call('GET', '/v1/admin/audit/checkpoints'))
  const { type: _, ...last } = lineAt(lines, -2)
  assert.deepEqual(checkpoints.at(-1), last)
  const other = await dataOf<readonly Json[]>(
    await service.call('GET', '/v1/admin/audit/keys', { token: await service.token({ tenant: 'globex' }) }),
  )
  assert.equal(judge(lines, String(other[0]?.['public_key'])).kind, 'broken')
})

it('exports a stretch that proves itself as well', async () => {
  const whole = await exported()
  const entries = whole.map((line) => JSON.parse(line) as Json).filter((line) => line['type'] === 'entry')
  for (const [query, from, to] of [
    ['?from_position=3&to_position=5', 3, 5],
    ['?from_position=4', 4, entries.length],
    ['?to_position=2', 1, 2],
    ['?from_position=999999', entries.length + 1, entries.length],
    ['?from_position=5&to_position=2', 5, 4],
  ] as const) {
    const lines = await exported(query)
    assert.equal(judge(lines).kind, 'complete', query)
    const shown = lines.map((line) => JSON.parse(line) as Json).filter((line) => line['type'] === 'entry')
    assert.deepEqual(shown, entries.slice(from - 1, to), query)
  }
  for (const query of ['?from_position=0', '?to_position=x', '?from_position=1.5']) {
    assert.equal((await service.call('GET', `/v1/admin/audit/export${query}`)).status, 422, query)
  }
})

it('signs a checkpoint a minute after what it covers, and at once after a thousand entries', async () => {
  const fill = (tenant: string, count: number) =>
    rows(
      service,
      `insert into audit_entries (tenant_id, entry_id, action, resource_type, resource_id, metadata, created_at)
       select $1, 'aud_' || gen_random_uuid(), 'session.started', 'session', 'ses_' || n, '{}', $2::timestamptz
       from generate_series(1, $3::integer) n`,
      [tenant, service.clock.now(), count],
    )
  const signedAt = async (tenant: string) =>
    (
      await rows<{ position: string }>(service, 'select position from audit_checkpoints where tenant_id = $1', [tenant])
    ).map((row) => Number(row.position))
  await fill('quiet', 3)
  await linkDue(service.context)
  assert.deepEqual(await signedAt('quiet'), [])
  service.clock.advance(61_000)
  await linkDue(service.context)
  assert.deepEqual(await signedAt('quiet'), [3])
  await linkDue(service.context)
  assert.deepEqual(await signedAt('quiet'), [3])
  await fill('loud', 1_200)
  await linkDue(service.context)
  assert.deepEqual(await signedAt('loud'), [1_200])
})

it('reads an export in portions, as they are asked for', async () => {
  await rows(
    service,
    `insert into audit_entries (tenant_id, entry_id, action, resource_type, resource_id, metadata, created_at)
     select 'long', 'aud_' || n, 'session.started', 'session', 'ses_' || n, '{}', $1::timestamptz
     from generate_series(1, 5000) n`,
    [service.clock.now()],
  )
  await linkTenant(service.context, tenantId('long'))
  let read = 0
  const count = (db: Db): Db => ({
    query(statement, values) {
      if (statement.name === 'audit_entries.range') read += 1
      return db.query(statement, values)
    },
  })
  const { database } = service.context
  const counting: Database = { ...database, tenant: (tenant) => count(database.tenant(tenant)) }
  const principal = { tenantId: tenantId('long'), issuer: '', subject: 'ada', rights: new Set(['connectors:admin']) }
  const asked = { from: undefined, to: undefined }
  const expiresAt = new Date(Date.now() + 3_600_000)
  const whole = { ...principal, spaces: undefined, collections: undefined, expiresAt }
  const lines = await exportAudit({ ...service.context, database: counting }, whole, asked)
  const iterator = lines[Symbol.asyncIterator]()
  for (let taken = 0; taken < 3; taken += 1) await iterator.next()
  // The header, then two portions of five hundred: nobody has asked for the other eight.
  assert.equal(read, 2)
  await iterator.return?.()
  const token = await service.token({ tenant: 'long' })
  const all = await exported('', token)
  assert.equal(judge(all).kind, 'complete')
  assert.ok(all.length > 5_000)
})

it('finds in the database what was removed, altered, exchanged, added or cut off', async () => {
  const tenant = tenantId('tampered')
  await rows(
    service,
    `insert into audit_entries (tenant_id, entry_id, action, resource_type, resource_id, metadata, created_at)
     select 'tampered', 'aud_' || n, 'session.started', 'session', 'ses_' || n, '{"n": 1}', $1::timestamptz
     from generate_series(1, 20) n`,
    [service.clock.now()],
  )
  await linkTenant(service.context, tenant)
  const token = await service.token({ tenant })
  await exported('', token)
  const found = async () => {
    const verdict = await verifyAudit(service.context, tenant, undefined)
    return verdict.kind === 'broken' ? [verdict.fault.position, verdict.fault.fault] : verdict.kind
  }
  assert.equal(await found(), 'whole')
  const at = `tenant_id = 'tampered' and position`
  for (const [change, undo, expected] of [
    [
      `update audit_entries set metadata = '{"n": 2}' where ${at} = 7`,
      `update audit_entries set metadata = '{"n": 1}' where ${at} = 7`,
      [7, 'altered'],
    ],
    [
      `update audit_entries set created_at = created_at + interval '1 second' where ${at} = 1`,
      `update audit_entries set created_at = created_at - interval '1 second' where ${at} = 1`,
      [1, 'altered'],
    ],
    [
      `update audit_entries set position = 25 - position where ${at} in (12, 13)`,
      `update audit_entries set position = 25 - position where ${at} in (12, 13)`,
      [12, 'altered'],
    ],
    [
      `update audit_entries set position = null where ${at} = 9`,
      `update audit_entries set position = 9 where tenant_id = 'tampered' and entry_id = 'aud_9'`,
      [9, 'removed'],
    ],
    [
      `insert into audit_entries
         (tenant_id, entry_id, action, actor_id, resource_type, resource_id, space_id, collection_id, metadata, created_at,
          position, hash)
       select tenant_id, 'aud_new', action, actor_id, resource_type, resource_id, space_id, collection_id, metadata,
              created_at, position, hash
       from audit_entries where ${at} = 5`,
      `delete from audit_entries where tenant_id = 'tampered' and entry_id = 'aud_new'`,
      [6, 'reordered'],
    ],
    [
      `update audit_entries set position = position + 1000 where ${at} > 17`,
      `update audit_entries set position = position - 1000 where ${at} > 1000`,
      [18, 'truncated'],
    ],
    [
      // The head goes back as well: the checkpoint still vouches for what is gone.
      `with gone as (update audit_entries set position = position + 1000 where ${at} > 17)
       update audit_chains set last_position = 17,
         last_hash = (select hash from audit_entries where ${at} = 17) where tenant_id = 'tampered'`,
      `with back as (update audit_entries set position = position - 1000 where ${at} > 1000)
       update audit_chains set last_position = 20,
         last_hash = (select hash from audit_entries where ${at} = 1020) where tenant_id = 'tampered'`,
      [18, 'truncated'],
    ],
    [
      `update audit_checkpoints set created_at = created_at + interval '1 hour' where tenant_id = 'tampered'`,
      `update audit_checkpoints set created_at = created_at - interval '1 hour' where tenant_id = 'tampered'`,
      [20, 'bad_signature'],
    ],
    [
      `update audit_chains set last_hash = '\\x00' where tenant_id = 'tampered'`,
      `update audit_chains set last_hash = (select hash from audit_entries where ${at} = 20) where tenant_id = 'tampered'`,
      [21, 'altered'],
    ],
  ] as const) {
    await rows(service, change)
    assert.deepEqual(await found(), expected, change)
    await rows(service, undo)
    assert.equal(await found(), 'whole', undo)
  }
  const [foreign] = await dataOf<readonly Json[]>(await service.call('GET', '/v1/admin/audit/keys'))
  const verdict = await verifyAudit(service.context, tenant, String(foreign?.['public_key']))
  assert.equal(verdict.kind === 'broken' && verdict.fault.fault, 'foreign_key')
})
