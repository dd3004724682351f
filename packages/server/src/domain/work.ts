import type { Db } from '../store/database.ts'

/** The kinds of work that no request waits for, each worked off by one function of the domain. */
export const everyWork = ['revoke', 'mass-revoke', 'refresh', 'deliver', 'reseal', 'link', 'purge'] as const

export type Work = (typeof everyWork)[number]

/** Lets background work begin as soon as its cause is committed, not when somebody looks. */
export interface WakeUp {
  /** Part of the caller's transaction: when that rolls back, nobody is woken. */
  wake(db: Db, work: Work): Promise<void>
}
