import type { ConnectSession } from '../store/connect-sessions.ts'
import type { Transaction } from '../store/find-transactions.ts'
import { statusOf, type SessionStatus } from './session-status.ts'

/** Beyond it a person is not trying any more. */
export const attemptsAtMost = 20

export interface ConnectSessionStatus extends SessionStatus {
  readonly providerSlug: string | undefined
  readonly sessionId: string | undefined
}

/**
 * How far a connect session has come. An attempt that failed leaves it `started` as long as another may follow, with the
 * attempt's error code; `failed` is final.
 */
export function connectSessionStatus(
  session: ConnectSession,
  attempt: Transaction | undefined,
  now: Date,
): ConnectSessionStatus {
  const names = { providerSlug: attempt?.provider_slug, sessionId: attempt?.transaction_id }
  const errorCode = attempt?.status === 'failed' ? (attempt.error_code ?? undefined) : undefined
  const status = judge(session, attempt, now)
  return {
    ...names,
    status,
    errorCode: status === 'failed' ? (errorCode ?? 'cancelled') : status === 'started' ? errorCode : undefined,
    connectorId: session.connected_connector_id ?? undefined,
  }
}

function judge(session: ConnectSession, attempt: Transaction | undefined, now: Date): SessionStatus['status'] {
  if (session.connected_connector_id !== null) return 'connected'
  if (session.cancelled_at !== null) return 'failed'
  const ofAttempt = attempt && statusOf(attempt, now)
  // A consent that was given in time may still be completed.
  if (ofAttempt === 'awaiting_completion') return ofAttempt
  if (session.expires_at <= now) return 'expired'
  if (ofAttempt === undefined) return 'created'
  const isOver = ofAttempt === 'failed' || ofAttempt === 'expired'
  return isOver && session.attempts >= attemptsAtMost ? 'failed' : 'started'
}
