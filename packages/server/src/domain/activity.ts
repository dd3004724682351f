import { DatabaseUnavailable } from '../core/database-unavailable.ts'
import { connectorId as toConnectorId, mintAuditId, mintEventId, type TenantId } from '../core/ids.ts'
import { isStorable } from '../core/storable-text.ts'
import { markUsed, type ConnectorUse } from '../store/refresh-schedule.ts'
import { addUses, type RecordedUse } from '../store/uses.ts'
import type { Context } from './context.ts'

/** One use of a connector's token. */
export interface Use {
  readonly action: 'token.exported' | 'connector.proxied'
  readonly tenantId: TenantId
  readonly connectorId: string
  readonly place: { readonly space_id: string; readonly collection_id: string }
  readonly actorId: string
  /** Part of what uses are counted by, so few values each: method, path template, status, lease. */
  readonly metadata: Readonly<Record<string, string | number>>
}

/**
 * What happens too often for a row each. Uses are counted in memory and written together: those that differ in nothing
 * but their moment, within a second, become one record with `count`, `first_at` and `last_at`.
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

/** A process that is killed loses the uses of so long at most. */
const flushAfterMs = 200
const tryAgainAfterMs = 1_000
const recordSpanMs = 1_000
/** Records, not uses: some 2 MB. */
const waitingAtMost = 5_000

interface Count {
  readonly use: Use
  readonly firstAt: Date
  lastAt: Date
  count: number
}

export function createActivity(context: Pick<Context, 'database' | 'clock' | 'meter'>): Activity {
  let counts = new Map<string, Count>()
  /** What was sent and perhaps written: it keeps ids and content until that is certain. */
  let sent: readonly RecordedUse[] = []
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> | undefined
  let nextWriting: Promise<void> | undefined
  let isClosed = false

  const add = (key: string, use: Use): void => {
    const now = context.clock.now()
    const known = counts.get(key)
    if (known !== undefined && now.getTime() - known.firstAt.getTime() < recordSpanMs) {
      known.count += 1
      known.lastAt = now
      return
    }
    // A record that has spanned its second goes on under a key that no use has.
    if (known !== undefined) counts.set(`${key}\n${known.firstAt.getTime()}`, known)
    counts.set(key, { use, firstAt: now, lastAt: now, count: 1 })
    flushIn(flushAfterMs)
  }

  const flushIn = (ms: number): void => {
    if (timer !== undefined || isClosed) return
    timer = setTimeout(() => void flush().catch(() => {}), ms)
    // Waiting uses must not hold up the end of a process; whoever ends it closes first.
    timer.unref()
  }

  const write = async (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    sent = [...sent, ...[...counts.values()].map(toRecord)]
    counts = new Map()
    if (sent.length === 0) return
    const written = sent
    try {
      await addAll(context, written)
    } catch (error) {
      context.meter.count('job_failures_total', { work: 'activity' })
      flushIn(tryAgainAfterMs)
      throw error
    }
    sent = []
    // When they were last used is a hint; the record above is what counts.
    await markUsed(context.database.system, lastUses(written)).catch(() => {})
  }

  /** One writes at a time. Who comes meanwhile waits for the next, which holds what they noted; so do all who follow. */
  const flush = (): Promise<void> => {
    if (writing === undefined) {
      writing = write().finally(() => {
        writing = undefined
      })
      return writing
    }
    nextWriting ??= writing
      .catch(() => {})
      .then(() => {
        nextWriting = undefined
        return flush()
      })
    return nextWriting
  }

  return {
    async note(use) {
      const key = keyOf(use)
      if (sent.length + counts.size >= waitingAtMost && !counts.has(key)) await flush()
      add(key, use)
    },
    flush,
    async close() {
      isClosed = true
      await flush()
    },
  }
}

/**
 * Writes all in one statement. When the database refuses a record, the others are written one by one: it must not hold
 * them up for good. Throws `DatabaseUnavailable`; what was written by then is not written again.
 */
async function addAll(context: Pick<Context, 'database' | 'meter'>, uses: readonly RecordedUse[]): Promise<void> {
  const db = context.database.system
  const unlessAway = (error: unknown): void => {
    if (error instanceof DatabaseUnavailable) throw error
  }
  try {
    return await addUses(db, uses)
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

function keyOf(use: Use): string {
  const { action, tenantId, connectorId, place, actorId } = use
  // An actor may hold any character; the ids before it hold no line break, and JSON holds none.
  return `${action}\n${tenantId}\n${connectorId}\n${place.space_id}\n${place.collection_id}\n${JSON.stringify(use.metadata)}\n${actorId}`
}

function toRecord({ use, firstAt, lastAt, count }: Count): RecordedUse {
  const metadata = { ...use.metadata, count, first_at: firstAt.toISOString(), last_at: lastAt.toISOString() }
  return {
    tenantId: use.tenantId,
    id: use.action === 'token.exported' ? mintEventId() : mintAuditId(),
    action: use.action,
    actorId: storable(use.actorId),
    connectorId: toConnectorId(use.connectorId),
    spaceId: use.place.space_id,
    collectionId: use.place.collection_id,
    metadata: JSON.stringify(metadata, (_, value: unknown) => (typeof value === 'string' ? storable(value) : value)),
    lastAt,
  }
}

/** Each connector once, with its last moment. */
function lastUses(uses: readonly RecordedUse[]): readonly ConnectorUse[] {
  const last = new Map<string, ConnectorUse>()
  for (const { tenantId, connectorId: id, lastAt } of uses) {
    const key = `${tenantId}\n${id}`
    const known = last.get(key)
    if (known === undefined || known.usedAt < lastAt) last.set(key, { tenantId, connectorId: id, usedAt: lastAt })
  }
  return [...last.values()]
}

/** One text that the database cannot hold would keep all others from being written, again and again. */
function storable(text: string): string {
  return isStorable(text) ? text : text.toWellFormed().replaceAll('\0', '\u{fffd}')
}
