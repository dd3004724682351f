import type { Readiness, ReadyState } from './http/routes/health.ts'
import { listUsedKeys } from './store/key-encryption-keys.ts'
import type { Database } from './store/database.ts'
import type { KeyEncryptionKeys } from './vault/key-encryption-keys.ts'

/** Readiness, and what the start and the end of the process tell it. */
export interface ReadinessSwitch extends Readiness {
  migrated(): void
  /** A process that does nothing but background work is of use only once it does. */
  working(): void
  draining(): void
}

const answersWithinMs = 1_000

/**
 * Says whether this process can do its work now, at the cost of one short statement however many ask.
 *
 * A key service that is away does not count: tokens whose data keys are in memory still open, and another process could do no more.
 * Keys of which none opens anything that is stored do: the process was started with another deployment's.
 */
export function createReadiness(parts: {
  readonly database: Database
  readonly keyEncryptionKeys: Pick<KeyEncryptionKeys, 'ids'>
  readonly waitsForWork: boolean
}): ReadinessSwitch {
  const { database, keyEncryptionKeys } = parts
  const done = { isMigrated: false, isWorking: !parts.waitsForWork, isDraining: false, keysFit: false }
  let underWay: Promise<ReadyState> | undefined

  const look = async (): Promise<ReadyState> => {
    try {
      if (done.keysFit) await database.ping()
      else done.keysFit = await opensSomething(database, keyEncryptionKeys.ids)
      return done.keysFit ? 'ready' : 'keys_unknown'
    } catch {
      return 'database_unavailable'
    }
  }
  return {
    isMigrated: () => done.isMigrated,
    migrated: () => void (done.isMigrated = true),
    working: () => void (done.isWorking = true),
    draining: () => void (done.isDraining = true),
    async state() {
      if (done.isDraining) return 'draining'
      if (!done.isMigrated || !done.isWorking) return 'starting'
      underWay ??= look().finally(() => (underWay = undefined))
      return Promise.race([underWay, tooLate()])
    },
  }
}

/** Whether some data key can be unwrapped with these keys, or there is none yet. */
async function opensSomething(database: Database, ids: readonly string[]): Promise<boolean> {
  const used = (await listUsedKeys(database.system)).filter(({ dataKeys }) => dataKeys > 0)
  return used.length === 0 || used.some(({ keyId }) => ids.includes(keyId))
}

function tooLate(): Promise<ReadyState> {
  return new Promise((resolve) => setTimeout(() => resolve('database_unavailable'), answersWithinMs).unref())
}
