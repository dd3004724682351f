/**
 * The worker: work that no request waits for. Any number of processes may run it; each kind is done by one at a time.
 */
import type { Logger } from 'pino'
import type { Context } from '../domain/context.ts'
import type { Work } from '../domain/work.ts'
import type { Jobs } from '../store/jobs.ts'
import { works } from './works.ts'

export interface Background {
  /** Lets what runs now end, and starts nothing more. */
  stop(): Promise<void>
}

/** Portions in one turn; what is left is done in the next, which may be another process's. */
const portionsInTurn = 100

/** Does every kind of background work, whenever somebody is woken and now and then, until it is stopped. */
export async function startBackground(context: Context, jobs: Jobs<Work>, logger: Logger): Promise<Background> {
  const stopping = new AbortController()
  const { signal } = stopping
  await jobs.work(
    works.map(({ work, everyMs, run }) => ({
      queue: work,
      everyMs,
      async run() {
        logger.debug({ work }, 'background work begins')
        try {
          const left = await context.meter.step('work', { work }, () => runPortions(() => run(context, signal), signal))
          logger.debug({ work, left }, 'background work ends')
          return left
        } catch (error) {
          // The rows stay as they are, and the next turn finds them.
          logger.warn({ work, ...describe(error) }, 'background work failed')
          context.meter.count('job_failures_total', { work })
          return 'done'
        }
      },
    })),
    (error) => logger.warn(describe(error), 'the job queue has trouble; trying again'),
  )
  return {
    async stop() {
      stopping.abort()
      await jobs.stop()
    },
  }
}

async function runPortions(run: () => Promise<number>, stopping: AbortSignal): Promise<'done' | 'more'> {
  for (let portion = 0; portion < portionsInTurn; portion += 1) {
    if (stopping.aborted || (await run()) === 0) return 'done'
  }
  return 'more'
}

/** Class and code, never the message: a driver's may quote what it was given. */
function describe(error: unknown): { readonly error: string; readonly code: string | undefined } {
  if (!(error instanceof Error)) return { error: 'unknown', code: undefined }
  return { error: error.name, code: 'code' in error && typeof error.code === 'string' ? error.code : undefined }
}
