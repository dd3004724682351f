import { connectorId as toConnectorId, mintAuditId, mintEventId, type TenantId } from '../core/ids.ts'
import { isStorable } from '../core/storable-text.ts'
import type { RecordedUse } from '../store/uses.ts'

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
 * Counts uses that differ in nothing but their moment. The first is to be written a moment later; those that repeat what
 * was written are counted for some seconds before they are to be written as well.
 */
export interface Tallies {
  /** How many records wait to be written. */
  readonly waiting: number
  /** Whether a record waits that this use would only add to. */
  isWaiting(use: Use, nowMs: number): boolean
  /** Counts a use. Answers when to write it, on the monotonic clock, unless a record takes it that waits already. */
  count(use: Use, nowMs: number): number | undefined
  /** When the first that waits is to be written; `undefined` where nothing waits. */
  nextDueMs(): number | undefined
  /** Hands over what waits: all of it, or what is due within a second. */
  take(which: 'due' | 'all'): RecordedUse[]
}

/** A process that is killed loses the uses of so long at most … */
const writtenAfterMs = 200
/** … and of those that only repeat what it wrote, how many there were in so long. No record spans more. */
const repeatsForMs = 5_000

/** What is due so soon goes along with what is due now: one writing a second for all costs little, one each would cost much. */
const goesAlongMs = 1_000

/** So many of those that nothing waits in, some 10 MB; a use whose tally was forgotten costs a record more. */
const idleAtMost = 20_000

/** Of one connector's tallies, so many of the last may take another use. */
const comparedAtMost = 16

/** `count` are not written yet. */
interface Tally {
  readonly use: Use
  count: number
  firstMs: number
  lastMs: number
  /** When to write what waits, or until when uses only repeat what is written; on the monotonic clock. */
  untilMs: number
}

export function createTallies(): Tallies {
  /** By connector. */
  const tallies = new Map<string, Tally[]>()
  let waiting = 0

  /** A tally that may take the use. On the way of every token read. */
  const find = (use: Use, nowMs: number): Tally | undefined => {
    const known = tallies.get(use.connectorId)
    if (known === undefined) return undefined
    for (let index = known.length - 1; index >= Math.max(0, known.length - comparedAtMost); index -= 1) {
      const tally = known[index]
      if (tally === undefined || !isAlike(tally.use, use)) continue
      return tally.count > 0 && nowMs - tally.firstMs >= repeatsForMs ? undefined : tally
    }
    return undefined
  }

  const add = (use: Use, nowMs: number): Tally => {
    const tally = { use, count: 0, firstMs: nowMs, lastMs: nowMs, untilMs: 0 }
    const ofConnector = tallies.get(use.connectorId)
    if (ofConnector === undefined) tallies.set(use.connectorId, [tally])
    else ofConnector.push(tally)
    return tally
  }

  const keep = (isKept: (tally: Tally) => boolean): void => {
    for (const [connectorId, ofConnector] of tallies) {
      const kept = ofConnector.filter(isKept)
      if (kept.length === 0) tallies.delete(connectorId)
      else if (kept.length < ofConnector.length) tallies.set(connectorId, kept)
    }
  }

  return {
    get waiting() {
      return waiting
    },
    isWaiting: (use, nowMs) => (find(use, nowMs)?.count ?? 0) > 0,
    count(use, nowMs) {
      const tally = find(use, nowMs) ?? add(use, nowMs)
      tally.count += 1
      tally.lastMs = nowMs
      if (tally.count > 1) return undefined
      waiting += 1
      tally.firstMs = nowMs
      tally.untilMs = Math.max(tally.untilMs, performance.now() + writtenAfterMs)
      return tally.untilMs
    },
    nextDueMs() {
      const dues = [...tallies.values()].flat().filter(({ count }) => count > 0)
      return dues.reduce<number | undefined>((first, { untilMs }) => Math.min(first ?? untilMs, untilMs), undefined)
    },
    take(which) {
      const nowMs = performance.now()
      const taken: RecordedUse[] = []
      for (const tally of [...tallies.values()].flat()) {
        if (tally.count === 0 || (which === 'due' && tally.untilMs > nowMs + goesAlongMs)) continue
        taken.push(toRecord(tally))
        tally.count = 0
        tally.untilMs = nowMs + repeatsForMs
      }
      waiting -= taken.length
      keep(({ untilMs }) => untilMs > nowMs)
      if ([...tallies.values()].flat().length - waiting > idleAtMost) keep(({ count }) => count > 0)
      return taken
    },
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

function toRecord({ use, firstMs, lastMs, count }: Tally): RecordedUse {
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
    createdAt: lastAt,
  }
}

/** One text that the database cannot hold would keep all others from being written, again and again. */
function storable(text: string): string {
  return isStorable(text) ? text : text.toWellFormed().replaceAll('\0', '\u{fffd}')
}
