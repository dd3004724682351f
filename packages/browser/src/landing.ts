import type { ServiceAccess } from './api.ts'
import { ConnectError } from './connect-error.ts'
import { forget, recall } from './memory.ts'
import { idOf, outcomeInFragment, type Outcome } from './outcome.ts'
import { handOver } from './relay.ts'
import type { Connected, Heard } from './settle.ts'
import { untilConnected } from './wait.ts'

export interface FinishRequest extends ServiceAccess {
  /**
   * Asked before a connection is completed that this tab did not begin: one by link, or one whose page is gone. The
   * service lets only the user who began it complete it; ask here if a link may have been opened by somebody else first.
   */
  readonly confirm?: ((asked: { readonly provider: string | undefined }) => Promise<boolean> | boolean) | undefined
}

/** What the landing page found. */
export type Finish =
  /** The connector exists now, and this page finished it. */
  | ({ readonly kind: 'connected' } & Connected)
  /** The page that began it has taken over; this window closes. */
  | { readonly kind: 'handed_over' }
  /** The address carries no outcome: somebody opened the landing page by hand, or loaded it again. */
  | { readonly kind: 'nothing' }

const looksAtMost = 8

/**
 * Call it on the landing page. It wipes the outcome from the address, hands it to the page that waits (and then closes
 * this window), or completes the connection itself where this tab began it or nobody waits any more.
 *
 * Rejects with `ConnectError`; `principal_mismatch` when another user began it than the one who is signed in here.
 */
export async function finishConnect(request: FinishRequest): Promise<Finish> {
  const outcome = outcomeInFragment(location.hash)
  if (outcome === undefined) return { kind: 'nothing' }
  // Neither history nor the next page's referrer may keep the code.
  history.replaceState(history.state, '', location.pathname + location.search)
  const begun = recall(idOf(outcome))
  if (begun?.mode !== 'redirect') {
    if (await handOver(outcome)) {
      window.close()
      return { kind: 'handed_over' }
    }
    const isWanted = (await request.confirm?.({ provider: outcome.provider })) ?? true
    if (!isWanted) throw new ConnectError('aborted', 'The connection was given up.')
  }
  forget(idOf(outcome))
  return { kind: 'connected', ...(await finishHere(request, outcome, begun?.provider)) }
}

function finishHere(access: ServiceAccess, outcome: Outcome, provider: string | undefined): Promise<Connected> {
  let first: Heard | undefined = { outcome, via: 'landing' }
  return untilConnected(
    access,
    { id: idOf(outcome), isHosted: outcome.connectSessionId !== undefined, provider: provider ?? outcome.provider },
    {
      async next(withinMs) {
        const heard = first
        first = undefined
        if (heard === undefined) await new Promise((resolve) => setTimeout(resolve, withinMs))
        return heard
      },
      isGone: () => true,
      hasLandingPage: true,
      looksAtMost,
    },
  )
}
