import type { TenantId } from '../core/ids.ts'
import { chainHeads } from '../store/chain-heads.ts'
import type { Database } from '../store/database.ts'

/** Tells streams that there may be something new. One look at the database serves every stream of the process. */
export interface EventFeed {
  /**
   * Resolves with `true` once the tenant's record goes beyond `position`, with `false` after `withinMs` or when the
   * signal says so. Never rejects: a database that is away has nothing new.
   */
  beyond(tenantId: TenantId, position: number, withinMs: number, signal: AbortSignal): Promise<boolean>
}

interface Waiter {
  readonly tenantId: TenantId
  readonly position: number
  wake(isNew: boolean): void
}

const lookEveryMs = 400

export function createEventFeed(database: Pick<Database, 'system'>): EventFeed {
  const waiters = new Set<Waiter>()
  let timer: NodeJS.Timeout | undefined

  const look = async (): Promise<void> => {
    const tenants = [...new Set([...waiters].map((waiter) => waiter.tenantId))]
    const heads = await chainHeads(database.system, tenants).catch(() => new Map<string, number>())
    for (const waiter of waiters) if ((heads.get(waiter.tenantId) ?? 0) > waiter.position) waiter.wake(true)
  }
  const lookSoon = (): void => {
    if (timer !== undefined || waiters.size === 0) return
    timer = setTimeout(() => {
      void look().finally(() => {
        timer = undefined
        lookSoon()
      })
    }, lookEveryMs)
    timer.unref()
  }

  return {
    beyond(tenantId, position, withinMs, signal) {
      if (signal.aborted) return Promise.resolve(false)
      return new Promise((resolve) => {
        const wake = (isNew: boolean): void => {
          clearTimeout(end)
          signal.removeEventListener('abort', giveUp)
          waiters.delete(waiter)
          resolve(isNew)
        }
        const giveUp = (): void => wake(false)
        const waiter = { tenantId, position, wake }
        const end = setTimeout(giveUp, withinMs)
        signal.addEventListener('abort', giveUp)
        waiters.add(waiter)
        lookSoon()
      })
    },
  }
}
