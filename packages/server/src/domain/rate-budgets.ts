import type { RateLimit } from '../oauth/rate-limit-headers.ts'
import { changedRateBudgets, saveRateBudgets, type StoredBudget } from '../store/rate-budgets.ts'
import type { Context } from './context.ts'

/** One call, as far as a provider's limit may depend on it. */
export interface BudgetedCall {
  readonly tenantId: string
  readonly contextId: string
  readonly connectorId: string
  /** The path's template: limits with a name of their own hold for the routes they were seen on. */
  readonly route: string
}

/**
 * What providers' answers say is left of their rate limits, shared with the other processes in batches.
 *
 * Most limits are an account's, so each connector has its own budget; it becomes that of the whole context once two accounts turn out
 * to be at the end of one window.
 */
export interface RateBudgets {
  /** Answers milliseconds to wait when nothing is left. Else the call counts as under way until `done`. */
  admit(call: BudgetedCall): Promise<number | undefined>
  done(call: BudgetedCall): void
  learn(call: BudgetedCall, limit: RateLimit): void
}

/** How old knowledge of the other processes may be; older is renewed while calls go on, much older before the next. */
const syncEveryMs = 1_000
const staleAfterMs = 5_000
/** Clocks of processes differ, and a statement may commit late. */
const overlapMs = 10_000
/** Only what runs out matters to others. */
const sharedAtMost = 16
const sameWindowMs = 2_000
const budgetsAtMost = 20_000
const routesAtMost = 5_000

export function createRateBudgets(context: Pick<Context, 'database' | 'clock'>): RateBudgets {
  const budgets = new Map<string, StoredBudget>()
  const underWay = new Map<string, number>()
  /** Which of its limits a provider counts a route to. */
  const buckets = new Map<string, string>()
  let dirty = new Map<string, StoredBudget>()
  let syncedAt = new Date(0)
  let syncing: Promise<void> | undefined

  const nowMs = (): number => context.clock.now().getTime()

  async function sync(): Promise<void> {
    const now = context.clock.now()
    const since = new Date(syncedAt.getTime() - overlapMs)
    syncedAt = now
    const told = [...dirty.values()]
    dirty = new Map()
    const db = context.database.system
    if (told.length > 0) await saveRateBudgets(db, told, now)
    for (const budget of await changedRateBudgets(db, since, now)) take(budget)
  }

  /** A database that is away costs no call: the provider counts for itself. */
  function startSync(): Promise<void> {
    syncing ??= sync()
      .catch(() => {})
      .finally(() => {
        syncing = undefined
      })
    return syncing
  }

  /** Answers whether it says anything new. */
  function take(budget: StoredBudget): boolean {
    const key = keyOf(budget)
    const known = budgets.get(key)
    const isSameWindow =
      known !== undefined && Math.abs(budget.resetsAt.getTime() - known.resetsAt.getTime()) <= sameWindowMs
    if (known !== undefined && isSameWindow && known.remaining <= budget.remaining) return false
    if (known !== undefined && !isSameWindow && known.resetsAt > budget.resetsAt && known.remaining === 0) return false
    budgets.delete(key)
    if (budgets.size >= budgetsAtMost) forget(budgets, (old) => old.resetsAt.getTime() <= nowMs())
    budgets.set(key, budget)
    return true
  }

  function note(budget: StoredBudget): void {
    if (take(budget) && budget.remaining <= sharedAtMost) dirty.set(keyOf(budget), budget)
  }

  function waitFor(call: BudgetedCall): number | undefined {
    if (budgets.size === 0) return undefined
    const now = nowMs()
    const named = buckets.get(routeKey(call))
    const waits = [call.connectorId, ''].flatMap((connectorId) =>
      (named === undefined ? [''] : ['', named]).map((bucket) => {
        const budget = budgets.get(keyOf({ ...call, connectorId, bucket }))
        const waitMs = budget === undefined ? 0 : budget.resetsAt.getTime() - now
        const isSpent = budget !== undefined && (underWay.get(countKey(call, connectorId)) ?? 0) >= budget.remaining
        return isSpent && waitMs > 0 ? waitMs : 0
      }),
    )
    const longest = Math.max(...waits)
    return longest > 0 ? longest : undefined
  }

  return {
    async admit(call) {
      const ageMs = nowMs() - syncedAt.getTime()
      if (ageMs > staleAfterMs) await startSync()
      else if (ageMs > syncEveryMs) void startSync()
      const waitMs = waitFor(call)
      if (waitMs !== undefined) return waitMs
      for (const key of [countKey(call, call.connectorId), countKey(call, '')]) {
        underWay.set(key, (underWay.get(key) ?? 0) + 1)
      }
      return undefined
    },
    done(call) {
      for (const key of [countKey(call, call.connectorId), countKey(call, '')]) {
        const left = (underWay.get(key) ?? 1) - 1
        if (left > 0) underWay.set(key, left)
        else underWay.delete(key)
      }
    },
    learn(call, limit) {
      if (limit.bucket !== '') {
        if (buckets.size >= routesAtMost) forget(buckets, () => false)
        buckets.set(routeKey(call), limit.bucket)
      }
      const budget = { ...call, bucket: limit.bucket, remaining: limit.remaining, resetsAt: limit.resetsAt }
      note(budget)
      if (limit.remaining > 0) return
      if (isOfAll(budgets.values(), budget)) note({ ...budget, connectorId: '' })
      void startSync()
    },
  }
}

/** Whether another account is at the end of the same window: then it is one limit for both. */
function isOfAll(all: Iterable<StoredBudget>, budget: StoredBudget): boolean {
  for (const other of all) {
    const isOther =
      other.contextId === budget.contextId &&
      other.tenantId === budget.tenantId &&
      other.bucket === budget.bucket &&
      other.connectorId !== budget.connectorId &&
      other.connectorId !== ''
    if (!isOther || other.remaining > 0) continue
    if (Math.abs(other.resetsAt.getTime() - budget.resetsAt.getTime()) <= sameWindowMs) return true
  }
  return false
}

/** Makes room: what is over, else the oldest tenth. */
function forget<Value>(map: Map<string, Value>, isOver: (value: Value) => boolean): void {
  let left = map.size / 10
  for (const [key, value] of map) {
    if (isOver(value)) map.delete(key)
  }
  for (const key of map.keys()) {
    if (left <= 0) return
    left -= 1
    map.delete(key)
  }
}

type BudgetName = Pick<StoredBudget, 'tenantId' | 'contextId' | 'connectorId' | 'bucket'>

/** Ids hold no line break. */
function keyOf({ tenantId, contextId, connectorId, bucket }: BudgetName): string {
  return `${tenantId}\n${contextId}\n${connectorId}\n${bucket}`
}

function countKey(call: BudgetedCall, connectorId: string): string {
  return `${call.tenantId}\n${call.contextId}\n${connectorId}`
}

function routeKey(call: BudgetedCall): string {
  return `${call.contextId}\n${call.route}`
}
