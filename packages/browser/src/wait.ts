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
 * Looking completes nothing. Rejects with `ConnectError`.
 */
export async function untilConnected(access: ServiceAccess, waited: Waited, waiting: Waiting): Promise<Connected> {
  const patience = createPatience()
  let withCode: Heard | undefined
  let via: Via = 'status'
  let consentedAtMs: number | undefined
  for (let looks = 0; looks < waiting.looksAtMost; looks += 1) {
    const heard = await waiting.next(Math.min(1_000 + looks * 40, 5_000))
    via = heard?.via ?? via
    if (heard?.outcome.completionCode !== undefined) withCode = heard
    let status: Status
    try {
      const connected = withCode && (await complete(access, waited, withCode))
      if (connected !== undefined) return connected
      if (withCode !== undefined) [withCode, via] = [undefined, 'status']
      status = await readStatus(access, waited)
    } catch (error) {
      // A code that did not arrive is kept, and sent again.
      patience.spend(error)
      continue
    }
    patience.renew()
    const connected = judge(status, waited, { via, isGone: waiting.isGone() })
    if (connected !== undefined) return connected
    consentedAtMs = status.status === 'awaiting_completion' ? (consentedAtMs ?? performance.now()) : undefined
    if (!waiting.hasLandingPage && performance.now() - (consentedAtMs ?? Infinity) > untoldMs) throw untold()
  }
  throw new ConnectError('expired', 'The connection took too long; start it again.')
}

function untold(): ConnectError {
  return new ConnectError(
    'expired',
    'Consent was given in a window that could not tell this page; give a landingPage, so that it can be brought back.',
  )
}
