import { call, type ServiceAccess } from './api.ts'
import { ConnectError } from './connect-error.ts'
import { forget, recall } from './memory.ts'
import { idOf, isOf, outcomeInFragment, type Outcome } from './outcome.ts'
import { askUser } from './question.ts'
import { handOver } from './relay.ts'
import type { Connected, Heard } from './settle.ts'
import { untilConnected } from './wait.ts'

export interface FinishRequest extends ServiceAccess {
  /**
   * Asks the user in your own words and design, in place of the question that this package shows, before a connection is
   * completed that this tab did not begin: one by link, or one whose page is gone. Nothing but `true` completes it.
   */
  readonly confirm?: ((asked: Asked) => Promise<boolean> | boolean) | undefined
  /** Language of the question, such as `de`; absent: the page's. */
  readonly locale?: string | undefined
}

/** Whose account is asked about. */
export interface Asked {
  /** The provider's slug. */
  readonly provider: string | undefined
  /** Its name, such as "Google Drive"; the slug where the service does not tell. */
  readonly providerName: string | undefined
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
 * this window), or completes the connection itself: at once where this tab began it, and otherwise only once the user has
 * said yes.
 *
 * Rejects with `ConnectError`; `aborted` when the user said no, `principal_mismatch` when another user began it than the
 * one who is signed in here.
 */
export async function finishConnect(request: FinishRequest): Promise<Finish> {
  const outcome = outcomeInFragment(location.hash)
  if (outcome === undefined) return { kind: 'nothing' }
  // Neither history nor the next page's referrer may keep the code.
  history.replaceState(history.state, '', location.pathname + location.search)
  const known = recall(idOf(outcome))
  const begun = known && isOf(outcome, known) ? known : undefined
  const provider = begun?.provider ?? outcome.provider
  if (begun?.mode !== 'redirect') {
    if (await handOver(outcome)) {
      window.close()
      return { kind: 'handed_over' }
    }
    // Without a code nothing is completed, so there is nothing to ask.
    if (outcome.completionCode !== undefined) await requireWanted(request, provider)
  }
  if (begun !== undefined) forget(begun.id)
  return { kind: 'connected', ...(await finishHere(request, outcome, provider)) }
}

/**
 * Whoever got hold of a link could consent with an account of their own and send its owner here: to the service it is the
 * owner who completes.
 */
async function requireWanted(request: FinishRequest, provider: string | undefined): Promise<void> {
  // In a stranger's frame the user may not know what the click is for.
  if (window.top !== window) throw new ConnectError('blocked', 'A landing page in a frame cannot ask the user.')
  const { confirm, locale } = request
  const providerName = await nameOf(request, provider)
  const isWanted: unknown = await (confirm ? confirm({ provider, providerName }) : askUser(providerName, locale))
  if (isWanted !== true) throw new ConnectError('aborted', 'The user did not want this connection.')
}

/** As the service has it: a name in the address would be whatever a stranger wrote there. */
async function nameOf(access: ServiceAccess, provider: string | undefined): Promise<string | undefined> {
  if (provider === undefined) return undefined
  try {
    const path = `/v1/connector-providers?provider_slug=${encodeURIComponent(provider)}`
    const { data } = await call<{ data: Named[] }>(access, 'GET', path)
    return data.find(({ provider_slug }) => provider_slug === provider)?.display_name ?? provider
  } catch {
    // Completing says what is wrong.
    return provider
  }
}

interface Named {
  readonly provider_slug: string
  readonly display_name: string
}

function finishHere(access: ServiceAccess, outcome: Outcome, provider: string | undefined): Promise<Connected> {
  let first: Heard | undefined = { outcome, via: 'landing' }
  return untilConnected(
    access,
    { id: idOf(outcome), isHosted: outcome.connectSessionId !== undefined, provider },
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
