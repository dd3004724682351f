/** Why a connection did not come about, in words to branch on. */
export type ConnectFailure =
  /** The browser did not open the window: call `connect` inside a click, or use the redirect mode. */
  | 'blocked'
  /** The window was closed before consent, as far as can be told. */
  | 'closed'
  /** The user did not allow access. */
  | 'denied'
  /** It took longer than an authorization lives. */
  | 'expired'
  /** Somebody else finished than the one who started. */
  | 'principal_mismatch'
  /** The connector belongs to another account at the provider. */
  | 'account_changed'
  /** The provider answered with an error, or not at all. */
  | 'provider_error'
  /** The service could not be reached. */
  | 'network'
  /** The caller's signal. */
  | 'aborted'
  /** The service refused the request; `code` says why. */
  | 'refused'

/** What `connect` rejects with. */
export class ConnectError extends Error {
  readonly reason: ConnectFailure
  /** The service's stable error code, where there is one. */
  readonly code: string | undefined

  constructor(reason: ConnectFailure, message: string, code?: string) {
    super(message)
    this.name = 'ConnectError'
    this.reason = reason
    this.code = code
  }
}

const reasons: Readonly<Record<string, ConnectFailure>> = {
  access_denied: 'denied',
  session_unknown: 'expired',
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
}

/** The failure behind one of the service's error codes. */
export function failureOf(code: string, message: string): ConnectError {
  return new ConnectError(reasons[code] ?? 'refused', message, code)
}
