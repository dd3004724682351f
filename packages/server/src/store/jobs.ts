/**
 * The alarm clock: pg-boss tells workers that there is something to do, and lets one process at a time do it. What there
 * is to do stands in the service's own tables; a job carries nothing but the name of its queue.
 */
import { PgBoss } from 'pg-boss'
import type { Db } from './database.ts'
import { jobsSchema } from './jobs-schema.ts'

/** What one queue's jobs set off. */
export interface JobRunner<Queue extends string> {
  readonly queue: Queue
  /** A job is added this often even if nobody was woken. Over all processes together. */
  readonly everyMs: number
  /** Runs in one process at a time. Answers whether there is more to do than one turn should take. Must not throw. */
  readonly run: () => Promise<'done' | 'more'>
}

export interface Jobs<Queue extends string> {
  /**
   * Adds a job as part of the caller's transaction, which tells the workers when it commits.
   *
   * Does nothing before `start`: the queues are looked at regularly anyway.
   */
  wake(db: Db, queue: Queue): Promise<void>
  /** Connects for sending; the migrations must be done. */
  start(onTrouble: TroubleListener): Promise<void>
  /** Connects for sending and working: fetches jobs until `stop`. The migrations must be done. */
  work(runners: readonly JobRunner<Queue>[], onTrouble: TroubleListener): Promise<void>
  /** Lets what runs now end, and fetches nothing more. */
  stop(): Promise<void>
}

export interface JobsSettings<Queue extends string> {
  readonly databaseUrl: string
  readonly queues: readonly Queue[]
}

/** Told of failures that pg-boss gets over by itself, such as a database that is away. */
export type TroubleListener = (error: Error) => void

/** A dead process shows after this long, the shortest that pg-boss allows. */
const heartbeatSeconds = 10
const superviseSeconds = 2
/** Only while no notification comes through: a queue that listens is told. */
const pollSeconds = 2
const backstopPollSeconds = 5
/** Longer than any run should take; what runs longer loses its claim, and its rows' claims protect it still. */
const longestRunSeconds = 15 * 60
/** How long `stop` waits for what runs. */
const stopWithinMs = 60_000

/** Nothing is connected until `start` or `work`. */
export function openJobs<Queue extends string>(settings: JobsSettings<Queue>): Jobs<Queue> {
  let boss: PgBoss | undefined
  let timers: NodeJS.Timeout[] = []
  return {
    async wake(db, queue) {
      await boss?.send(queue, null, { db: within(db, queue) })
    },
    async start(onTrouble) {
      boss ??= await startBoss(settings, 'sends', onTrouble)
    },
    async work(runners, onTrouble) {
      const working = await startBoss(settings, 'works', onTrouble)
      boss = working
      for (const { queue, everyMs, run } of runners) {
        await working.work(queue, workOptions, async () => {
          // All that was committed until now is done by this run; a job that comes later leads to another.
          await working.deleteQueuedJobs(queue)
          if ((await run()) === 'more') await working.send(queue, null, {})
        })
        const look = (): void => void working.send(queue, null, onceEvery(everyMs)).catch(onTrouble)
        timers.push(setInterval(look, everyMs))
        look()
      }
    },
    async stop() {
      for (const timer of timers) clearInterval(timer)
      timers = []
      await boss?.stop({ timeout: stopWithinMs })
      boss = undefined
    },
  }
}

async function startBoss(
  settings: JobsSettings<string>,
  role: 'sends' | 'works',
  onTrouble: TroubleListener,
): Promise<PgBoss> {
  const isWorker = role === 'works'
  const boss = new PgBoss({
    connectionString: settings.databaseUrl,
    schema: jobsSchema,
    application_name: 'connector-oauth jobs',
    max: 1,
    connectionTimeoutMillis: 5_000,
    useListenNotify: isWorker,
    supervise: isWorker,
    superviseIntervalSeconds: superviseSeconds,
    monitorIntervalSeconds: superviseSeconds,
    maintenanceIntervalSeconds: 60,
    // Index builds that a new version of pg-boss leaves for later are done by workers.
    migrate: isWorker,
    schedule: false,
    reindex: isWorker,
    monitorVacuum: false,
    registerInstance: false,
    openTelemetry: { enabled: false },
  })
  // Without a listener an error on one of its connections would end the process.
  boss.on('error', onTrouble)
  try {
    await boss.start()
    const known = new Set((await boss.getQueues()).map((queue) => queue.name))
    for (const queue of settings.queues) if (!known.has(queue)) await boss.createQueue(queue, queueOptions)
    return boss
  } catch (error) {
    await boss.stop({ graceful: false })
    throw error
  }
}

const queueOptions = {
  // Any number may wait, one is active: a wake never waits for another transaction's, and none is lost to a run under way.
  policy: 'singleton',
  notify: true,
  heartbeatSeconds,
  expireInSeconds: longestRunSeconds,
  retentionSeconds: 24 * 60 * 60,
  deleteAfterSeconds: 60,
} as const

const workOptions = {
  pollingIntervalSeconds: pollSeconds,
  notifyPollingIntervalSeconds: backstopPollSeconds,
  heartbeatRefreshSeconds: heartbeatSeconds / 4,
} as const

/** One job in this time, however many processes ask for it. */
function onceEvery(everyMs: number) {
  return { singletonSeconds: Math.max(1, Math.round(everyMs / 1000)) }
}

/** Lets pg-boss run its one insert on a connection of the service's own. */
function within(db: Db, queue: string) {
  return {
    // Named, so that it is planned once a connection; its text depends on the queue alone.
    executeSql: async (text: string, values: unknown[] = []) => ({
      rows: await db.query({ name: `jobs.send.${queue}`, text }, values),
    }),
  }
}
