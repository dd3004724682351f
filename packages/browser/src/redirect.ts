import type { ServiceAccess } from './api.ts'
import { ConnectError } from './connect-error.ts'
import { handOver } from './relay.ts'
import { finish, startSession, type Connected, type ConnectRequest } from './request.ts'

/** A connection that left this tab, kept in its session storage until the landing page comes back to it. */
interface Pending {
  readonly sessionId: string
  readonly provider: string
}

const pendingKey = 'connector-oauth pending'
const heardWithinMs = 1_500

/**
 * Connects an account without any window: this tab goes to the provider and comes back to `landingPage`, which calls
 * `finishConnect`. For phones, desktop apps and in-app browsers. Resolves never, if all goes well: the page is left.
 */
export async function connectByRedirect(request: ConnectRequest & { readonly landingPage: string }): Promise<void> {
  const session = await startSession(request)
  const pending: Pending = { sessionId: session.session_id, provider: request.provider }
  sessionStorage.setItem(pendingKey, JSON.stringify(pending))
  location.assign(session.authorize_url)
}

/** What the landing page found. */
export type Finish =
  /** This tab started it, and the connector exists now. */
  | ({ readonly kind: 'connected' } & Connected)
  /** The page that started it has taken over; this window can close. */
  | { readonly kind: 'handed_over' }
  /** The address carries no outcome: somebody opened the landing page by hand. */
  | { readonly kind: 'nothing' }

/**
 * Call it on the landing page. It wipes the outcome from the address, hands it to the page that waits (and then closes
 * this window), or finishes the connection itself where this tab began it. Rejects with `ConnectError`.
 */
export async function finishConnect(access: ServiceAccess): Promise<Finish> {
  const fragment = new URLSearchParams(location.hash.slice(1))
  const sessionId = fragment.get('session_id')
  if (sessionId === null) return { kind: 'nothing' }
  // Neither history nor the next page's referrer may keep the code.
  history.replaceState(history.state, '', location.pathname + location.search)
  const completionCode = fragment.get('completion_code') ?? undefined
  const status = fragment.get('status') === 'connected' ? 'connected' : 'awaiting_completion'
  const pending = takePending(sessionId)
  if (pending !== undefined) {
    const begun = { ...access, provider: pending.provider }
    return { kind: 'connected', ...(await finish(begun, sessionId, { status, ...withCode(completionCode) })) }
  }
  if (await handOver(sessionId, { status, ...withCode(completionCode) }, heardWithinMs)) {
    window.close()
    return { kind: 'handed_over' }
  }
  throw new ConnectError('closed', 'The page that started this connection is gone; start it again there.')
}

const withCode = (completionCode: string | undefined) => (completionCode === undefined ? {} : { completionCode })

function takePending(sessionId: string): Pending | undefined {
  const text = sessionStorage.getItem(pendingKey)
  if (text === null) return undefined
  // Written above, by this file alone.
  const pending = JSON.parse(text) as Pending
  if (pending.sessionId !== sessionId) return undefined
  sessionStorage.removeItem(pendingKey)
  return pending
}
