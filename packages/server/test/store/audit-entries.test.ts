import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import pg from 'pg'
import { tenantId } from '../../src/core/ids.ts'
import { pageAuditEntries, type AuditFilter } from '../../src/store/audit-entries.ts'
import { openDatabase, type Database } from '../../src/store/database.ts'
import { until } from '../support/connectors.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

let testDatabase: TestDatabase
let database: Database
let admin: pg.Client
const tenant = tenantId('long')
const length = 100_000

before(async () => {
  testDatabase = await createTestDatabase()
  admin = new pg.Client({ connectionString: testDatabase.adminUrl })
  await admin.connect()
  // Of each actor and each resource a few, far from each other.
  await admin.query(
    `insert into audit_entries
       (tenant_id, entry_id, action, actor_id, resource_type, resource_id, metadata, created_at, position, hash)
     select $1, 'aud_' || n, 'token.exported', 'actor-' || n % 20000, 'connector', 'conn_' || n % 25000, '{}',
            date_trunc('milliseconds', now()), n, '\\x00'
     from generate_series(1, $2::int) as n`,
    [tenant, length],
  )
  await admin.query('analyze audit_entries')
  // One connection, so that a statement is planned as often as it ever will be.
  database = openDatabase(testDatabase.databaseUrl, { poolSize: 1 })
})
after(async () => {
  await database.close()
  await admin.end()
  await testDatabase.drop()
})

async function timesUsed(index: string): Promise<number> {
  const { rows } = await admin.query<{ used: number }>(
    'select idx_scan::int as used from pg_stat_user_indexes where indexrelname = $1',
    [index],
  )
  return rows[0]?.used ?? 0
}

const filters: readonly (readonly [string, AuditFilter, string, number])[] = [
  ['an actor', { actorId: 'actor-7' }, 'audit_entries_by_actor', 5],
  ['a resource', { resourceId: 'conn_7' }, 'audit_entries_by_resource', 4],
  ['both', { actorId: 'actor-7', resourceId: 'conn_7' }, 'audit_entries_by_resource', 1],
]
for (const [what, filter, index, count] of filters) {
  it(`finds the entries of ${what} by an index, also when its plan has become a general one`, async () => {
    const db = database.tenant(tenant)
    const earlier = await timesUsed(index)
    // After five runs PostgreSQL may keep a plan that fits every value.
    for (let run = 0; run < 12; run += 1) {
      const found = await pageAuditEntries(db, tenant, filter, { after: 0, limit: 101 })
      assert.equal(found.length, count)
      assert.deepEqual(
        found.map((entry) => entry.position),
        found.map((entry) => entry.position).toSorted((a, b) => a - b),
      )
    }
    await db.query({ name: 'test.flush', text: 'select pg_stat_force_next_flush()' }, [])
    await until(async () => (await timesUsed(index)) >= earlier + 12)
  })
}

it('goes on within the entries of an actor from where a page ended', async () => {
  const page = { after: 20_007, limit: 2 }
  const found = await pageAuditEntries(database.tenant(tenant), tenant, { actorId: 'actor-7' }, page)
  assert.deepEqual(
    found.map((entry) => entry.position),
    [40_007, 60_007],
  )
})
