import type { Context } from '../../src/domain/context.ts'
import type { Db } from '../../src/store/database.ts'

/**
 * A process that can die at a chosen step: what it awaits then never comes, and nothing it wanted to do afterwards happens. A
 * step is any statement, the end of any transaction, and any request, each just before and just after it takes effect.
 */
export interface MortalProcess {
  readonly context: Context
  /** It dies at the `steps`-th step from now. */
  dieAfter(steps: number): void
  /** It dies at its next step, if it has not yet. */
  kill(): void
  readonly isDead: boolean
}

class Died extends Error {}

/** Wraps a process's ways to the database and to providers. */
export function mortal(context: Context): MortalProcess {
  let stepsLeft = Number.POSITIVE_INFINITY
  const never = new Promise<never>(() => {})
  const isDying = (): boolean => {
    stepsLeft -= 1
    return stepsLeft <= 0
  }
  const around = async <T>(effect: () => Promise<T>): Promise<T> => {
    if (isDying()) return never
    const result = await effect()
    return isDying() ? never : result
  }
  const guarded = (db: Db): Db => ({ query: (statement, values) => around(() => db.query(statement, values)) })
  // Inside a transaction death must reach the server, which rolls back as it does when the connection ends.
  const mortalInside = (db: Db): Db => ({
    async query(statement, values) {
      if (isDying()) throw new Died()
      const result = await db.query<never>(statement, values)
      if (isDying()) throw new Died()
      return result
    },
  })
  const { database, egress } = context
  return {
    context: {
      ...context,
      database: {
        ...database,
        tenant: (tenantId) => guarded(database.tenant(tenantId)),
        system: guarded(database.system),
        transaction: (tenantId, work) =>
          around(() => database.transaction(tenantId, (db) => work(mortalInside(db)))).catch((error: unknown) => {
            if (error instanceof Died) return never
            throw error
          }),
      },
      egress: { ...egress, request: (request) => around(() => egress.request(request)) },
    },
    dieAfter: (steps) => void (stepsLeft = steps),
    kill: () => void (stepsLeft = 0),
    get isDead() {
      return stepsLeft <= 0
    },
  }
}
