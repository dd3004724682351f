/**
 * The store: PostgreSQL, and SQL in sight. This file owns the driver; one file per family of tables stands beside it.
 */
import pg from 'pg'
import { DatabaseUnavailable } from '../core/database-unavailable.ts'
import type { TenantId } from '../core/ids.ts'
import { BatchingSocket } from './batching-socket.ts'
import { runPrepared } from './run-prepared.ts'
import { createReaders, openSharedReader } from './shared-reader.ts'

/** A prepared statement; `name` must be unique, since PostgreSQL plans it once per connection under it. */
export interface Statement {
  readonly name: string
  readonly text: string
  /** Shares a connection with others, see {@link lookup}. */
  readonly isLookup?: true
}

/** Declares a prepared statement. Unnamed statements are planned on every call, at nearly half the rate. */
export function statement(name: string, text: string): Statement {
  return { name, text }
}

/**
 * Declares a prepared select that finds few rows by an index and takes no lock. Outside of transactions, lookups of all
 * callers share few connections, where none waits for the other's round trip.
 */
export function lookup(name: string, text: string): Statement {
  return { name, text, isLookup: true }
}

/**
 * For the rest of a transaction, in a select: plans each statement anew. Where a table may grow from nothing to millions of
 * rows, a plan that is kept from before would go over all of them.
 */
export const planAnew = `set_config('plan_cache_mode', 'force_custom_plan', true)`

/** Something that runs statements with the reach of one tenant, or of the named system statements. */
export interface Db {
  query<Row extends object>(statement: Statement, values: readonly unknown[]): Promise<Row[]>
}

/** How the connections of this process are used. */
export interface PoolUse {
  readonly inUse: number
  readonly idle: number
  /** Callers that wait for a connection. */
  readonly waiting: number
}

export interface Database {
  /** Runs statements that see one tenant's rows only. */
  tenant(tenantId: TenantId): Db
  /** Runs statements that must find rows before the tenant is known, or serve all tenants. */
  readonly system: Db
  /** Runs `work` in one transaction with one tenant's reach; rolls back when it throws. */
  transaction<T>(tenantId: TenantId, work: (db: Db) => Promise<T>): Promise<T>
  /** The same with the reach of all tenants: for what belongs to the deployment. */
  systemTransaction<T>(work: (db: Db) => Promise<T>): Promise<T>
  /** Whether row-level security binds this role; superusers and BYPASSRLS roles pass through it. */
  isBoundByRowSecurity(): Promise<boolean>
  ping(): Promise<void>
  poolUse(): PoolUse
  close(): Promise<void>
}

const setReach = statement('reach', `select set_config('connector_oauth.reach', $1, false)`)

/** Opens a pool. Nothing is connected until the first statement, so a database that is down does not stop the start. */
export function openDatabase(databaseUrl: string, options: { readonly poolSize?: number } = {}): Database {
  const connection = {
    connectionString: databaseUrl,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 15_000,
    query_timeout: 20_000,
    idle_in_transaction_session_timeout: 30_000,
    application_name: 'connector-oauth',
    pipeline: true,
    stream: () => new BatchingSocket(),
  }
  // What a peak has opened goes again: each takes some 5 MB of PostgreSQL's memory.
  const pool = new pg.Pool({ ...connection, max: options.poolSize ?? 10, idleTimeoutMillis: 10_000 })
  // An idle connection that the server closes must not end the process; the next checkout opens another.
  pool.on('error', () => {})
  // Nor one that it closes while it is in use: the statement on it fails, and that tells the caller.
  pool.on('connect', (client) => void client.on('error', () => {}))
  const reaches = new WeakMap<pg.PoolClient, string>()

  /** Sends the reach and the statement together: one round trip, and nothing at all when the reach already fits. */
  const query = async <Row extends object>(reach: string, text: Statement, values: readonly unknown[]) => {
    const client = await connect()
    let broken: Error | undefined
    try {
      if (reaches.get(client) === reach) return (await runPrepared<Row>(client, text, values)).rows
      reaches.delete(client)
      const [, result] = await Promise.all([
        runPrepared(client, setReach, [reach]),
        runPrepared<Row>(client, text, values),
      ])
      reaches.set(client, reach)
      return result.rows
    } catch (error) {
      if (isUnavailable(error)) {
        broken = new DatabaseUnavailable(error)
        throw broken
      }
      throw error
    } finally {
      client.release(broken)
    }
  }

  const connect = async (): Promise<pg.PoolClient> => {
    try {
      return await pool.connect()
    } catch (error) {
      throw new DatabaseUnavailable(error)
    }
  }

  const inTransaction = async <T>(reach: string, work: (db: Db) => Promise<T>): Promise<T> => {
    const client = await connect()
    let broken: Error | undefined
    try {
      reaches.delete(client)
      // The first statement follows at once. It cannot run ahead: PostgreSQL keeps the order, and refuses what comes
      // after a reach that could not be set.
      const begun = Promise.all([runPrepared(client, begin, []), runPrepared(client, setReach, [reach])])
      begun.catch(() => {})
      const result = await work({
        async query(text, values) {
          const [, { rows }] = await Promise.all([begun, runPrepared(client, text, values)])
          return rows as never[]
        },
      })
      await begun
      const ended = await runPrepared(client, commit, [])
      // A statement that failed and was swallowed turns `commit` into a rollback, which PostgreSQL only mentions.
      if (ended.command !== 'COMMIT') throw new Error('The transaction was rolled back: a statement in it had failed')
      reaches.set(client, reach)
      return result
    } catch (error) {
      if (isUnavailable(error)) broken = new DatabaseUnavailable(error)
      // A setting made inside a transaction that rolls back is undone with it, so no reach is known here.
      await runPrepared(client, rollback, []).catch((rollbackError: unknown) => {
        broken ??= new DatabaseUnavailable(rollbackError)
      })
      throw broken ?? error
    } finally {
      client.release(broken)
    }
  }

  const readers = createReaders(() => openSharedReader(connection, setReach))
  const look = async <Row extends object>(reach: string, text: Statement, values: readonly unknown[]) => {
    const reader = await readers.of(reach).catch((error: unknown) => {
      throw new DatabaseUnavailable(error)
    })
    try {
      return await reader.read<Row>(reach, text, values)
    } catch (error) {
      throw isUnavailable(error) ? new DatabaseUnavailable(error) : error
    }
  }

  const withReach = (reach: string): Db => ({
    query: (text, values) => (text.isLookup ? look(reach, text, values) : query(reach, text, values)),
  })

  return {
    tenant: (tenantId) => withReach(`=${tenantId}`),
    system: withReach('*'),
    transaction: (tenantId, work) => inTransaction(`=${tenantId}`, work),
    systemTransaction: (work) => inTransaction('*', work),
    async isBoundByRowSecurity() {
      const rows = await query<{ bound: boolean }>('*', boundByRowSecurity, [])
      return rows[0]?.bound ?? false
    },
    async ping() {
      await query('*', ping, [])
    },
    poolUse: () => ({
      inUse: pool.totalCount - pool.idleCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
    }),
    async close() {
      await Promise.all([readers.close(), pool.end()])
    },
  }
}

const begin = statement('begin', 'begin')
const commit = statement('commit', 'commit')
const rollback = statement('rollback', 'rollback')
const ping = statement('ping', 'select 1')
const boundByRowSecurity = statement(
  'role.bound',
  `select not (rolsuper or rolbypassrls) as bound
   from pg_roles
   where rolname = current_user`,
)

/** SQLSTATE classes 08 (connection), 53 (resources), 57P (shutdown), and what the driver says without a state. */
function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
  if (code === undefined) return /terminated|timeout|not queryable|Connection|closed/i.test(error.message)
  return /^(08|53|57P)/.test(code) || /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|ENOENT)/.test(code)
}
