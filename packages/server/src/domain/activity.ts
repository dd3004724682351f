import { DatabaseUnavailable } from '../core/database-unavailable.ts'
import { connectorId as toConnectorId, mintAuditId, mintEventId, type TenantId } from '../core/ids.ts'
import { isStorable } from '../core/storable-text.ts'
import { markUsed, type ConnectorUse } from '../store/refresh-schedule.ts'
import { addUses, type RecordedUse } from '../store/uses.ts'
import type { Context } from './context.ts'
import { recordUses } from './record-uses.ts'

/** One use of a connector's token, or one that was refused. */
export interface Use {
  readonly action: RecordedUse['action']
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

/** A connector's row is large: that it is in use is written once in so long. */
const markEveryMs = 10_000
const markedAtMost = 20_000

/** Of one connector's records, so many of the last may take another use. */
const comparedAtMost = 8

interface Count {
  readonly use: Use
  readonly firstMs: number
  lastMs: number
  count: number
}

export function createActivity(context: Pick<Context, 'database' | 'clock' | 'meter'>): Activity {
  /** By connector. */
  let counts = new Map<string, Count[]>()
  let waiting = 0
  /** What was sent and perhaps written: it keeps ids and content until that is certain. */
  let sent: readonly RecordedUse[] = []
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> | undefined
  let nextWriting: Promise<void> | undefined
  let isClosed = false
  const marked = new Map<string, number>()
  const noted = Promise.resolve()

  /** Counts a use in a record that waits already, if there is one for it. On the way of every token read. */
  const countAgain = (use: Use, nowMs: number): boolean => {
    const known = counts.get(use.connectorId)
    if (known === undefined) return false
    for (let index = known.length - 1; index >= Math.max(0, known.length - comparedAtMost); index -= 1) {
      const record = known[index]
      if (record === undefined || nowMs - record.firstMs >= recordSpanMs || !isAlike(record.use, use)) continue
      record.count += 1
      record.lastMs = nowMs
      return true
    }
    return false
  }

  const add = (use: Use, nowMs: number): void => {
    const record = { use, firstMs: nowMs, lastMs: nowMs, count: 1 }
    const known = counts.get(use.connectorId)
    if (known === undefined) counts.set(use.connectorId, [record])
    else known.push(record)
    waiting += 1
    flushIn(flushAfterMs)
  }

  const addWhenThereIsRoom = async (use: Use, nowMs: number): Promise<void> => {
    await flush()
    add(use, nowMs)
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
    // Of what was sent already nobody knows whether it is written, and what is linked may be written once only.
    const isNew = sent.length === 0
    sent = [...sent, ...[...counts.values()].flat().map(toRecord)]
    counts = new Map()
    waiting = 0
    if (sent.length === 0) return
    const written = sent
    try {
      await addAll(context, written, isNew)
    } catch (error) {
      context.meter.count('job_failures_total', { work: 'activity' })
      flushIn(tryAgainAfterMs)
      throw error
    }
    sent = []
    // When they were last used is a hint; the record above is what counts.
    await markUsed(context.database.system, lastUses(written, marked)).catch(() => {})
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
    note(use) {
      const nowMs = context.clock.now().getTime()
      if (countAgain(use, nowMs)) return noted
      if (sent.length + waiting >= waitingAtMost) return addWhenThereIsRoom(use, nowMs)
      add(use, nowMs)
      return noted
    },
    flush,
    async close() {
      isClosed = true
      await flush()
    },
  }
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

/** Whether two uses of one connector differ in nothing but their moment. */
function isAlike(one: Use, other: Use): boolean {
  return (
    one.action === other.action &&
    one.actorId === other.actorId &&
    one.tenantId === other.tenantId &&
    one.place.space_id === other.place.space_id &&
    one.place.collection_id === other.place.collection_id &&
    areEqual(one.metadata, other.metadata)
  )
}

function areEqual(one: Use['metadata'], other: Use['metadata']): boolean {
  const names = Object.keys(one)
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name])
}

function toRecord({ use, firstMs, lastMs, count }: Count): RecordedUse {
  const [firstAt, lastAt] = [new Date(firstMs), new Date(lastMs)]
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

/** One text that the database cannot hold would keep all others from being written, again and again. */
function storable(text: string): string {
  return isStorable(text) ? text : text.toWellFormed().replaceAll('\0', '\u{fffd}')
}
