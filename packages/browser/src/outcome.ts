/**
 * What a window brings back, in the one shape that the service's closing page posts, its redirect to a landing page puts
 * into the fragment, and the landing page hands on.
 */
export interface Outcome {
  readonly sessionId: string
  /** Present when the connection began on the Connect page. */
  readonly connectSessionId: string | undefined
  readonly status: 'connected' | 'awaiting_completion' | 'failed'
  readonly provider: string | undefined
  /** What completes, together with the starter's bearer token; useless without it. */
  readonly completionCode: string | undefined
}

/** How an outcome arrived; the rungs of the ladder. */
export type Via =
  /** The service's closing page told this page by message. */
  | 'message'
  /** Your landing page told this page by message: it could reach its opener. */
  | 'landing_message'
  /** Your landing page told this page over a BroadcastChannel. */
  | 'channel'
  /** Your landing page told this page by a storage event. */
  | 'storage'
  /** Nobody told: the service said that it was connected, for instance by the landing page itself. */
  | 'status'
  /** The landing page finished it. */
  | 'landing'

const isId = (value: unknown): value is string => typeof value === 'string' && /^[\w-]{1,64}$/.test(value)
const isCode = (value: unknown): value is string => typeof value === 'string' && /^[\w-]{1,256}$/.test(value)

/** Reads an outcome from wherever it came; `undefined` for everything that is none. */
export function readOutcome(given: unknown): Outcome | undefined {
  if (typeof given !== 'object' || given === null) return undefined
  const { source, session_id, connect_session_id, status, provider, completion_code } = given as Record<string, unknown>
  if (source !== 'connector-oauth' || !isId(session_id)) return undefined
  if (status !== 'connected' && status !== 'awaiting_completion' && status !== 'failed') return undefined
  return {
    sessionId: session_id,
    connectSessionId: isId(connect_session_id) ? connect_session_id : undefined,
    status,
    provider: isId(provider) ? provider : undefined,
    completionCode: isCode(completion_code) ? completion_code : undefined,
  }
}

/** The outcome in a landing page's fragment. */
export function outcomeInFragment(hash: string): Outcome | undefined {
  return readOutcome({ ...Object.fromEntries(new URLSearchParams(hash.slice(1))), source: 'connector-oauth' })
}

/** An outcome as it is sent on. */
export function wireOf(outcome: Outcome): object {
  return {
    source: 'connector-oauth',
    session_id: outcome.sessionId,
    connect_session_id: outcome.connectSessionId,
    status: outcome.status,
    provider: outcome.provider,
    completion_code: outcome.completionCode,
  }
}

/** What the waiting page would know the connection by; whether it is that connection, `isOf` says. */
export const idOf = (outcome: Outcome): string => outcome.connectSessionId ?? outcome.sessionId

/** What names a connection that was begun: the id of a session, or with `isHosted` that of a connect session. */
export interface ConnectionName {
  readonly id: string
  readonly isHosted: boolean
}

/**
 * Whether it is an outcome of what was begun. With a connect session only the service knows which sessions are its own, so
 * it is told both when one is completed; without one the outcome may name none, or its code would be another session's.
 */
export function isOf(outcome: Outcome, begun: ConnectionName): boolean {
  return idOf(outcome) === begun.id && (outcome.connectSessionId !== undefined) === begun.isHosted
}
