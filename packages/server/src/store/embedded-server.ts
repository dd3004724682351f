import { execFile } from 'node:child_process'
import { readFile, realpath, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { codeOf } from './data-folder.ts'
import { childEnvironment } from './embedded-account.ts'
import type { Cluster } from './embedded-cluster.ts'
import { clearStalePidFile, isServing, readPostmaster } from './embedded-process.ts'

/** Settings of the server, by their names in postgresql.conf; values without blanks. */
export type ServerSettings = Readonly<Record<string, string>>

/** A running server, and a superuser's connection to it. */
export interface EnteredServer {
  readonly client: pg.Client
  readonly port: number
  /** Whether it was running already: started by another process, or left behind by one that was killed. */
  readonly adopted: boolean
}

const run = promisify(execFile)
const startDeadlineMs = 60_000

/**
 * Connects to the cluster's server, and starts it when it does not run.
 *
 * PostgreSQL's own lock decides who starts it; whoever loses adopts the winner's. `port` asks for a certain one, so
 * that addresses handed out before a crash stay right.
 */
export async function enterServer(cluster: Cluster, settings: ServerSettings, port?: number): Promise<EnteredServer> {
  const deadline = Date.now() + startDeadlineMs
  let adopted = true
  let trouble = ''
  while (Date.now() < deadline) {
    const found = await readPostmaster(cluster.folder)
    if (found !== undefined && (await isServing(cluster.folder, found.pid))) {
      const client = await tryConnect(cluster, found.port)
      if (client instanceof pg.Client) return { client, port: found.port, adopted }
      trouble = client
      await wait(50)
      continue
    }
    if (found !== undefined) await clearStalePidFile(cluster.folder, found)
    trouble = await start(cluster, settings, port ?? (await freePort()))
    adopted = trouble !== ''
    if (adopted) await wait(100)
  }
  throw new Error(`PostgreSQL in ${cluster.folder} could not be started: ${trouble}`)
}

/** Ends the server: transactions that are open are rolled back. Does nothing when it does not run. */
export async function stopServer(cluster: Cluster): Promise<void> {
  await pgCtl(cluster, ['stop', '--mode=fast', '--wait', '--timeout=60']).catch(async (error: unknown) => {
    const found = await readPostmaster(cluster.folder)
    if (found !== undefined && (await isServing(cluster.folder, found.pid))) throw error
  })
}

/** A connection of the superuser, or the sentence that says why there is none yet. */
export async function tryConnect(cluster: Cluster, port: number, name = presenceName): Promise<pg.Client | string> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password: cluster.superuserPassword.reveal(),
    database: 'postgres',
    ssl: false,
    application_name: name,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  })
  // Without a listener a lost connection would end the process; whoever waits on it hears of it by `end`.
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<{ folder: string }>(`select current_setting('data_directory') as folder`)
    if ((await realpath(rows[0]?.folder ?? '')) === (await realpath(cluster.folder))) return client
    await client.end()
    return `the server on port ${port} serves another folder`
  } catch (error) {
    await client.end().catch(() => {})
    return error instanceof Error ? error.message || (codeOf(error) ?? error.name) : String(error)
  }
}

/** The application name of the connections by which processes show that they use the server. */
export const presenceName = 'connector-oauth presence'

/** Starts the server; returns the reason when trying again may help, and throws when it cannot. */
async function start(cluster: Cluster, settings: ServerSettings, port: number): Promise<string> {
  const log = path.join(cluster.folder, 'server.log')
  const written = await shortenLog(log)
  const all: ServerSettings = { ...fixedSettings, ...settings, port: String(port) }
  const options = Object.entries(all).map(([name, value]) => `-c ${name}=${value}`)
  try {
    await pgCtl(cluster, ['start', '--wait', '--timeout=60', `--log=${log}`, `--options=${options.join(' ')}`])
    return ''
  } catch (error) {
    const said = (await readFile(log, 'utf8').catch(() => '')).slice(written).trim()
    const mayPass = /address already in use|lock file .* already exists|pre-existing shared memory/i.test(said)
    const reason = said || (error instanceof Error ? error.message : String(error))
    if (mayPass) return reason
    throw new Error(`PostgreSQL in ${cluster.folder} could not be started: ${reason}`, { cause: error })
  }
}

/**
 * Only this machine may connect, and the log stays free of rows: key values and statements would land in it. Processes
 * that a database of this size has no use for would take memory.
 */
const fixedSettings: ServerSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
  io_method: 'sync',
  max_logical_replication_workers: '0',
}

/** `pg_ctl` gives the server a session of its own, so that Ctrl-C in a terminal does not reach it before us. */
async function pgCtl(cluster: Cluster, parameters: readonly string[]): Promise<void> {
  await run(cluster.runtime.pgCtl, [...parameters, '--silent', `--pgdata=${cluster.folder}`], {
    ...cluster.account,
    cwd: path.dirname(cluster.folder),
    ...(process.platform === 'win32' ? {} : { env: childEnvironment }),
    timeout: 90_000,
  })
}

/** Empties a log of more than 10 MiB; returns the length of what is left. */
async function shortenLog(log: string): Promise<number> {
  const size = await stat(log).then(
    (found) => found.size,
    () => 0,
  )
  if (size < 10 * 1024 * 1024) return size
  await rm(log, { force: true })
  return 0
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('No free port was found on 127.0.0.1')
  return address.port
}
