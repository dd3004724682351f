import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { usingDataFolder } from './data-folder.ts'
import { ensureCluster, type Cluster } from './embedded-cluster.ts'
import { enterServer, presenceName, stopServer, tryConnect, type ServerSettings } from './embedded-server.ts'

/** The database that runs by itself, for machines on which nobody set up PostgreSQL. */
export interface EmbeddedPostgres {
  /** The role `connector_oauth`, which owns the database and which row-level security binds. */
  readonly databaseUrl: string
  /** The superuser, for tests and repairs; the service itself never uses it. */
  readonly adminUrl: string
  /** Lets go of the server, and ends it when no other process uses it. Close all connections to it first. */
  stop(): Promise<void>
}

const roleName = 'connector_oauth'
/** Any constant will do, as long as every process uses the same. */
const setUpLock = 7_218_530_115

/**
 * Starts PostgreSQL 18 under `dataDir`, creating its cluster, role and database at the first start.
 *
 * Processes with the same folder share one server. Each holds a connection to show that it is there; the last one to
 * stop ends the server, and the kernel closes the connection of one that is killed. A server that is found running is
 * adopted, and one that dies is started again under the same address.
 *
 * `settings` go to a server that this call starts; `fsync: 'off'` is for data nobody will miss.
 *
 * @throws DataFolderError when the folder cannot be used.
 */
export async function startEmbeddedPostgres(options: {
  readonly dataDir: string
  readonly log: (message: string) => void
  readonly settings?: ServerSettings
}): Promise<EmbeddedPostgres> {
  const { log, settings = {} } = options
  const dataDir = path.resolve(options.dataDir)
  const cluster = await usingDataFolder(dataDir, () =>
    ensureCluster(dataDir, { durable: settings['fsync'] !== 'off', log }),
  )
  const { client, port, adopted } = await enterServer(cluster, settings)
  await ensureDatabase(client, cluster)
  log(`${adopted ? 'Using the running' : 'Started'} PostgreSQL on 127.0.0.1:${port}`)
  const presence = keepPresent(client, log, async () => (await enterServer(cluster, settings, port)).client)

  const address = `127.0.0.1:${port}`
  return {
    databaseUrl: `postgres://${roleName}:${cluster.rolePassword.reveal()}@${address}/${roleName}`,
    adminUrl: `postgres://postgres:${cluster.superuserPassword.reveal()}@${address}/postgres`,
    async stop() {
      await presence.end()
      if (await isUsed(cluster, port)) log('PostgreSQL keeps running for another process')
      else await stopServer(cluster)
    },
  }
}

/** Creates what is missing, under a lock: two processes may be here after the same first start. */
async function ensureDatabase(client: pg.Client, cluster: Cluster): Promise<void> {
  await client.query('select pg_advisory_lock($1)', [setUpLock])
  const { rows } = await client.query<{ has_role: boolean; has_database: boolean }>(
    `select exists (select from pg_roles where rolname = $1) as has_role,
            exists (select from pg_database where datname = $1) as has_database`,
    [roleName],
  )
  if (rows[0]?.has_role !== true) {
    // No parameters in such statements; the password is hexadecimal, made by us.
    await client.query(
      `create role ${roleName} login nosuperuser nocreatedb nocreaterole noreplication nobypassrls
       password '${cluster.rolePassword.reveal()}'`,
    )
  }
  if (rows[0]?.has_database !== true) {
    // The other way reads and writes each page in shared memory, which keeps 10 MB of them.
    await client.query(`create database ${roleName} owner ${roleName} strategy file_copy`)
  }
  await client.query('select pg_advisory_unlock($1)', [setUpLock])
}

/** Holds a connection that does not keep the process alive, and gets another when it is lost. */
function keepPresent(
  first: pg.Client,
  log: (message: string) => void,
  enter: () => Promise<pg.Client>,
): { end(): Promise<void> } {
  let current = first
  let ending = false
  let entering: Promise<void> | undefined

  const hold = (client: pg.Client): void => {
    current = client
    client.once('end', () => {
      if (!ending) entering = enterAgain()
    })
    holding(client).unref()
  }
  const enterAgain = async (): Promise<void> => {
    log('PostgreSQL went away; starting it again')
    try {
      hold(await enter())
      log('PostgreSQL is back')
    } catch (error) {
      log(error instanceof Error ? error.message : String(error))
    }
  }
  hold(first)
  return {
    async end() {
      ending = true
      await entering
      holding(current).ref()
      await current.end().catch(() => {})
    },
  }
}

/** The driver has these two methods, its types do not: whether a connection keeps the process alive. */
function holding(client: pg.Client): { ref(): void; unref(): void } {
  return client as unknown as { ref(): void; unref(): void }
}

/** Whether another process is present; one that has just ended its own presence gets a moment to vanish. */
async function isUsed(cluster: Cluster, port: number): Promise<boolean> {
  const client = await tryConnect(cluster, port, 'connector-oauth leaving')
  if (!(client instanceof pg.Client)) return false
  try {
    for (let tries = 0; tries < 10; tries += 1) {
      const { rows } = await client.query<{ used: boolean }>(
        `select exists (
           select from pg_stat_activity
           where application_name = $1 and pid <> pg_backend_pid()
         ) as used`,
        [presenceName],
      )
      if (rows[0]?.used !== true) return false
      await wait(50)
    }
    return true
  } catch {
    // The last other process is ending the server at this moment.
    return false
  } finally {
    await client.end().catch(() => {})
  }
}
