import type { ServiceAccess } from './api.ts'
import { ConnectError } from './connect-error.ts'
import type { Via } from './outcome.ts'
import { createPatience } from './patience.ts'
import { complete, judge, readStatus, type Connected, type Heard, type Status, type Waited } from './settle.ts'

/** What somebody waits with. */
export interface Waiting {
  /** The next outcome to arrive within the time; `undefined` when it is time to look. */
  readonly next: (withinMs: number) => Promise<Heard | undefined>
  /** Whether the window has been closed, as far as can be told. */
  readonly isGone: () => boolean
  /** Without one, consent that nobody told of within ten seconds stays untold. */
  readonly hasLandingPage: boolean
  readonly looksAtMost: number
}

const untoldMs = 10_000

/**
 * Waits until the service says that the connector exists, and completes when an outcome brings the code for it.
 *
 * Nothing that a window says is believed but the code, which the service checks; the rest makes this look at once.
 * Looking completes nothing. Where the Connect page offers to ask again, it waits for what the user makes of that. Rejects
 * with `ConnectError`.
 */
export async function untilConnected(access: ServiceAccess, waited: Waited, waiting: Waiting): Promise<Connected> {
  const patience = createPatience()
  // Without a landing page the Connect page stays open where scopes are missing, and may bring another code.
  const mayAskAgain = waited.isHosted && !waiting.hasLandingPage
  let withCode: Heard | undefined
  let via: Via = 'status'
  let consentedAtMs: number | undefined
  let connected: Connected | undefined
  for (let looks = 0; looks < waiting.looksAtMost; looks += 1) {
    const heard = await waiting.next(Math.min(1_000 + looks * 40, 5_000))
    via = heard?.via ?? via
    if (heard?.outcome.completionCode !== undefined) withCode = heard
    // The user has left the Connect page, or what is missing as it is.
    if (connected !== undefined && (waiting.isGone() || (heard && withCode === undefined))) return connected
    let status: Status
    try {
      if (withCode !== undefined && !(await complete(access, waited, withCode))) via = 'status'
      withCode = undefined
      status = await readStatus(access, waited)
    } catch (error) {
      // A code that did not arrive is kept, and sent again. What is connected stays so, whatever becomes of asking again.
      if (connected === undefined) patience.spend(error)
      else if (!isUnreachable(error)) withCode = undefined
      continue
    }
    patience.renew()
    connected = judge(status, waited, { via, isGone: waiting.isGone() })
    if (connected !== undefined && !(mayAskAgain && connected.missingScopes.length > 0)) return connected
    consentedAtMs = status.status === 'awaiting_completion' ? (consentedAtMs ?? performance.now()) : undefined
    if (!waiting.hasLandingPage && performance.now() - (consentedAtMs ?? Infinity) > untoldMs) throw untold()
  }
  if (connected !== undefined) return connected
  throw new ConnectError('expired', 'The connection took too long; start it again.')
}

const isUnreachable = (error: unknown): boolean => error instanceof ConnectError && error.reason === 'network'

function untold(): ConnectError {
  return new ConnectError(
    'expired',
    'Consent was given in a window that could not tell this page; give a landingPage, so that it can be brought back.',
  )
}
