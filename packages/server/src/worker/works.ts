import type { Context } from '../domain/context.ts'
import { deliverDue } from '../domain/deliver-webhooks.ts'
import { linkDue } from '../domain/link-audit.ts'
import { massRevoke } from '../domain/mass-revoke.ts'
import { purge } from '../domain/purge.ts'
import { reseal } from '../domain/reseal.ts'
import { revokeDue } from '../domain/revoke-at-provider.ts'
import { sweepRefreshes } from '../domain/sweep-refreshes.ts'
import type { Work } from '../domain/work.ts'

/** One kind of background work. */
interface WorkRoutine {
  readonly work: Work
  /** How long at most until somebody looks, even if nobody was woken. */
  readonly everyMs: number
  /**
   * Does what is due, in bounded portions, and answers how much that was: after zero nothing more is due. A routine that
   * takes more while it runs looks at `stopping`.
   */
  readonly run: (context: Context, stopping: AbortSignal) => Promise<number>
}

/** Every kind of background work there is. */
export const works: readonly WorkRoutine[] = [
  { work: 'revoke', everyMs: 1_000, run: revokeDue },
  { work: 'refresh', everyMs: 5_000, run: sweepRefreshes },
  { work: 'deliver', everyMs: 1_000, run: deliverDue },
  { work: 'link', everyMs: 1_000, run: linkDue },
  { work: 'mass-revoke', everyMs: 2_000, run: massRevoke },
  { work: 'reseal', everyMs: 10_000, run: reseal },
  { work: 'purge', everyMs: 60_000, run: purge },
]
