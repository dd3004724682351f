import { readdir, readFile } from 'node:fs/promises'
import pg from 'pg'
import { installJobs } from './jobs-schema.ts'

const migrationsFolder = new URL('../../migrations/', import.meta.url)
/** Any constant will do, as long as every process uses the same. */
const migrationLock = 7_218_530_114

/** The database holds migrations this program does not know; waiting will not help. */
export class NewerDatabase extends Error {
  constructor(migrations: readonly string[]) {
    super(`DATABASE_URL: migrated by a newer version (${migrations.join(', ')}); start that version or newer`)
    this.name = 'NewerDatabase'
  }
}

/**
 * Applies the migrations that the database does not have yet, in order, each in a transaction of its own, and sees
 * that the job queue has its tables.
 *
 * Processes that start together take turns under an advisory lock. A database that already holds a newer
 * migration than this program knows is refused, since an old program would misread it.
 */
export async function migrate(databaseUrl: string): Promise<{ readonly applied: readonly string[] }> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [migrationLock])
    const applied = await applyMissing(client)
    await installJobs(client)
    return { applied }
  } finally {
    await client.end().catch(() => {})
  }
}

async function applyMissing(client: pg.Client): Promise<readonly string[]> {
  await client.query(
    'create table if not exists migrations (name text primary key, applied_at timestamptz not null default now())',
  )
  const known = (await readdir(migrationsFolder)).filter((name) => /^\d{4}_.*\.sql$/.test(name)).toSorted()
  const { rows } = await client.query<{ name: string }>('select name from migrations')
  const done = new Set(rows.map((row) => row.name))
  const foreign = [...done].filter((name) => !known.includes(name))
  if (foreign.length > 0) {
    throw new NewerDatabase(foreign)
  }
  const missing = known.filter((name) => !done.has(name))
  for (const name of missing) {
    const text = await readFile(new URL(name, migrationsFolder), 'utf8')
    await client.query('begin')
    try {
      await client.query(text)
      await client.query('insert into migrations (name) values ($1)', [name])
      await client.query('commit')
    } catch (error) {
      await client.query('rollback')
      throw new Error(`Migration ${name} failed: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      })
    }
  }
  return missing
}
