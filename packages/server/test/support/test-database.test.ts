import assert from 'node:assert/strict'
import { it } from 'node:test'
import pg from 'pg'
import { createTestDatabase } from './test-database.ts'

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

it('gives every caller a migrated database of its own, owned by a role that row-level security binds', async () => {
  const [one, other] = await Promise.all([createTestDatabase(), createTestDatabase()])
  try {
    assert.notEqual(one.databaseUrl, other.databaseUrl)
    const [role] = await query(
      one.databaseUrl,
      `select rolsuper or rolbypassrls as unbound,
              (select datdba = pg_roles.oid from pg_database where datname = current_database()) as owns
       from pg_roles where rolname = current_user`,
    )
    assert.deepEqual(role, { unbound: false, owns: true })
    await query(one.databaseUrl, 'create table only_here (id int)')
    assert.deepEqual(await query(other.adminUrl, `select to_regclass('only_here') as found`), [{ found: null }])
    assert.deepEqual(await query(other.adminUrl, `select to_regclass('connectors')::text as found`), [
      { found: 'connectors' },
    ])
  } finally {
    await one.drop()
    await other.drop()
  }
})

it('drops a database that is still in use', async () => {
  const database = await createTestDatabase()
  const client = new pg.Client({ connectionString: database.databaseUrl })
  // The driver reports the loss twice.
  const lost = new Promise((resolve) => client.on('error', resolve))
  await client.connect()
  await database.drop()
  await lost
  await assert.rejects(query(database.databaseUrl, 'select 1'), { code: '3D000' })
})
