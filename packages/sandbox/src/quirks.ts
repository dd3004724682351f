/**
 * The ways in which real providers differ from RFC 6749, as data: each mode rewrites requests before the real
 * server sees them, and replies after it made them.
 */
export type QuirkMode =
  /** The token reply is form-encoded unless `Accept` names JSON (GitHub). */
  | 'form-reply'
  /** HTTP 200 with `ok`, errors of its own, commas between scopes, tokens under `authed_user` (Slack). */
  | 'ok-false'
  /** The token stands under `data` (TikTok). */
  | 'nested'
  /** Token requests are JSON with HTTP Basic, and nothing else (Notion). */
  | 'json-request'
  /** `expires_in` is a string. */
  | 'string-expires'
  /** No `expires_in`, though the token does expire (Salesforce). */
  | 'no-expires'
  /** `expires_in` is 0 and means nothing (Mailchimp). */
  | 'zero-expires'
  /** `expires_at` as RFC 3339 instead of `expires_in` (Square). */
  | 'absolute-expiry'
  /** Commas between scopes, in the request and in the reply (Linear). */
  | 'comma-scopes'
  /** Field names of the token reply are camelCase. */
  | 'renamed-fields'
  /** Refresh tokens do not rotate, and the refresh reply has none (Google). */
  | 'no-refresh-token-on-refresh'
  /** The callback brings `realmId` (QuickBooks). */
  | 'extra-callback'
  /** The code is called `auth_code` on the callback; the token request may call it so too. */
  | 'code-renamed'
  /** Token errors come with HTTP 200 and names of their own (GitHub). */
  | 'error-200'
  /** The callback is a POST (Apple). */
  | 'form-post'
  /** The token endpoint takes GET with a query, and nothing else (WeChat). */
  | 'get-token'
  /** Token errors are `errorCode` and `errorDescription` in camelCase. */
  | 'camel-error'

/** A JSON object on the wire. */
export type Json = Readonly<Record<string, unknown>>

/** A refusal of the token endpoint, and the grant that was asked for. */
export interface TokenError {
  readonly status: number
  readonly body: Json
}

/** What a mode changes; whatever is absent stays as the RFC has it. */
export interface Quirk {
  /** Turns the provider's own request parameters into standard ones. */
  readonly authorizationRequest?: (parameters: URLSearchParams) => void
  /** Changes the parameters of the authorization response. */
  readonly callback?: (parameters: URLSearchParams) => void
  /** How token requests must come; `form` when absent. */
  readonly transport?: TokenTransport
  /** The secret must come by HTTP Basic. */
  readonly basicOnly?: true
  /** Turns the provider's own token request fields into standard ones. */
  readonly tokenRequest?: (fields: URLSearchParams) => void
  readonly tokenReply?: (reply: Json, grantType: string) => Json
  readonly tokenError?: (error: TokenError, grantType: string) => TokenError
  /** Replies are form-encoded unless `Accept` names JSON. */
  readonly formReply?: true
  readonly keepsRefreshToken?: true
}

export type TokenTransport = 'form' | 'json' | 'query'

/** The account that `extra-callback` names on every callback. */
export const REALM_ID = '9130350000000000'

/** Every mode with what it changes. */
export const QUIRKS: { readonly [mode in QuirkMode]: Quirk } = {
  'form-reply': { formReply: true },
  'ok-false': {
    authorizationRequest(parameters) {
      const scopes = [parameters.get('scope'), parameters.get('user_scope')].filter((scope) => scope)
      parameters.set('scope', scopes.join(' '))
      parameters.delete('user_scope')
      commasToSpaces(parameters)
    },
    tokenReply: slackReply,
    tokenError: ({ body }, grantType) => ({ status: 200, body: { ok: false, error: slackError(body, grantType) } }),
  },
  nested: { tokenReply: (reply) => ({ code: 0, message: 'OK', data: reply }) },
  'json-request': {
    transport: 'json',
    basicOnly: true,
    tokenReply: (reply) => ({
      ...reply,
      workspace_id: 'workspace-1',
      workspace_name: 'Sandbox workspace',
      bot_id: 'bot-1',
    }),
  },
  'string-expires': { tokenReply: (reply) => ({ ...reply, expires_in: String(reply['expires_in']) }) },
  'no-expires': { tokenReply: (reply) => without(reply, 'expires_in') },
  'zero-expires': { tokenReply: (reply) => ({ ...reply, expires_in: 0 }) },
  'absolute-expiry': {
    tokenReply: (reply) => ({
      ...without(reply, 'expires_in'),
      expires_at: new Date(Date.now() + Number(reply['expires_in']) * 1000).toISOString(),
    }),
  },
  'comma-scopes': { authorizationRequest: commasToSpaces, tokenReply: (reply) => ({ ...reply, scope: commas(reply) }) },
  'renamed-fields': { tokenReply: camelNames },
  'no-refresh-token-on-refresh': {
    keepsRefreshToken: true,
    tokenReply: (reply, grantType) => (grantType === 'refresh_token' ? without(reply, 'refresh_token') : reply),
  },
  'extra-callback': { callback: (parameters) => parameters.set('realmId', REALM_ID) },
  'code-renamed': {
    callback: (parameters) => rename(parameters, 'code', 'auth_code'),
    tokenRequest: (fields) => rename(fields, 'auth_code', 'code'),
  },
  'error-200': {
    tokenError: ({ body }, grantType) => ({ status: 200, body: { ...body, error: githubError(body, grantType) } }),
  },
  'form-post': { authorizationRequest: (parameters) => parameters.set('response_mode', 'form_post') },
  'get-token': { transport: 'query' },
  'camel-error': {
    tokenError: ({ status, body }) => ({
      status,
      body: { errorCode: camel(String(body['error'])), errorDescription: body['error_description'] },
    }),
  },
}

/** Slack puts a person's token under `authed_user` and keeps the top level for the workspace. */
function slackReply(reply: Json): Json {
  return {
    ok: true,
    app_id: 'A0SANDBOX',
    authed_user: {
      id: 'U0SANDBOX',
      scope: commas(reply),
      access_token: reply['access_token'],
      token_type: 'user',
      expires_in: reply['expires_in'],
      refresh_token: reply['refresh_token'],
    },
    team: { id: 'T0SANDBOX', name: 'Sandbox team' },
    enterprise: null,
    is_enterprise_install: false,
    ...(reply['id_token'] !== undefined && { id_token: reply['id_token'] }),
  }
}

function slackError(body: Json, grantType: string): string {
  if (body['error'] === 'invalid_client') return 'bad_client_secret'
  if (body['error'] !== 'invalid_grant') return String(body['error'])
  return grantType === 'refresh_token' ? 'invalid_refresh_token' : 'invalid_code'
}

function githubError(body: Json, grantType: string): string {
  if (body['error'] === 'invalid_client') return 'incorrect_client_credentials'
  if (body['error'] !== 'invalid_grant') return String(body['error'])
  return grantType === 'refresh_token' ? 'bad_refresh_token' : 'bad_verification_code'
}

function commasToSpaces(parameters: URLSearchParams): void {
  const scope = parameters.get('scope')
  if (scope !== null) parameters.set('scope', scope.replaceAll(',', ' '))
}

function commas(reply: Json): string {
  return String(reply['scope']).replaceAll(' ', ',')
}

function rename(parameters: URLSearchParams, from: string, to: string): void {
  const value = parameters.get(from)
  if (value === null) return
  parameters.delete(from)
  parameters.set(to, value)
}

function without(reply: Json, name: string): Json {
  return Object.fromEntries(Object.entries(reply).filter(([key]) => key !== name))
}

function camelNames(reply: Json): Json {
  return Object.fromEntries(Object.entries(reply).map(([key, value]) => [camel(key), value]))
}

function camel(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase())
}
