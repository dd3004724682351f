import { plusMs } from '../core/clock.ts'
import type { TokenFailure } from '../core/token.ts'
import type { ConnectorRow } from '../store/rows.ts'
import type { Context } from './context.ts'

const firstBackoffMs = 5_000
const longestBackoffMs = 15 * 60_000

/** What a failed refresh makes of its connector. */
export interface Failure {
  readonly health: 'degraded' | 'reauth_required'
  readonly reason: string
  readonly retryAt: Date | undefined
}

/** Only a person can mend it, by connecting again. */
export function lost(reason: string): Failure {
  return { health: 'reauth_required', reason, retryAt: undefined }
}

/** Whose fault a refusal is, and so what becomes of the connector. */
export function toFailure(context: Pick<Context, 'clock'>, connector: ConnectorRow, failure: TokenFailure): Failure {
  switch (failure.kind) {
    case 'grant-lost':
      return lost(failure.code)
    case 'client-rejected':
      // The operator's to mend, not the user's.
      return later(context, connector, 'provider_app_rejected', undefined)
    case 'unavailable':
      return later(context, connector, `provider_${failure.reason}`, failure.retryAfterSeconds)
  }
}

/** Nobody is sent to reauthorize: it is tried again, each time after a longer wait. */
export function later(
  context: Pick<Context, 'clock'>,
  connector: ConnectorRow,
  reason: string,
  retryAfterSeconds: number | undefined,
): Failure {
  const backoffMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** Math.min(connector.refresh_failures, 20))
  const waitMs = Math.max(backoffMs * (0.5 + Math.random() / 2), (retryAfterSeconds ?? 0) * 1000)
  return { health: 'degraded', reason, retryAt: plusMs(context.clock.now(), waitMs) }
}
