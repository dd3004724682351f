import type { ProblemCode } from './problem.ts'

/** How a problem comes about, and what ends it, for whoever looks it up. */
export interface Cure {
  readonly cause: string
  readonly cure: string
}

/** For every code of `problems`; `docs/errors.md` is generated from both. Markdown. */
export const problemCures: Readonly<Record<ProblemCode, Cure>> = {
  // 400
  repeated_parameter: {
    cause: 'The query names a parameter twice, or with brackets (`code[]=`). Which one would count?',
    cure: 'Send each once. Look for a proxy or a client that adds parameters to those that are there.',
  },
  invalid_state: {
    cause:
      'A callback came with a `state` that was used, is older than ten minutes, was never made here, or belongs to another provider; or a completion names a connect session that the session is not of. Usually a reload, the back button, or a copied address.',
    cure: 'Start the connection again. If it is always so, look whether the callback reaches another deployment than the start did, and take `connect_session_id` and `session_id` from the same message or address.',
  },
  redirect_uri_not_registered: {
    cause: '`redirect_uri` is compared as an exact string: a slash, a query or a port makes another one.',
    cure: 'Register it for the tenant with `PUT /v1/admin/tenant/redirect-uris`, or for all in `ALLOWED_REDIRECT_URIS`.',
  },
  origin_not_allowed: {
    cause: 'A session named an `origin` that is neither in `ALLOWED_ORIGINS` nor that of a registered landing page.',
    cure: 'Add it, as scheme, host and port without a path: `https://app.example.com`.',
  },
  scope_not_allowed: {
    cause: 'The caller asked for a scope beyond the `scopes` of the provider app.',
    cure: 'Ask for less, or have an administrator add the scope to the provider app, and at the provider where that wants it.',
  },
  access_denied: {
    cause: 'The user pressed *Cancel*, or a rule of the provider or of the user’s organisation refused the app.',
    cure: 'Let the user start again. Where nobody saw a consent page, an administrator at the provider has to allow the app.',
  },
  provider_refused: {
    cause:
      'The provider sent an error back instead of a code, `invalid_scope` or `unauthorized_client` for instance; that is the code you see.',
    cure: 'Look the code up in the page of that provider: scopes and the app’s settings are the usual reasons.',
  },
  invalid_grant: {
    cause:
      'The token endpoint refused the code: it took too long, or redirect URI or client differ from what the provider expects.',
    cure: 'Start again. If it is always so, compare client id, secret and redirect URI with those at the provider.',
  },
  invalid_cursor: {
    cause: 'The `cursor` was changed, cut, or comes from another list.',
    cure: 'Send `meta.next_cursor` of the last page as it came, or start without one.',
  },
  discovery_failed: {
    cause: '`<issuer>/.well-known/openid-configuration` did not answer, or names another issuer.',
    cure: 'Open that address yourself and compare `issuer` to the letter; or give `authorization_url` and `token_url` instead.',
  },
  url_not_allowed: {
    cause: 'An address of a custom provider or a webhook is http, private, or resolves to a private address.',
    cure: 'Use a public https address; an operator can allow a host in `ALLOWED_PRIVATE_HOSTS`.',
  },
  form_post_not_expected: {
    cause: 'A `POST` came to the callback of a provider that answers by redirect.',
    cure: 'Let the provider redirect; do not forward its answer yourself as a form.',
  },
  bad_request: {
    cause: 'The request could not be parsed: a broken escape in the path, or broken HTTP.',
    cure: 'Send it with a common HTTP client, and encode what stands in the path.',
  },
  // 401
  unauthorized: {
    cause:
      'There is no bearer, or its signature, issuer, audience, algorithm or tenant does not hold. The reason is kept from callers.',
    cure: 'Compare the token with `AUTH_JWT_SECRET` or `AUTH_JWKS_URL`, `AUTH_ISSUER`, `AUTH_AUDIENCE` and `AUTH_TENANT_CLAIM`. In development, `npx connector-oauth token` prints one that fits.',
  },
  token_expired: {
    cause: '`exp` of the bearer has passed, or the clocks differ.',
    cure: 'Fetch a fresh one before each call; the SDKs ask your `getAuthorization` each time.',
  },
  lease_invalid: {
    cause: 'The lease ended, was revoked with its connector, or is used for another connector.',
    cure: 'Ask whoever lent it for a new one.',
  },
  invalid_ticket: {
    cause:
      'The address of the popup was opened twice, later than 120 seconds after it was made, or was scanned by a mail filter.',
    cure: 'Make a new session for each click, and open its address at once.',
  },
  connect_token_invalid: {
    cause: 'The address of the connect page is incomplete (a mail program cut it), was used up, or has expired.',
    cure: 'Open the whole address, or have a new one made.',
  },
  // 403
  missing_right: {
    cause: 'The `scope` of the bearer lacks the right of this route; `WWW-Authenticate` names it.',
    cure: 'Sign a token whose `scope` has it, for callers that shall have it.',
  },
  tenant_mismatch: {
    cause: '`tenant_id` in the query is another than the bearer’s tenant. It never widens anything.',
    cure: 'Leave it out.',
  },
  space_forbidden: {
    cause: 'The bearer’s claims `spaces` or `collections` do not list this one.',
    cure: 'Use a token that does, or without these claims for one that reaches all of its tenant.',
  },
  principal_mismatch: {
    cause:
      'Another user finished than the one who started: two sign-ins in one browser, or a link that was passed on. Nothing was exchanged.',
    cure: 'Start again as the user whose account it shall be.',
  },
  browser_mismatch: {
    cause: 'The provider’s answer came to another browser than the one that started.',
    cure: 'Finish where you started. An in-app browser that hands over to the real one needs the redirect mode.',
  },
  ticket_mismatch: {
    cause: 'Parameters were added to or changed in `authorize_url`.',
    cure: 'Open it as it came; say everything when making the session.',
  },
  not_a_navigation: {
    cause: 'The address was loaded in a frame, or by `fetch`.',
    cure: 'Open it in a window or in the tab itself.',
  },
  proxy_method_refused: {
    cause: 'The connector’s `proxy_policy` does not list this method.',
    cure: 'Use another, or have `proxy_policy` changed with `PATCH` on the connector.',
  },
  proxy_path_refused: {
    cause:
      'The path is outside of `proxy_policy` or of the provider’s API, or is written so that servers read it differently.',
    cure: 'Send a plain path below the API’s base, without `..`, `//` or encoded slashes.',
  },
  completion_code_invalid: {
    cause: 'The code is not the one that the finishing browser was given.',
    cure: 'Take `completion_code` and `session_id` from the same message or address; else start again.',
  },
  lease_forbids: {
    cause: 'The lease is for other methods or paths.',
    cure: 'Ask for one that fits.',
  },
  lease_exhausted: { cause: 'All its `max_calls` are spent.', cure: 'Ask for a new one.' },
  // 404
  not_found: {
    cause: 'The address is mistyped, or is of another version.',
    cure: 'Compare it with the reference at `/docs` of the running service.',
  },
  provider_unknown: {
    cause: 'The slug is in no catalogue entry and is no custom provider of this tenant.',
    cure: 'Take it from `GET /v1/connector-providers`.',
  },
  connector_unknown: {
    cause:
      'There is none with this id in this space and collection of the bearer’s tenant. Somebody else’s looks the same.',
    cure: 'Check all three, and the tenant of the token.',
  },
  webhook_unknown: { cause: 'It was deleted, or is another tenant’s.', cure: 'Take the id from the list.' },
  delivery_unknown: {
    cause: 'The event was never meant for this webhook, or its delivery is still under way.',
    cure: 'Replay only deliveries that ended.',
  },
  session_unknown: {
    cause: 'It is another user’s, or was purged after it ended.',
    cure: 'Ask as the user who started, soon after; else start again.',
  },
  connect_session_unknown: {
    cause: 'It is another user’s or tenant’s, or was purged after it ended.',
    cure: 'Ask as the user who made it; else make a new one.',
  },
  mass_revocation_unknown: { cause: 'The id is another tenant’s or mistyped.', cure: 'Take it from the list.' },
  lease_unknown: { cause: 'It ended, or is of another connector.', cure: 'Take the id from the connector’s list.' },
  // 405 to 415
  method_not_allowed: { cause: 'The route exists with other methods.', cure: 'The header `Allow` names them.' },
  request_timeout: {
    cause: 'The body stopped coming for too long.',
    cure: 'Send it in one go; buffer it first when its source is slow.',
  },
  proxied_body_too_large: {
    cause: 'A request through the proxy was larger than 5 GiB.',
    cure: 'Use the provider’s upload in parts.',
  },
  body_too_large: {
    cause: 'The body is over the route’s limit.',
    cure: 'Send less; credentials are smaller than this.',
  },
  uri_too_long: { cause: 'The URL is longer than 8 KiB.', cure: 'Shorten the query, or narrow the list.' },
  unsupported_media_type: {
    cause: 'The body is no JSON, or does not say so.',
    cure: 'Send `Content-Type: application/json`.',
  },
  // 409
  provider_not_configured: {
    cause:
      'Neither the deployment nor the tenant has a client for this provider, a URL variable is missing, or a secret was entered for another token endpoint.',
    cure: 'Set `PROVIDER_<SLUG>_CLIENT_ID` and `_CLIENT_SECRET`, or `PATCH /v1/admin/connector-providers/{provider_slug}`.',
  },
  url_variables_required: {
    cause:
      'The provider’s addresses have a part that whoever connects fills in, a shop or a subdomain, and `authorize` has no parameter for it.',
    cure: 'Start with `POST …/sessions` and `url_variables`; `GET /v1/connector-providers` lists names, patterns and examples. Or fix the value for the tenant with `PATCH /v1/admin/connector-providers/{provider_slug}`.',
  },
  connector_id_taken: {
    cause: 'You named a `connector_id` that exists elsewhere in the tenant.',
    cure: 'Choose another, or leave it out and take the one that is made.',
  },
  account_changed: {
    cause: 'On reconnecting the user signed in at the provider as somebody else.',
    cure: 'Sign out at the provider and use the account that the connector names; or start with `allow_account_change`.',
  },
  authorization_revoked: {
    cause: 'The kill switch was thrown while this authorization was under way.',
    cure: 'Start again.',
  },
  connector_disconnected: {
    cause: 'Somebody disconnected it; its tokens are destroyed.',
    cure: 'Connect again with the same `connector_id`.',
  },
  connector_paused: { cause: 'It was paused with `PATCH`.', cure: '`PATCH` it with `"paused": false`.' },
  reauth_required: {
    cause:
      'The provider ended the grant: the user removed the app, changed the password, or the refresh token died. `status_reason` says what is known.',
    cure: 'Show the user *Reconnect*: connect with this `connector_id`. The event `connector.reauth_required` tells you before the next call does.',
  },
  completion_not_expected: {
    cause: 'The session is connected, failed or expired already, or consent has not been given.',
    cure: 'Read its status; complete once.',
  },
  connect_session_ended: {
    cause: 'The connect page was finished already, in another tab perhaps.',
    cure: 'Read the connect session’s status; for another connection make a new one.',
  },
  connect_session_expired: {
    cause: 'The connect page was opened later than its `expires_at`.',
    cure: 'Make a new one; a `link` lives up to seven days.',
  },
  too_many_connect_sessions: {
    cause: 'Too many connect pages of this user or tenant are open.',
    cure: 'Let some be finished or expire. Look for a page that makes one at every render.',
  },
  proxy_not_offered: {
    cause: 'The definition has no `api_base_url`, or the provider named none for this account.',
    cure: 'Set `api_base_url` on the custom provider; for a catalogue entry, fetch a token and call the API yourself.',
  },
  too_many_providers: { cause: 'The tenant’s limit of custom providers is reached.', cure: 'Remove one.' },
  too_many_webhooks: { cause: 'The tenant’s limit of webhooks is reached.', cure: 'Remove one.' },
  idempotency_conflict: {
    cause: 'The same `Idempotency-Key` came with another body.',
    cure: 'Use one key for one request, and the same body for its repeats.',
  },
  // 429
  rate_limited: {
    cause:
      'More requests than the service’s limits take from one user, tenant or address. Behind a proxy that `TRUST_PROXY` does not name, all users are one address.',
    cure: 'Wait as `Retry-After` says; the SDKs do. See `TRUST_PROXY` and `RATE_LIMITS`.',
  },
  too_many_streams: {
    cause: 'The tenant has too many event streams open.',
    cure: 'Share one in each process, and close those that nobody reads.',
  },
  provider_rate_limited: {
    cause: 'The provider said that the account’s budget is spent; the call was not sent.',
    cure: 'Wait as `Retry-After` says, and call less often.',
  },
  too_many_pending: {
    cause: 'More than 20 unfinished connections of one user, or 200 of one tenant.',
    cure: 'They end after ten minutes. Look for a page that starts one at every render.',
  },
  too_many_leases: {
    cause: 'The connector’s limit of live leases is reached.',
    cure: 'Revoke some, or make them shorter.',
  },
  // 5xx
  internal_error: {
    cause: 'A fault of this service.',
    cure: 'Look for `correlation_id` in the log, as `request_id`, and report it with the lines around it.',
  },
  provider_error: {
    cause: 'The provider answered with something that is no OAuth reply, or broke off.',
    cure: 'Try again. If it is always so, the definition’s addresses or the provider app are wrong.',
  },
  prefetch_refused: {
    cause: 'The browser loaded the address ahead of a click. Nothing was used up.',
    cure: 'Nothing to do: the click itself works.',
  },
  database_unavailable: {
    cause: 'PostgreSQL is away, restarting, or out of connections.',
    cure: 'Try again; operators see `/health/ready` and `connector_oauth_database_waiting`.',
  },
  provider_unavailable: {
    cause: 'The provider failed several times, and the service lets it recover.',
    cure: 'Wait as `Retry-After` says. Nobody has to connect again.',
  },
  provider_busy: {
    cause: 'Too many calls to one provider app are under way in this process.',
    cure: 'Wait as `Retry-After` says, or run more processes.',
  },
  encryption_key_unavailable: {
    cause: 'A key service does not answer, or a key is gone from `ENCRYPTION_KEYS`.',
    cure: 'Put the key back; `npx connector-oauth keys status` names it.',
  },
  keys_unavailable: {
    cause: '`AUTH_JWKS_URL` does not answer.',
    cure: 'Look whether this service can reach it; known keys are kept for a while.',
  },
  starting: { cause: 'Migrations are under way.', cure: 'Send requests once `/health/ready` is 200.' },
  provider_timeout: {
    cause: 'The provider took longer than ten seconds for a token, or than the proxy waits.',
    cure: 'Try again later.',
  },
}

/** Why a connector is `degraded` or `reauth_required`: its `status_reason`. Words of the provider's own may stand there too. */
export const statusReasons: Readonly<Record<string, Cure>> = {
  invalid_grant: {
    cause: 'The provider does not know the refresh token any more.',
    cure: 'The user connects again.',
  },
  token_expired: {
    cause: 'The access token ended, and there is no refresh token.',
    cure: 'The user connects again; ask for offline access where the provider has a scope for it.',
  },
  tokens_unreadable: {
    cause: 'The sealed tokens do not open where they stand: rows were altered, or backups mixed.',
    cure: 'The user connects again; find out who wrote to the database.',
  },
  refresh_outcome_unknown: {
    cause: 'The reply to a refresh was lost, and the token works once only.',
    cure: 'The user connects again.',
  },
  provider_app_changed: {
    cause: 'Endpoint, issuer or client id changed since it was connected.',
    cure: 'Change it back, or let the users connect again.',
  },
  provider_app_missing: {
    cause: 'The provider app was removed.',
    cure: 'Enter it again; the connector recovers by itself.',
  },
  provider_app_rejected: {
    cause: 'The provider refused the client secret.',
    cure: 'Enter the new secret; connectors recover by themselves.',
  },
}
