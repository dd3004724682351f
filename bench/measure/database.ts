import pg from 'pg'
import { startTestDatabase } from '../../scripts/test-cluster.ts'
import { createTestDatabase } from '../../packages/server/test/support/test-database.ts'
import { cpuMsOfFamily, parentOf } from './cpu.ts'

/** A migrated database, and the server it is on. */
export interface BenchDatabase {
  /** Its owner, whom row-level security binds. */
  readonly databaseUrl: string
  readonly version: string
  /** CPU time that the whole server has used so far, in milliseconds. */
  cpuMs(): number
}

/**
 * A database on the embedded PostgreSQL, with the tests' settings: nothing waits for the disk, so that what is measured
 * is work. Inside a test run the run's own server is used.
 */
export async function createBenchDatabase(stack: AsyncDisposableStack): Promise<BenchDatabase> {
  if (process.env['TEST_DATABASE_TEMPLATE'] === undefined) {
    const cleanups: (() => Promise<void>)[] = []
    stack.defer(async () => {
      for (const undo of cleanups.toReversed()) await undo()
    })
    Object.assign(process.env, await startTestDatabase(cleanups))
    // The next question starts a server of its own.
    stack.defer(() => {
      for (const name of ['TEST_DATABASE_URL', 'TEST_DATABASE_TEMPLATE']) delete process.env[name]
    })
  }
  const database = await createTestDatabase()
  stack.defer(() => database.drop())
  const { postmaster, version } = await serverOf(database.databaseUrl)
  return { databaseUrl: database.databaseUrl, version, cpuMs: () => cpuMsOfFamily(postmaster) }
}

/** Its first process, which is the parent of every connection's, and its version. */
async function serverOf(databaseUrl: string): Promise<{ readonly postmaster: number; readonly version: string }> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const { rows } = await client.query<{ pid: number; version: string }>(
      `select pg_backend_pid() as pid, current_setting('server_version') as version`,
    )
    const [row] = rows
    if (row === undefined) throw new Error('PostgreSQL did not answer')
    return { postmaster: parentOf(row.pid), version: row.version }
  } finally {
    await client.end()
  }
}
