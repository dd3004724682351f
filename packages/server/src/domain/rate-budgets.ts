import type { RateLimit } from '../oauth/rate-limit-headers.ts'
import { changedRateBudgets, saveRateBudgets, type StoredBudget } from '../store/rate-budgets.ts'
import type { Context } from './context.ts'
import { TenantShares } from './tenant-shares.ts'

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
const limitsAtMost = 10_000
const contextsAtMost = 5_000
/** What one provider may name; what goes beyond counts as its limit for all routes. */
const namesPerContext = 32
/** How many accounts at the end of a limit are looked back on. */
const spentAtMost = 8

export function createRateBudgets(context: Pick<Context, 'database' | 'clock'>): RateBudgets {
  const budgets = new TenantShares<StoredBudget>(budgetsAtMost)
  /** Of each limit: the accounts that were at its end last. */
  const spent = new TenantShares<readonly StoredBudget[]>(limitsAtMost)
  /** Of each context: the names of limits that its provider gave. */
  const names = new TenantShares<ReadonlySet<string>>(contextsAtMost)
  const underWay = new Map<string, number>()
  /** Which of its limits a provider counts a route to. */
  const buckets = new TenantShares<string>(routesAtMost)
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
    const known = budgets.get(budget.tenantId, key)
    const isSameWindow =
      known !== undefined && Math.abs(budget.resetsAt.getTime() - known.resetsAt.getTime()) <= sameWindowMs
    if (known !== undefined && isSameWindow && known.remaining <= budget.remaining) return false
    if (known !== undefined && !isSameWindow && known.resetsAt > budget.resetsAt && known.remaining === 0) return false
    budgets.set(budget.tenantId, key, budget)
    if (budget.remaining === 0 && budget.connectorId !== '') noteSpent(budget)
    return true
  }

  function noteSpent(budget: StoredBudget): void {
    const others = accountsSpent(budget).filter((other) => other.connectorId !== budget.connectorId)
    spent.set(budget.tenantId, limitKey(budget), [...others.slice(1 - spentAtMost), budget])
  }

  function accountsSpent(budget: StoredBudget): readonly StoredBudget[] {
    return spent.get(budget.tenantId, limitKey(budget)) ?? []
  }

  /** The limit's name, unless its provider has too many. */
  function nameOf({ tenantId, contextId }: BudgetedCall, bucket: string): string {
    if (bucket === '') return ''
    const known = names.get(tenantId, contextId)
    if (known?.has(bucket) === true) return bucket
    if (known !== undefined && known.size >= namesPerContext) return ''
    names.set(tenantId, contextId, new Set([...(known ?? []), bucket]))
    return bucket
  }

  function note(budget: StoredBudget): void {
    if (take(budget) && budget.remaining <= sharedAtMost) dirty.set(keyOf(budget), budget)
  }

  function waitFor(call: BudgetedCall): number | undefined {
    if (budgets.size === 0) return undefined
    const now = nowMs()
    const named = buckets.get(call.tenantId, routeKey(call))
    const waits = [call.connectorId, ''].flatMap((connectorId) =>
      (named === undefined ? [''] : ['', named]).map((bucket) => {
        const budget = budgets.get(call.tenantId, keyOf({ ...call, connectorId, bucket }))
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
      const bucket = nameOf(call, limit.bucket)
      if (bucket !== '') buckets.set(call.tenantId, routeKey(call), bucket)
      const budget = { ...call, bucket, remaining: limit.remaining, resetsAt: limit.resetsAt }
      note(budget)
      if (limit.remaining > 0) return
      if (isOfAll(accountsSpent(budget), budget)) note({ ...budget, connectorId: '' })
      void startSync()
    },
  }
}

/** Whether another account is at the end of the same window: then it is one limit for both. */
function isOfAll(spent: readonly StoredBudget[], budget: StoredBudget): boolean {
  return spent.some(
    (other) =>
      other.connectorId !== budget.connectorId &&
      Math.abs(other.resetsAt.getTime() - budget.resetsAt.getTime()) <= sameWindowMs,
  )
}

type BudgetName = Pick<StoredBudget, 'tenantId' | 'contextId' | 'connectorId' | 'bucket'>

/** Ids hold no line break. */
function keyOf({ tenantId, contextId, connectorId, bucket }: BudgetName): string {
  return `${tenantId}\n${contextId}\n${connectorId}\n${bucket}`
}

function limitKey({ contextId, bucket }: BudgetName): string {
  return `${contextId}\n${bucket}`
}

function countKey(call: BudgetedCall, connectorId: string): string {
  return `${call.tenantId}\n${call.contextId}\n${connectorId}`
}

function routeKey(call: BudgetedCall): string {
  return `${call.contextId}\n${call.route}`
}
