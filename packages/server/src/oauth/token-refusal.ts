import type { ProviderDefinition } from '../core/provider-definition.ts'
import type { TokenFailure } from '../core/token.ts'
import type { EgressReply } from './egress.ts'
import { valueAt } from './json-path.ts'
import { safeCode } from './provider-text.ts'
import { retryAfterSeconds } from './retry-after.ts'

/** Which grant a token request made. */
export type GrantPurpose = 'code' | 'refresh'

/** Codes of RFC 6749 §5.2 and of providers with words of their own that say: this code or refresh token is dead. */
const grantLostCodes = new Set([
  'invalid_grant',
  'bad_refresh_token',
  'bad_verification_code',
  'code_already_used',
  'code_expired',
  'consent_required',
  'expired_token',
  'interaction_required',
  'invalid_auth_code',
  'invalid_code',
  'invalid_refresh_token',
  'login_required',
  'refresh_token_expired',
  'token_expired',
  'token_revoked',
])
/** Codes that say: this provider app is not known, not allowed, or set up otherwise. */
const clientRejectedCodes = new Set([
  'invalid_client',
  'unauthorized_client',
  'unsupported_grant_type',
  'bad_client_id',
  'bad_client_secret',
  'bad_redirect_uri',
  'incorrect_client_credentials',
  'invalid_client_id',
  'invalid_client_secret',
  'redirect_uri_mismatch',
])
const laterCodes = new Set(['temporarily_unavailable', 'server_error', 'slow_down', 'rate_limited', 'ratelimited'])

/**
 * The error code in a reply's document, `undefined` when it is no error.
 *
 * A definition's own rule decides where it has one; else an `error` text or `ok: false` is an error
 * under any status (Slack, GitHub and others answer 200).
 */
export function errorCodeIn(
  definition: ProviderDefinition,
  document: Readonly<Record<string, unknown>>,
): string | number | undefined {
  const rule = definition.token_reply_error
  if (rule !== undefined) {
    const value = valueAt(document, rule.path)
    const isAbsent = value === undefined || value === null || value === ''
    const isSuccess = isAbsent ? rule.absent_is_success : rule.success_values.some((good) => good === value)
    if (!isSuccess) return codeIn(valueAt(document, rule.code_path ?? 'error')) ?? codeIn(value) ?? 'unknown_error'
  }
  return codeIn(document.error) ?? (document.ok === false ? 'not_ok' : undefined)
}

/**
 * Sorts a refusal into what may be done about it (RFC 6749 §5.2).
 *
 * A code that is new to us ends a code exchange as `grant-lost`, since the authorization code is spent whatever it means. It
 * never ends a connection: at a refresh only codes known to mean a dead grant do, and everything else is tried again.
 */
export function refusal(
  definition: ProviderDefinition,
  reply: EgressReply,
  found: string | number | undefined,
  purpose: GrantPurpose,
  now: Date,
): TokenFailure {
  const later: TokenFailure = {
    kind: 'unavailable',
    reason: 'status',
    sent: true,
    retryAfterSeconds: retryAfterSeconds(reply.headers['retry-after'], now),
  }
  if (reply.status === 429 || reply.status >= 500) return later
  const rule = definition.token_reply_error
  const code = safeCode(found, `http_${reply.status}`)
  const has = (codes: readonly (string | number)[] | undefined): boolean =>
    found !== undefined && (codes ?? []).some((listed) => String(listed) === String(found))
  if (has(rule?.grant_lost_codes)) return { kind: 'grant-lost', code }
  if (has(rule?.client_rejected_codes)) return { kind: 'client-rejected', code }
  const known = code.toLowerCase()
  if (grantLostCodes.has(known)) return { kind: 'grant-lost', code }
  if (clientRejectedCodes.has(known)) return { kind: 'client-rejected', code }
  if (laterCodes.has(known)) return later
  if (reply.status === 401) return { kind: 'client-rejected', code }
  return purpose === 'code' && found !== undefined ? { kind: 'grant-lost', code } : later
}

function codeIn(value: unknown): string | number | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value
  if (typeof value === 'number') return value === 0 ? undefined : value
  if (typeof value !== 'object' || value === null) return undefined
  for (const name of ['code', 'error_code', 'type', 'status']) {
    const inner = valueAt(value, name)
    if ((typeof inner === 'string' && inner !== '') || typeof inner === 'number') return inner
  }
  return 'unknown_error'
}
