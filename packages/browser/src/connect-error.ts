/** Why a connection did not come about, in words to branch on. */
export type ConnectFailure =
  /** The browser opened no window, or this page stands in a frame and cannot leave for the provider. */
  | 'blocked'
  /** The window was closed before consent, as far as can be told; or the user came back from the provider without it. */
  | 'closed'
  /** The user did not allow access. */
  | 'denied'
  /** It took longer than an authorization lives, or nobody could bring the consent back here in time. */
  | 'expired'
  /** Somebody else finished than the one who started, or in another browser. */
  | 'principal_mismatch'
  /** The connector belongs to another account at the provider. */
  | 'account_changed'
  /** The provider answered with an error, or not at all. */
  | 'provider_error'
  /** The service could not be reached, or could not answer. */
  | 'network'
  /** Given up by the page: its `signal`, or its `confirm`. */
  | 'aborted'
  /** The service refused; `code` says why. */
  | 'refused'

/** What everything in this package rejects with. */
export class ConnectError extends Error {
  readonly reason: ConnectFailure
  /** The service's stable error code, or the provider's own, where there is one. */
  readonly code: string | undefined

  constructor(reason: ConnectFailure, message: string, code?: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'ConnectError'
    this.reason = reason
    this.code = code
  }
}

/** A session that the service has ended. Its page in the window says why. */
export class SessionEnded extends ConnectError {}

const reasons: Readonly<Record<string, ConnectFailure>> = {
  access_denied: 'denied',
  session_unknown: 'expired',
  connect_session_unknown: 'expired',
  connect_session_ended: 'expired',
  cancelled: 'closed',
  invalid_state: 'expired',
  completion_not_expected: 'expired',
  principal_mismatch: 'principal_mismatch',
  browser_mismatch: 'principal_mismatch',
  account_changed: 'account_changed',
  invalid_grant: 'provider_error',
  provider_refused: 'provider_error',
  provider_error: 'provider_error',
  provider_timeout: 'provider_error',
  provider_unavailable: 'provider_error',
  internal_error: 'network',
  database_unavailable: 'network',
  keys_unavailable: 'network',
  starting: 'network',
}

/** The service's own refusals that a session may end with; any other code there is the provider's. */
const refusals: ReadonlySet<string> = new Set([
  'authorization_revoked',
  'connector_id_taken',
  'missing_right',
  'space_forbidden',
  'provider_unknown',
  'provider_not_configured',
  'encryption_key_unavailable',
])

/** The failure behind an error code that a request was answered with. */
export function refusedWith(code: string, message: string): ConnectError {
  return new ConnectError(reasons[code] ?? 'refused', message, code)
}

/** The failure behind the error code that a session ended with. */
export function endedWith(code: string | null): ConnectError {
  const reason =
    code === null ? 'provider_error' : (reasons[code] ?? (refusals.has(code) ? 'refused' : 'provider_error'))
  const message = reason === 'denied' ? 'Access was not allowed.' : 'The account was not connected.'
  return new SessionEnded(reason, message, code ?? undefined)
}
