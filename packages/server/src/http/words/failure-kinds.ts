import type { WordKey } from './en.ts'

/** What a person is told of a failure; each has words of its own. */
export type FailureKind =
  Extract<WordKey, `failure.${string}.title`> extends `failure.${infer Kind}.title` ? Kind : never

/** The failure behind an error code of the API, or of a provider. */
export function failureKind(code: string): FailureKind {
  return Object.hasOwn(failureKinds, code) ? (failureKinds[code] ?? 'refused') : 'refused'
}

/** Where the same person may simply try once more. */
export const mayTryAgain: readonly FailureKind[] = [
  'denied',
  'late',
  'ended',
  'used',
  'wrong_account',
  'provider_trouble',
  'our_fault',
  'refused',
  'too_many',
  'network',
]

export const failureKinds: Readonly<Record<string, FailureKind>> = {
  access_denied: 'denied',
  user_cancelled_login: 'denied',
  user_cancelled_authorize: 'denied',
  cancelled: 'cancelled',
  invalid_grant: 'late',
  invalid_state: 'ended',
  completion_not_expected: 'ended',
  authorization_revoked: 'ended',
  connector_disconnected: 'ended',
  connect_session_ended: 'over',
  connect_session_expired: 'expired',
  connect_token_invalid: 'lost',
  invalid_ticket: 'used',
  principal_mismatch: 'other_person',
  completion_code_invalid: 'other_person',
  browser_mismatch: 'other_browser',
  account_changed: 'wrong_account',
  not_a_navigation: 'frame',
  missing_right: 'not_permitted',
  space_forbidden: 'not_permitted',
  unauthorized: 'sign_in',
  token_expired: 'sign_in',
  rate_limited: 'too_many',
  too_many_pending: 'too_many',
  provider_error: 'provider_trouble',
  provider_timeout: 'provider_trouble',
  provider_unavailable: 'provider_trouble',
  server_error: 'provider_trouble',
  temporarily_unavailable: 'provider_trouble',
  internal_error: 'our_fault',
  database_unavailable: 'our_fault',
  keys_unavailable: 'our_fault',
  encryption_key_unavailable: 'our_fault',
  starting: 'our_fault',
  prefetch_refused: 'our_fault',
  too_many_connect_sessions: 'too_many',
  network: 'network',
  provider_not_configured: 'not_set_up',
  // What providers send while somebody in the user's organisation has yet to approve the app.
  admin_policy_enforced: 'waiting_admin',
  admin_consent_required: 'waiting_admin',
  approval_required: 'waiting_admin',
  consent_required: 'waiting_admin',
  interaction_required: 'refused',
  invalid_request: 'bad_set_up',
  invalid_scope: 'bad_set_up',
  unauthorized_client: 'bad_set_up',
  invalid_client: 'bad_set_up',
  unsupported_response_type: 'bad_set_up',
  redirect_uri_mismatch: 'bad_set_up',
  repeated_parameter: 'bad_set_up',
  bad_request: 'bad_set_up',
  uri_too_long: 'bad_set_up',
  redirect_uri_not_registered: 'bad_set_up',
  origin_not_allowed: 'bad_set_up',
  scope_not_allowed: 'bad_set_up',
  form_post_not_expected: 'bad_set_up',
  tenant_mismatch: 'bad_set_up',
  ticket_mismatch: 'bad_set_up',
  provider_unknown: 'bad_set_up',
  connector_id_taken: 'bad_set_up',
  no_origin: 'untold',
  session_unknown: 'unknown',
}
