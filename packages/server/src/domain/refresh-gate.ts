import { plusMs, type Clock } from '../core/clock.ts'

/** How many refreshes of one context may be under way in this process. */
const mostUnderWay = 20
/** How many callers of one context may wait for their turn; more are told to come later. */
const mostWaiting = 1_000
/** Outages in a row after which a context is shut. */
const outagesToShut = 5
const firstShutMs = 5_000
const longestShutMs = 5 * 60_000
const longestBackoffMs = 60_000
/** What a caller is told who did not get a turn although the context is open. */
const comeAgainMs = 1_000
const mostLanes = 10_000

/** How a turn ended, as far as it says something about the provider. */
export type TurnEnd =
  /** The provider answered, whatever it said. */
  | { readonly kind: 'answered' }
  /** It did not, or said that it is in trouble. `isCostly`: this one cost a connection, so one is enough. */
  | { readonly kind: 'outage'; readonly retryAfterSeconds: number | undefined; readonly isCostly: boolean }
  /** Nothing was asked of it. */
  | { readonly kind: 'unused' }

export interface Turn {
  readonly kind: 'turn'
  /** Whether the provider was in trouble when last asked, and this turn finds out if it still is. */
  readonly isProbe: boolean
  /** Ends the turn; must be called exactly once. */
  end(how: TurnEnd): void
}

export type Entry = Turn | { readonly kind: 'shut'; readonly retryAt: Date }

/**
 * Stands before every refresh of this process, one lane for each context (a provider app of a tenant at a provider).
 *
 * Keeps the number of requests under way small, and asks a provider in trouble nothing for a while, then one question at a
 * time. Other processes have gates of their own: what holds for one holds for all together times their number.
 */
export interface RefreshGate {
  /** A turn at the provider, waited for at most `patienceMs`. */
  enter(contextId: string, patienceMs: number): Promise<Entry>
  /** How many more turns each context has that has not all of them, and how many the others have. */
  room(): { readonly limited: ReadonlyMap<string, number>; readonly others: number }
}

interface Lane {
  underWay: number
  readonly waiting: Waiter[]
  /** In a row. */
  outages: number
  /** How often it was shut since the provider last answered. */
  timesShut: number
  shutUntil: Date | undefined
}

interface Waiter {
  readonly resolve: (entry: Entry) => void
  readonly timer: NodeJS.Timeout
}

export function createRefreshGate(clock: Clock): RefreshGate {
  const lanes = new Map<string, Lane>()

  const laneOf = (contextId: string): Lane => {
    const known = lanes.get(contextId)
    if (known !== undefined) return known
    if (lanes.size >= mostLanes) forgetOne(lanes)
    const lane: Lane = { underWay: 0, waiting: [], outages: 0, timesShut: 0, shutUntil: undefined }
    lanes.set(contextId, lane)
    return lane
  }

  const roomIn = (lane: Lane): number => {
    if (isShut(lane, clock.now())) return 0
    const most = lane.shutUntil === undefined ? mostUnderWay : 1
    return Math.max(0, most - lane.underWay)
  }

  const admit = (contextId: string, lane: Lane): Turn => {
    lane.underWay += 1
    let hasEnded = false
    return {
      kind: 'turn',
      isProbe: lane.shutUntil !== undefined,
      end(how) {
        if (hasEnded) return
        hasEnded = true
        lane.underWay -= 1
        if (how.kind === 'answered') reopen(lane)
        if (how.kind === 'outage') noteOutage(lane, how, clock.now())
        letIn(contextId, lane)
      },
    }
  }

  const letIn = (contextId: string, lane: Lane): void => {
    const isClosed = isShut(lane, clock.now())
    const count = isClosed ? lane.waiting.length : roomIn(lane)
    for (const waiter of lane.waiting.splice(0, count)) {
      clearTimeout(waiter.timer)
      waiter.resolve(isClosed ? shut(lane, clock.now()) : admit(contextId, lane))
    }
    if (lane.underWay === 0 && lane.waiting.length === 0 && lane.outages === 0) lanes.delete(contextId)
  }

  return {
    async enter(contextId, patienceMs) {
      const lane = laneOf(contextId)
      if (roomIn(lane) > 0) return admit(contextId, lane)
      const now = clock.now()
      const isFull = lane.waiting.length >= mostWaiting
      if (isShut(lane, now) || isFull || patienceMs === 0) return shut(lane, now)
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          lane.waiting.splice(lane.waiting.indexOf(waiter), 1)
          resolve(shut(lane, clock.now()))
        }, patienceMs)
        const waiter = { resolve, timer }
        lane.waiting.push(waiter)
      })
    },
    room() {
      const limited = new Map<string, number>()
      for (const [contextId, lane] of lanes) {
        const left = Math.max(0, roomIn(lane) - lane.waiting.length)
        if (left < mostUnderWay) limited.set(contextId, left)
      }
      return { limited, others: mostUnderWay }
    },
  }
}

/** A time further off than any is given comes from a clock that was set back since. */
function isShut(lane: Lane, now: Date): boolean {
  const leftMs = (lane.shutUntil?.getTime() ?? 0) - now.getTime()
  return leftMs > 0 && leftMs <= longestShutMs
}

function shut(lane: Lane, now: Date): Entry {
  const retryAt = isShut(lane, now) && lane.shutUntil !== undefined ? lane.shutUntil : plusMs(now, comeAgainMs)
  return { kind: 'shut', retryAt }
}

function reopen(lane: Lane): void {
  lane.outages = 0
  lane.timesShut = 0
  lane.shutUntil = undefined
}

function noteOutage(lane: Lane, outage: Extract<TurnEnd, { kind: 'outage' }>, now: Date): void {
  lane.outages += 1
  // Those that were under way when it was shut say nothing new.
  if (isShut(lane, now)) return
  if (lane.outages < outagesToShut && !outage.isCostly && lane.shutUntil === undefined) return
  const backoffMs = Math.min(longestBackoffMs, firstShutMs * 2 ** Math.min(lane.timesShut, 20))
  const askedMs = Math.min(longestShutMs, (outage.retryAfterSeconds ?? 0) * 1000)
  lane.shutUntil = plusMs(now, Math.max(backoffMs * (0.75 + Math.random() / 4), askedMs))
  lane.timesShut += 1
}

/** The oldest that nobody stands in; what it knew of an outage is soon found out again. */
function forgetOne(lanes: Map<string, Lane>): void {
  for (const [contextId, lane] of lanes) {
    if (lane.underWay > 0 || lane.waiting.length > 0) continue
    lanes.delete(contextId)
    return
  }
}
