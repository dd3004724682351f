/**
 * The worker: work that no request waits for. Any number of processes may run it; rows are claimed one by one.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Context } from '../domain/context.ts'
import { works } from './works.ts'

export interface Background {
  /** Lets what runs now end, and starts nothing more. */
  stop(): Promise<void>
}

/** Does every kind of background work, again and again, until it is stopped. */
export function startBackground(context: Context, logger: Logger): Background {
  const stopping = new AbortController()
  const loops = works.map(({ work, everyMs, run }) =>
    repeat(work, everyMs, () => run(context), logger, stopping.signal),
  )
  return {
    async stop() {
      stopping.abort()
      await Promise.all(loops)
    },
  }
}

async function repeat(
  name: string,
  everyMs: number,
  work: () => Promise<unknown>,
  logger: Logger,
  stopping: AbortSignal,
): Promise<void> {
  while (!stopping.aborted) {
    try {
      await work()
    } catch (error) {
      // The rows stay as they are, and the next round finds them.
      logger.warn({ work: name, error: error instanceof Error ? error.name : 'unknown' }, 'background work failed')
    }
    await wait(everyMs * (0.75 + Math.random() / 2), undefined, { signal: stopping }).catch(() => {})
  }
}
