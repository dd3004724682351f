/**
 * Every problem a caller can meet, with its stable code, its status and the sentence that says what to do.
 * `docs/errors.md` is generated from this table and from `problem-cures.ts`.
 */
export const problems = {
  // 400
  repeated_parameter: [400, 'A parameter was given more than once or as an array; send each parameter once.'],
  invalid_state: [400, 'This authorization is unknown, finished or expired; start the connection again.'],
  redirect_uri_not_registered: [
    400,
    'This redirect_uri is not registered for the tenant; register the exact string with PUT /v1/admin/tenant/redirect-uris first.',
  ],
  origin_not_allowed: [400, 'This origin is not allowed; add it to ALLOWED_ORIGINS or register a landing page on it.'],
  scope_not_allowed: [
    400,
    'A requested scope is not in the list that the provider app allows; ask an administrator to add it.',
  ],
  access_denied: [400, 'The provider says that access was not granted; start again and accept the consent.'],
  provider_refused: [400, 'The provider ended the authorization with an error; start the connection again.'],
  invalid_grant: [400, 'The provider refused the authorization code; start the connection again.'],
  invalid_cursor: [400, 'The cursor is not one this service gave; start from the first page.'],
  discovery_failed: [
    400,
    'The issuer could not be discovered; check that its metadata is reachable and names this exact issuer.',
  ],
  url_not_allowed: [400, 'A provider URL points where this service must not connect; use a public https address.'],
  form_post_not_expected: [400, 'This provider does not answer by form post; use GET.'],
  bad_request: [400, 'The request could not be read; check its syntax.'],
  // 401
  unauthorized: [401, 'Send a valid bearer token in the Authorization header.'],
  token_expired: [401, 'The bearer token has expired; send a fresh one.'],
  lease_invalid: [401, 'The lease is unknown, expired or revoked, or is for another connector; ask for a new one.'],
  invalid_ticket: [401, 'The ticket is unknown, used or expired; create a new session.'],
  connect_token_invalid: [401, 'The connect token is unknown or altered; ask the app for a new link.'],
  connect_session_expired: [401, 'This connect session has expired; ask the app for a new one.'],
  // 403
  missing_right: [403, 'The bearer token lacks the right this call needs; ask for a token whose scope carries it.'],
  tenant_mismatch: [403, 'tenant_id must be the tenant of the bearer token.'],
  space_forbidden: [403, 'The bearer token does not reach this space or collection.'],
  principal_mismatch: [403, 'Only the user who started this connection may finish it; start it again as yourself.'],
  browser_mismatch: [403, 'This connection was started in another browser; finish it there or start it again here.'],
  ticket_mismatch: [
    403,
    'The parameters differ from those the ticket was minted for; open the authorize_url unchanged.',
  ],
  not_a_navigation: [403, 'Open this address as a page of its own, not inside a frame or by script.'],
  proxy_method_refused: [403, 'This method may not be used through this connector’s proxy; see its proxy_policy.'],
  proxy_path_refused: [
    403,
    'This path or query may not be used through this connector’s proxy; see its proxy_policy, and send plain paths without dot segments, empty segments or backslashes.',
  ],
  completion_code_invalid: [403, 'The completion code does not belong to this connection; start it again.'],
  lease_forbids: [403, 'The lease does not allow this method on this path; ask for one that does.'],
  lease_exhausted: [403, 'The lease has no calls left; ask for a new one.'],
  // 404
  not_found: [404, 'There is nothing at this address; see /docs for the routes.'],
  provider_unknown: [404, 'There is no such provider; GET /v1/connector-providers lists them.'],
  connector_unknown: [404, 'There is no such connector in this space and collection.'],
  webhook_unknown: [404, 'There is no such webhook; GET /v1/admin/webhooks lists them.'],
  delivery_unknown: [404, 'There is no ended delivery of this event; GET …/deliveries lists them.'],
  session_unknown: [404, 'There is no such session.'],
  connect_session_unknown: [404, 'There is no such connect session.'],
  mass_revocation_unknown: [404, 'There is no such order; GET /v1/admin/revocations lists them.'],
  lease_unknown: [404, 'There is no such lease of this connector.'],
  // 405, 408, 413, 414, 415
  method_not_allowed: [405, 'This address does not take that method; see /docs.'],
  request_timeout: [408, 'The request body stopped coming; send it without long pauses.'],
  proxied_body_too_large: [
    413,
    'The request body is too large for the proxy; send at most 5 GiB, in parts if there is more.',
  ],
  body_too_large: [413, 'The request body is too large; send at most 64 KiB, or 256 KiB to import a connector.'],
  uri_too_long: [414, 'The URL is too long; keep it under 8 KiB.'],
  unsupported_media_type: [415, 'Send the body as application/json.'],
  // 409
  provider_not_configured: [
    409,
    'This provider has no provider app yet; set client_id and client_secret for it first.',
  ],
  url_variables_required: [
    409,
    'This provider needs to know more first, such as a subdomain; start with POST …/sessions and url_variables, which GET /v1/connector-providers explains.',
  ],
  connector_id_taken: [409, 'This connector_id is in use for another space, collection or provider; choose another.'],
  account_changed: [
    409,
    'This connector belongs to another provider account; sign in with that account, or start a session with allow_account_change.',
  ],
  connect_session_ended: [
    409,
    'This connect session has ended: something is connected, it was cancelled, or its attempts are used up. Start a new one.',
  ],
  authorization_revoked: [
    409,
    'An administrator disconnected connections like this one after this authorization began; start the connection again.',
  ],
  connector_disconnected: [409, 'This connector is disconnected; connect it again first.'],
  connector_paused: [409, 'This connector is paused; resume it first.'],
  reauth_required: [409, 'The provider no longer accepts this connection; the user must connect again.'],
  completion_not_expected: [409, 'This connection is not waiting for completion; read the session status.'],
  proxy_not_offered: [
    409,
    'The address of this provider’s API is not known for this connector; add api_base_url to the provider.',
  ],
  too_many_providers: [409, 'This tenant has as many providers of its own as it may; remove one first.'],
  too_many_webhooks: [409, 'This tenant has as many webhooks as it may; remove one first.'],
  idempotency_conflict: [409, 'This Idempotency-Key was used with another body; use a new key.'],
  // 429
  rate_limited: [429, 'Too many requests; wait as long as Retry-After says.'],
  too_many_streams: [429, 'Too many event streams are open; close some, or read GET /v1/events instead.'],
  provider_rate_limited: [
    429,
    'The provider’s own rate limit is used up for this account; wait as long as Retry-After says.',
  ],
  too_many_pending: [429, 'Too many connections are being started at once; finish some or wait until they expire.'],
  too_many_connect_sessions: [
    429,
    'This user has as many open connect sessions as may be; use one, or wait until they expire.',
  ],
  too_many_leases: [429, 'This connector has as many live leases as it may; revoke some or wait until they expire.'],
  // 5xx
  internal_error: [500, 'Something went wrong on our side; quote the correlation id.'],
  provider_error: [502, 'The provider did not answer as it should; try again later.'],
  prefetch_refused: [503, 'This address is not for prefetching; open it as a page.'],
  database_unavailable: [503, 'The database does not answer; try again shortly.'],
  provider_unavailable: [503, 'The provider is unavailable; try again as Retry-After says.'],
  provider_busy: [503, 'Too many calls to this provider are under way; try again as Retry-After says.'],
  encryption_key_unavailable: [
    503,
    'A key that this connection is sealed with cannot be used now; try again shortly, nothing is lost.',
  ],
  keys_unavailable: [503, 'The keys that bearer tokens are checked with cannot be fetched; try again shortly.'],
  starting: [503, 'The service is starting; try again shortly.'],
  provider_timeout: [504, 'The provider did not answer in time; try again later.'],
} as const satisfies Record<string, readonly [status: number, detail: string]>

export type ProblemCode = keyof typeof problems

/**
 * A problem to be told to the caller. Thrown by flows, turned into a body by `http/errors.ts`.
 *
 * `detail` and `code` may be replaced by ones that carry the provider's own error code; they must already be
 * escaped and cut, and hold no secret.
 */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly status: number
  readonly publicCode: string
  readonly retryAfterSeconds: number | undefined

  constructor(code: ProblemCode, more: { detail?: string; publicCode?: string; retryAfterSeconds?: number } = {}) {
    const [status, sentence] = problems[code]
    super(more.detail ?? sentence)
    this.name = 'Problem'
    this.code = code
    this.status = status
    this.publicCode = more.publicCode ?? code
    this.retryAfterSeconds = more.retryAfterSeconds
  }
}
