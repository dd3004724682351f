import type { Clock } from './core/clock.ts'
import { keyStatus, type KeyState } from './domain/key-status.ts'
import type { Database, PoolUse } from './store/database.ts'
import { countConnectors, countDue, countMigrations, countPendingDeliveries } from './store/figures.ts'
import type { KeyEncryptionKeys } from './vault/key-encryption-keys.ts'

/** What the database holds, over all tenants. */
interface Counted {
  readonly ageSeconds: number
  readonly connectors: readonly { readonly status: string; readonly count: number }[]
  readonly works: readonly { readonly work: string; readonly rows: number; readonly oldestSeconds: number }[]
  readonly dataKeys: readonly {
    readonly keyId: string
    readonly state: KeyState
    readonly count: number
  }[]
  readonly migrations: number
  readonly pendingDeliveries: number
}

/** Figures that are looked up when somebody asks for metrics. */
export interface Figures {
  /** `counted` is absent until the database has answered once; later it may be old, as `ageSeconds` says. */
  read(): Promise<{ readonly pool: PoolUse; readonly counted: Counted | undefined }>
}

const goodForMs = 15_000
const waitsMs = 2_000

/**
 * Counts at most every fifteen seconds and one count at a time, whoever asks how often, and never makes a scrape wait longer than
 * two seconds: a database in trouble must not lose its figures' other half, nor get more work.
 */
export function createFigures(parts: {
  readonly database: Database
  readonly clock: Clock
  readonly keyEncryptionKeys: Pick<KeyEncryptionKeys, 'currentId' | 'ids'>
}): Figures {
  const { database, clock } = parts
  let last: { readonly counted: Omit<Counted, 'ageSeconds'>; readonly atMs: number } | undefined
  let underWay: Promise<void> | undefined

  const count = async (): Promise<void> => {
    const now = clock.now()
    const counted = await countAll(parts, now)
    last = { counted, atMs: now.getTime() }
  }
  const nowMs = (): number => clock.now().getTime()

  return {
    async read() {
      if (last === undefined || nowMs() - last.atMs >= goodForMs) {
        // The next scrape tries again, and the age of the figures tells.
        underWay ??= count()
          .catch(() => {})
          .finally(() => (underWay = undefined))
        await Promise.race([underWay, afterMs(waitsMs)])
      }
      const counted = last && { ...last.counted, ageSeconds: (nowMs() - last.atMs) / 1000 }
      return { pool: database.poolUse(), counted }
    },
  }
}

async function countAll(
  { database, keyEncryptionKeys }: Parameters<typeof createFigures>[0],
  now: Date,
): Promise<Omit<Counted, 'ageSeconds'>> {
  const { system } = database
  const connectors = await countConnectors(system)
  const due = await countDue(system, now)
  const keys = await keyStatus({ database, keyEncryptionKeys })
  return {
    connectors: statuses.map((status) => ({
      status,
      count: connectors.find((found) => found.status === status)?.count ?? 0,
    })),
    works: due.map((found) => ({
      work: found.work,
      rows: found.count,
      oldestSeconds: found.oldest === null ? 0 : Math.max(0, (now.getTime() - found.oldest.getTime()) / 1000),
    })),
    // A key that wraps nothing shows as zero, so that it can be seen to be ready to go.
    dataKeys: keys.map(({ keyId, state, dataKeys: count }) => ({ keyId, state, count })),
    migrations: await countMigrations(system),
    pendingDeliveries: await countPendingDeliveries(system),
  }
}

const statuses = ['active', 'degraded', 'reauth_required', 'paused', 'disconnected']

function afterMs(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
