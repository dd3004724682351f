import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

const tenants = ['acme', 'other'] as const

let database: TestDatabase
let admin: pg.Client
/** The role the service runs as. */
let owner: pg.Client
let tables: readonly string[]

before(async () => {
  database = await createTestDatabase()
  admin = new pg.Client({ connectionString: database.adminUrl })
  owner = new pg.Client({ connectionString: database.databaseUrl })
  await admin.connect()
  await owner.connect()
  const { rows } = await admin.query<{ name: string }>(
    `select c.relname as name
     from pg_class c
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname <> 'migrations'
     order by 1`,
  )
  tables = rows.map((row) => row.name)
  for (const table of tables) {
    await dropChecks(table)
    for (const tenant of tenants) await admin.query(...insertion(await columnsOf(table), table, tenant))
  }
})
after(async () => {
  await owner.end()
  await admin.end()
  await database.drop()
})

interface Column {
  readonly name: string
  readonly type: string
}

/** What must be there is filled by its type; what a column may hold, and what follows from a row, is not the question here. */
async function dropChecks(table: string): Promise<void> {
  const { rows } = await admin.query<{ name: string }>(
    `select conname as name from pg_constraint where conrelid = $1::regclass and contype = 'c'`,
    [table],
  )
  for (const { name } of rows) await admin.query(`alter table ${table} drop constraint ${name}`)
  await admin.query(`alter table ${table} disable trigger user`)
}

async function columnsOf(table: string): Promise<readonly Column[]> {
  const { rows } = await admin.query<Column>(
    `select column_name as name, data_type as type
     from information_schema.columns
     where table_schema = 'public' and table_name = $1 and is_nullable = 'NO' and column_default is null
       and is_generated = 'NEVER' and is_identity = 'NO'`,
    [table],
  )
  return rows
}

const fillers: Readonly<Record<string, unknown>> = {
  text: 'x',
  uuid: '123e4567-e89b-12d3-a456-426614174000',
  integer: 1,
  bigint: 1,
  boolean: true,
  bytea: Buffer.from('x'),
  jsonb: '{}',
  ARRAY: [],
  'timestamp with time zone': new Date(0),
}

/** An insertion of the least a row needs, for one tenant; digests differ, since some are unique over all tenants. */
function insertion(columns: readonly Column[], table: string, tenant: string): [string, unknown[]] {
  const values = columns.map(({ name, type }) => {
    assert.ok(type in fillers, `${table}.${name} has a type this test cannot fill: ${type}`)
    return name === 'tenant_id' ? tenant : type === 'bytea' ? Buffer.from(tenant) : fillers[type]
  })
  const names = columns.map(({ name }) => name).join(', ')
  const numbers = columns.map((_, index) => `$${index + 1}`).join(', ')
  return [`insert into ${table} (${names}) values (${numbers})`, values]
}

/** Gives the owner's connection a reach; '' takes it away. */
async function reach(value: string): Promise<void> {
  await owner.query(`select set_config('connector_oauth.reach', $1, false)`, [value])
}

async function tenantsSeen(client: pg.Client, table: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ tenant_id: string }>(`select tenant_id from ${table} order by 1`)
  return rows.map((row) => row.tenant_id)
}

/** Tables of which the owner, with acme's reach, sees a row of another's. */
async function leaks(): Promise<readonly string[]> {
  await reach('=acme')
  const found: string[] = []
  for (const table of tables) {
    if ((await tenantsSeen(owner, table)).some((tenant) => tenant !== 'acme')) found.push(table)
  }
  return found
}

describe('row-level security, for the role that owns the tables', () => {
  it('has something to hide in every table', async () => {
    assert.ok(tables.length >= 10)
    for (const table of tables) assert.deepEqual(await tenantsSeen(admin, table), [...tenants], table)
  })

  it('shows no row without a reach, with an empty one, or with one that only looks like it', async () => {
    for (const value of [
      undefined,
      '',
      'acme',
      '=',
      '=acm',
      '=acme ',
      '=ACME',
      '%',
      '=%',
      '*acme',
      "=acme' or '1'='1",
    ]) {
      if (value === undefined) await owner.query('reset connector_oauth.reach')
      else await reach(value)
      for (const table of tables) assert.deepEqual(await tenantsSeen(owner, table), [], `${table} with ${value}`)
    }
  })

  it('shows a tenant its own rows and none of another’s, in every table', async () => {
    for (const tenant of tenants) {
      await reach(`=${tenant}`)
      for (const table of tables) assert.deepEqual(await tenantsSeen(owner, table), [tenant], table)
    }
    await reach('*')
    for (const table of tables) assert.deepEqual(await tenantsSeen(owner, table), [...tenants], table)
  })

  it('lets a tenant write, change and delete no row of another', async () => {
    await reach('=acme')
    for (const table of tables) {
      const [text, values] = insertion(await columnsOf(table), table, 'third')
      await assert.rejects(owner.query(text, values), { code: '42501' }, table)
      const moved = owner.query(`update ${table} set tenant_id = 'third' where tenant_id = 'acme'`)
      await assert.rejects(moved, { code: '42501' }, table)
      const others = `where tenant_id <> 'acme'`
      assert.equal((await owner.query(`update ${table} set tenant_id = tenant_id ${others}`)).rowCount, 0, table)
      assert.equal((await owner.query(`delete from ${table} ${others}`)).rowCount, 0, table)
    }
    for (const table of tables) assert.deepEqual(await tenantsSeen(admin, table), [...tenants], table)
  })

  it('would be missed wherever it were not forced, switched off, or its policy looser', async () => {
    const faults = [
      'alter table connectors no force row level security',
      'alter table connectors disable row level security',
      'create policy planted on connectors using (true)',
    ]
    for (const fault of faults) {
      assert.deepEqual(await leaks(), [])
      await admin.query(fault)
      assert.deepEqual(await leaks(), ['connectors'], fault)
      await admin.query('drop policy if exists planted on connectors')
      await admin.query('alter table connectors enable row level security')
      await admin.query('alter table connectors force row level security')
    }
  })
})
