import { DatabaseUnavailable } from '../core/database-unavailable.ts'
import { markUsed, type ConnectorUse } from '../store/refresh-schedule.ts'
import { addUses, type RecordedUse } from '../store/uses.ts'
import type { Context } from './context.ts'
import { recordUses } from './record-uses.ts'
import { createTallies, type Use } from './use-tallies.ts'

/**
 * What happens too often for a row each. Uses are counted in memory and written together: those that differ in nothing
 * but their moment become one record with `count`, `first_at` and `last_at`.
 */
export interface Activity {
  /**
   * Notes a use. Resolves at once, unless so much waits to be written that the caller must wait too; then it throws
   * `DatabaseUnavailable` rather than let a use go unrecorded.
   */
  note(use: Use): Promise<void>
  /** Writes what waits, so that what comes after can read it. */
  flush(): Promise<void>
  /** Writes what waits, and nothing later by itself. */
  close(): Promise<void>
}

const tryAgainAfterMs = 1_000
/** Records, not uses: some 2 MB. */
const waitingAtMost = 5_000
/** So many are written without waiting for their time. */
const writtenTogether = 2_000

/** Far from the five seconds that repeated uses are counted for, and from the five minutes that lists leave for what comes late. */
const heldUpAfterMs = 60_000

/** A connector's row is large: that it is in use is written once in so long. */
const markEveryMs = 10_000
const markedAtMost = 20_000

export function createActivity(context: Pick<Context, 'database' | 'clock' | 'meter'>): Activity {
  const tallies = createTallies()
  /** What was sent and perhaps written: it keeps ids and content until that is certain. */
  let sent: readonly RecordedUse[] = []
  let timer: { readonly handle: NodeJS.Timeout; readonly atMs: number } | undefined
  let writing: Promise<void> | undefined
  let nextWriting: Promise<void> | undefined
  let isClosed = false
  const marked = new Map<string, number>()
  const noted = Promise.resolve()

  const count = (use: Use, nowMs: number): void => {
    const dueAtMs = tallies.count(use, nowMs)
    // Whoever writes, or tries again, sees to the rest.
    if (dueAtMs === undefined || sent.length > 0) return
    if (tallies.waiting >= writtenTogether) flush().catch(() => {})
    else writeAt(dueAtMs)
  }

  const countWhenThereIsRoom = async (use: Use, nowMs: number): Promise<void> => {
    await flush()
    count(use, nowMs)
  }

  const writeAt = (atMs: number): void => {
    if (isClosed || (timer !== undefined && timer.atMs <= atMs)) return
    clearTimeout(timer?.handle)
    const handle = setTimeout(writeDue, Math.max(0, atMs - performance.now()))
    // Waiting uses must not hold up the end of a process; whoever ends it closes first.
    handle.unref()
    timer = { handle, atMs }
  }

  const writeDue = (): void => {
    timer = undefined
    // Whoever writes sets the time of the next writing at the end.
    if (writing === undefined) start('due').catch(() => {})
  }

  const write = async (which: 'due' | 'all'): Promise<void> => {
    // Of what was sent already nobody knows whether it is written, and what is linked may be written once only.
    const isNew = sent.length === 0
    sent = [...sent, ...tallies.take(which)]
    if (sent.length === 0) return
    const written = sent
    try {
      await addAll(context, datedWhenWritten(written, context.clock.now()), isNew)
    } catch (error) {
      context.meter.count('job_failures_total', { work: 'activity' })
      writeAt(performance.now() + tryAgainAfterMs)
      throw error
    }
    sent = []
    // When they were last used is a hint; the record above is what counts.
    await markUsed(context.database.system, lastUses(written, marked)).catch(() => {})
  }

  const start = (which: 'due' | 'all'): Promise<void> => {
    writing = write(which).finally(() => {
      writing = undefined
      const nextMs = tallies.nextDueMs()
      if (sent.length === 0 && nextMs !== undefined) writeAt(nextMs)
    })
    return writing
  }

  /** One writes at a time. Who comes meanwhile waits for the next, which holds what they noted; so do all who follow. */
  const flush = (): Promise<void> => {
    if (writing === undefined) return start('all')
    nextWriting ??= writing
      .catch(() => {})
      .then(() => {
        nextWriting = undefined
        return flush()
      })
    return nextWriting
  }

  return {
    note(use) {
      const nowMs = context.clock.now().getTime()
      if (sent.length + tallies.waiting >= waitingAtMost && !tallies.isWaiting(use, nowMs))
        return countWhenThereIsRoom(use, nowMs)
      count(use, nowMs)
      return noted
    },
    flush,
    async close() {
      isClosed = true
      clearTimeout(timer?.handle)
      await flush()
    },
  }
}

/**
 * Records go by the moments of their writing where they were held up: lists find a time by halving the order of positions,
 * which must go with the time. When the uses were stands in their metadata.
 */
function datedWhenWritten(uses: readonly RecordedUse[], now: Date): readonly RecordedUse[] {
  return uses.map((use) => (now.getTime() - use.lastAt.getTime() > heldUpAfterMs ? { ...use, createdAt: now } : use))
}

/**
 * Writes all together. When the database refuses a record, the others are written one by one: it must not hold
 * them up for good. Throws `DatabaseUnavailable`; what was written by then is not written again.
 */
async function addAll(
  context: Pick<Context, 'database' | 'clock' | 'meter'>,
  uses: readonly RecordedUse[],
  isNew: boolean,
): Promise<void> {
  const db = context.database.system
  const unlessAway = (error: unknown): void => {
    if (error instanceof DatabaseUnavailable) throw error
  }
  try {
    return isNew ? await recordUses(context, uses) : await addUses(db, uses)
  } catch (error) {
    unlessAway(error)
  }
  for (const use of uses) {
    await addUses(db, [use]).catch((error: unknown) => {
      unlessAway(error)
      context.meter.count('job_failures_total', { work: 'activity' })
    })
  }
}

/** Each connector once, with its last moment; not those that were marked a moment ago, which `marked` tells. */
function lastUses(uses: readonly RecordedUse[], marked: Map<string, number>): readonly ConnectorUse[] {
  const last = new Map<string, ConnectorUse>()
  if (marked.size > markedAtMost) marked.clear()
  for (const { action, tenantId, connectorId: id, lastAt } of uses) {
    if (action === 'token.refused') continue
    const key = `${tenantId}\n${id}`
    const known = last.get(key)
    if (known !== undefined && known.usedAt >= lastAt) continue
    if (Math.abs(lastAt.getTime() - (marked.get(key) ?? 0)) < markEveryMs) continue
    last.set(key, { tenantId, connectorId: id, usedAt: lastAt })
  }
  for (const [key, { usedAt }] of last) marked.set(key, usedAt.getTime())
  return [...last.values()]
}
