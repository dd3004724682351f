import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startEmbeddedPostgres } from '../packages/server/src/store/embedded-postgres.ts'
import { createTemplate } from '../packages/server/test/support/test-database.ts'

const prefix = 'connector-oauth-test-'

/** Speed before safety: nobody will miss this data. */
const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' }

/**
 * Starts a PostgreSQL that is thrown away after the run, holding a migrated template database, and returns the
 * variables by which test files find it. `TEST_DATABASE_URL` of a superuser makes it use that server instead.
 */
export async function startTestDatabase(cleanups: (() => Promise<void>)[]): Promise<Record<string, string>> {
  const given = process.env['TEST_DATABASE_URL']
  if (given !== undefined && given !== '') return createTemplate(given)
  await removeLeftovers()
  const folder = await mkdtemp(path.join(tmpdir(), prefix))
  cleanups.push(() => rm(folder, { recursive: true, force: true }))
  // Run by root, the server is another user, who has to get to its files.
  await chmod(folder, 0o711)
  await writeFile(path.join(folder, 'pid'), String(process.pid))
  const cluster = await startEmbeddedPostgres({ dataDir: folder, log: () => {}, settings })
  cleanups.push(() => cluster.stop())
  return createTemplate(cluster.adminUrl)
}

/** Ends the servers of runs that were killed before they could; they would stay for ever. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(prefix)) continue
    const folder = path.join(tmpdir(), name)
    try {
      const pid = Number(await readFile(path.join(folder, 'pid'), 'utf8'))
      if (isAlive(pid)) continue
      const cluster = await startEmbeddedPostgres({ dataDir: folder, log: () => {}, settings })
      await cluster.stop()
      await rm(folder, { recursive: true, force: true })
    } catch {
      // Another user's, or another run is at it.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
