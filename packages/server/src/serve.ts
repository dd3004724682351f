import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Logger } from 'pino'
import { composeFlows, composeServer, tokenSigner, type Flows, type Settled } from './compose.ts'
import { exitSettings, isTerminal, SettingsError } from './config.ts'
import { plusMs } from './core/clock.ts'
import { makeLoginLink } from './domain/login-link.ts'
import { giveBackMemory } from './give-back-memory.ts'
import { listen } from './http/listen.ts'
import { createProbeServer } from './http/probe-server.ts'
import { createLogger } from './log.ts'
import { createReadiness, type ReadinessSwitch } from './readiness.ts'
import { refuseRetiredKey } from './refuse-retired-key.ts'
import { startOwnSandbox } from './sandbox-provider.ts'
import { settle, type Settlement } from './settle.ts'
import { migrate, NewerDatabase } from './store/migrate.ts'
import type { Tracing } from './tracing.ts'
import { startBackground } from './worker/background.ts'

type Role = 'all' | 'api' | 'worker'

/** All a developer may want to try; the service's own default for tokens without a scope is narrower. */
const developerScope =
  'connectors:connect connectors:read connectors:use connectors:token connectors:manage connectors:admin'

/**
 * Serves until SIGTERM or SIGINT, then lets requests in flight finish and what they refreshed be stored.
 *
 * It listens before the database is there, so that liveness shows; readiness follows the migrations. Answers the exit code.
 */
export async function serve(role: Role): Promise<number> {
  const ended = untilSignal()
  const settlement = await settle((message) => console.error(message))
  const port = settlement.settled.config.port === 0 ? await freePort() : settlement.settled.config.port
  const config = atPort(settlement.settled.config, port)
  const logger = createLogger(config.logLevel)
  const { sandbox, settled } = await withSandbox({ ...settlement, settled: { ...settlement.settled, config } })
  const tracing = await tracingOf(config, role)
  const flows = composeFlows({ ...settled, logger, tracer: tracing?.tracer })
  const readiness = createReadiness({ ...flows.context, waitsForWork: role === 'worker' })
  const parts = { logger, readiness, tracer: tracing?.tracer }
  const { port: metricsPort, isPublic: showsMetrics } = config.metrics
  const app =
    role === 'worker'
      ? createProbeServer({ ...parts, metrics: showsMetrics ? flows.metrics : undefined })
      : await composeServer(settled, flows, parts)
  const metricsApp = createProbeServer({ ...parts, metrics: flows.metrics })
  const end = async (): Promise<void> => {
    await app.close()
    await metricsApp.close()
    await flows.close()
    await tracing?.close()
    await sandbox?.close()
    await settlement.stopDatabase()
  }
  const isListening =
    (await listen(app, config.host, port, 'PORT')) &&
    (metricsPort === undefined || (await listen(metricsApp, config.host, metricsPort, 'METRICS_PORT')))
  if (!isListening) {
    await end()
    return 1
  }
  const stopping = new AbortController()
  const ready = migrateWhenPossible(settled, flows, logger, stopping.signal).then(async (isDone) => {
    if (!isDone) return false
    readiness.migrated()
    await orGoOn(logger, warnAboutRowSecurity(flows, logger))
    if (role !== 'worker') await orGoOn(logger, greet(settled, flows))
    return true
  })
  const background = runJobsAfter(ready, role, { flows, readiness }, logger, stopping.signal)
  const failure = await Promise.race([ended, ready.then(() => ended, asReasonToEnd)])
  readiness.draining()
  // Load balancers see that it is not ready while it still answers; then it lets go of its port.
  if (failure === undefined) await wait(config.drainDelayMs)
  stopping.abort()
  await Promise.all([background, app.close()])
  await end()
  if (failure === undefined) return 0
  console.error(failure.message)
  return failure instanceof SettingsError ? exitSettings : 1
}

/** Nothing of it is loaded where no collector is named. */
async function tracingOf(config: Settled['config'], role: Role): Promise<Tracing | undefined> {
  if (config.tracesEndpoint === undefined) return undefined
  const { startTracing } = await import('./tracing.ts')
  return startTracing(config.tracesEndpoint, role)
}

function untilSignal(): Promise<undefined> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve(undefined))
    process.once('SIGINT', () => resolve(undefined))
  })
}

/** The failures that end the service by themselves; anything else is a fault of the program. */
function asReasonToEnd(error: unknown): NewerDatabase | SettingsError {
  if (error instanceof NewerDatabase || error instanceof SettingsError) return error
  throw error
}

/** With `PORT=0` the system picks, and the public address follows. */
function atPort(config: Settled['config'], port: number): Settled['config'] {
  return config.port === port ? config : { ...config, port, publicUrl: config.publicUrl.replace(/:0$/, `:${port}`) }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

async function withSandbox({ settled, secrets }: Settlement) {
  if (secrets === undefined) return { sandbox: undefined, settled: { ...settled, ownProvider: undefined } }
  const { sandbox, provider } = await startOwnSandbox(settled.config.dataDir, secrets, settled.config.port + 1)
  return { sandbox, settled: { ...settled, ownProvider: provider } }
}

const tryAgainMs = 1_000

/**
 * A database that is down at the start is waited for; answers `false` when told to stop first. Throws `NewerDatabase`,
 * and `SettingsError` when the database says that the first key is retired.
 */
async function migrateWhenPossible(
  settled: Settled,
  flows: Flows,
  logger: Logger,
  stopping: AbortSignal,
): Promise<boolean> {
  while (!stopping.aborted) {
    try {
      const { applied } = await migrate(settled.databaseUrl)
      if (applied.length > 0) logger.info({ migrations: applied }, 'migrated')
      await refuseRetiredKey(flows, logger)
      return true
    } catch (error) {
      if (error instanceof NewerDatabase || error instanceof SettingsError) throw error
      const reason = error instanceof Error ? error.message : 'unknown'
      logger.warn({ reason }, 'the database cannot be migrated yet; trying again')
      await wait(tryAgainMs, undefined, { signal: stopping }).catch(() => {})
    }
  }
  return false
}

/** What is only told must not end a service that can do its work, or will once the database is back. */
async function orGoOn(logger: Logger, telling: Promise<void>): Promise<void> {
  await telling.catch((error: unknown) => {
    logger.warn({ reason: error instanceof Error ? error.name : 'unknown' }, 'the start could not be told in full')
  })
}

async function warnAboutRowSecurity(flows: Flows, logger: Logger): Promise<void> {
  if (await flows.context.database.isBoundByRowSecurity()) return
  logger.warn(
    'DATABASE_URL names a superuser or a BYPASSRLS role: row-level security does not stand behind the queries',
  )
}

/** An API process only wakes workers; the others work as well. Ends when told to stop, once what runs has ended. */
async function runJobsAfter(
  ready: Promise<boolean>,
  role: Role,
  { flows, readiness }: { readonly flows: Flows; readonly readiness: ReadinessSwitch },
  logger: Logger,
  stopping: AbortSignal,
): Promise<void> {
  // Why it is not ready is told where `ready` is waited for.
  const isReady = await ready.catch(() => false)
  if (!isReady) return
  const running = await startedJobs(role, flows, logger, stopping)
  giveBackMemory()
  readiness.working()
  if (!stopping.aborted) await once(stopping, 'abort')
  await running?.stop()
}

async function startedJobs(role: Role, flows: Flows, logger: Logger, stopping: AbortSignal) {
  while (!stopping.aborted) {
    try {
      if (role !== 'api') return await startBackground(flows.context, flows.jobs, logger)
      await flows.jobs.start((error) => logger.warn({ error: error.name }, 'the job queue has trouble; trying again'))
      return flows.jobs
    } catch (error) {
      const reason = error instanceof Error ? error.name : 'unknown'
      logger.warn({ reason }, 'the job queue cannot be reached yet; trying again')
      await wait(tryAgainMs, undefined, { signal: stopping }).catch(() => {})
    }
  }
  return undefined
}

/** Tells a developer where to click and what to send; says nothing in production. */
async function greet(settled: Settled, flows: Flows): Promise<void> {
  const { config, jwtSecret } = settled
  if (config.isProduction) {
    if (isTerminal()) console.log(`Ready on ${config.publicUrl}`)
    return
  }
  const tenantId = config.auth.defaultTenant ?? 'default'
  const who = { tenantId, subject: 'developer', scope: developerScope }
  const lines = [
    '',
    `  connector-oauth is ready`,
    `  API          ${config.publicUrl}/v1   reference: ${config.publicUrl}/docs`,
  ]
  if (settled.ownProvider !== undefined)
    lines.push(`  Sandbox      ${settled.ownProvider.definition.issuer ?? ''}   any user name signs in`)
  if (jwtSecret !== undefined) {
    const link = await makeLoginLink(flows.context, who)
    const expiresAt = plusMs(flows.context.clock.now(), 8 * 60 * 60_000)
    const token = await tokenSigner(config, jwtSecret)({ ...who, expiresAt })
    lines.push(
      `  Dashboard    ${link.reveal()}`,
      `               opens once, within 15 minutes`,
      '',
      `  A bearer token for curl, good for 8 hours:`,
      `  export TOKEN=${token}`,
    )
  }
  console.log([...lines, ''].join('\n'))
}
