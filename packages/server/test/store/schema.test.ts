import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { drifted, schemaFiles } from '../../scripts/schema-files.ts'
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts'

let database: TestDatabase
let client: pg.Client

before(async () => {
  database = await createTestDatabase()
  client = new pg.Client({ connectionString: database.adminUrl })
  await client.connect()
})
after(async () => {
  await client.end()
  await database.drop()
})

/** Runs statements that are undone afterwards: the planted faults. */
async function planted<T>(statements: string, look: () => Promise<T>): Promise<T> {
  await client.query('begin')
  try {
    await client.query(statements)
    return await look()
  } finally {
    await client.query('rollback')
  }
}

async function unguardedTables(): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select c.relname as name
     from pg_class c
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname <> 'migrations'
       and not (c.relrowsecurity and c.relforcerowsecurity
                and exists (select from pg_policies p where p.tablename = c.relname)
                and exists (select from pg_index i
                            join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
                            where i.indrelid = c.oid and i.indisprimary and a.attname = 'tenant_id'))
     order by c.relname`,
  )
  return rows.map((row) => row.name)
}

describe('the schema', () => {
  it('is what schema.sql and rows.ts say', async () => {
    assert.deepEqual(await drifted(await schemaFiles(database.adminUrl)), [], 'run `npm run schema`')
  })

  it('reads the same twice', async () => {
    assert.deepEqual(await schemaFiles(database.adminUrl), await schemaFiles(database.adminUrl))
  })

  for (const [what, statement] of [
    ['a column', 'alter table connectors add column planted text'],
    ['a default', `alter table connectors alter column version set default 7`],
    ['nullability', 'alter table connectors alter column context_id drop not null'],
    ['a check', 'alter table connectors add check (version < 9)'],
    ['an index', 'create index planted on connectors (provider_slug)'],
    ['a policy', 'create policy planted on connectors using (true)'],
    ['forced row-level security', 'alter table connectors no force row level security'],
    ['a function', `create function planted() returns int language sql return 1`],
    ['a view', 'create view planted as select tenant_id from connectors'],
  ] as const) {
    it(`shows a change of ${what}`, async () => {
      const other = await createTestDatabase()
      const owner = new pg.Client({ connectionString: other.adminUrl })
      await owner.connect()
      try {
        await owner.query(statement)
        const paths = await drifted(await schemaFiles(other.adminUrl))
        assert.ok(paths.some((path) => path.endsWith('/schema.sql')))
      } finally {
        await owner.end()
        await other.drop()
      }
    })
  }

  it('keys every table by tenant and guards it by row-level security that binds its owner too', async () => {
    assert.deepEqual(await unguardedTables(), [])
  })

  it('would show a table that is not guarded', async () => {
    const statements = {
      'no policy, not enabled': 'create table planted (tenant_id text primary key)',
      'not forced': `create table planted (tenant_id text primary key);
                     alter table planted enable row level security;
                     create policy tenant on planted using (reaches_tenant(tenant_id))`,
      'key without tenant': `create table planted (id text primary key, tenant_id text);
                             alter table planted enable row level security;
                             alter table planted force row level security;
                             create policy tenant on planted using (reaches_tenant(tenant_id))`,
    }
    for (const [fault, statement] of Object.entries(statements)) {
      assert.deepEqual(await planted(statement, unguardedTables), ['planted'], fault)
    }
  })
})
