import { plusMs } from '../core/clock.ts'
import type { TokenFailure } from '../core/token.ts'
import type { RefreshFailure } from '../store/refresh-leases.ts'
import { judgeLostReply, type LostReply, type Rotation } from './lost-reply.ts'

const firstBackoffMs = 5_000
const longestBackoffMs = 15 * 60_000

/** `status_reason` of a connector whose refresh token may be spent, although no reply says so. */
export const outcomeUnknown = 'refresh_outcome_unknown'

/** Only a person can mend it, by connecting again. */
export function lost(reason: string): RefreshFailure {
  return { health: 'reauth_required', reason, retryAt: undefined, answers: 0 }
}

/** Nobody is sent to reauthorize: it is tried again, each time after a longer wait, never in step with others. */
export function later(
  failures: number,
  reason: string,
  now: Date,
  retryAfterSeconds: number | undefined = 0,
): RefreshFailure {
  const backoffMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** Math.min(failures, 20))
  const waitMs = Math.max(backoffMs * (0.5 + Math.random() / 2), retryAfterSeconds * 1000)
  return { health: 'degraded', reason, retryAt: plusMs(now, waitMs), answers: 0 }
}

/** What the connector had behind it when the refresh was sent. */
export interface SentRefresh {
  /** Failures in a row before this one. */
  readonly failures: number
  /** As it is if this reply is lost too. */
  readonly lostReply: LostReply
  readonly rotation: Rotation
}

/** Whose fault a failure is, and so what becomes of the connector. */
export function toFailure(failure: TokenFailure, sent: SentRefresh, now: Date): RefreshFailure {
  switch (failure.kind) {
    case 'grant-lost':
      return { ...lost(failure.code), answers: 1 }
    case 'client-rejected':
      // The operator's to mend, not the user's.
      return { ...later(sent.failures, 'provider_app_rejected', now), answers: 1 }
    case 'unavailable': {
      const again = later(sent.failures, `provider_${failure.reason}`, now, failure.retryAfterSeconds)
      return isReplyLost(failure) ? withoutReply(again, sent, now) : { ...again, answers: 1 }
    }
  }
}

/** A reply that cannot be read is as good as none: it may have brought the token that replaces ours. */
function isReplyLost(failure: TokenFailure): boolean {
  return failure.kind === 'unavailable' && failure.sent && failure.reason !== 'status'
}

function withoutReply(again: RefreshFailure, sent: SentRefresh, now: Date): RefreshFailure {
  const verdict = judgeLostReply(sent.lostReply, sent.rotation, now)
  if (verdict.kind === 'give-up') return lost(outcomeUnknown)
  const { retryAt } = again
  const isTooLate = verdict.before !== undefined && retryAt !== undefined && retryAt >= verdict.before
  // The one retry must not miss the grace by waiting.
  return isTooLate ? { ...again, retryAt: now } : again
}
