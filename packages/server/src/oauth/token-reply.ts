import type { ProviderDefinition } from '../core/provider-definition.ts'
import { Secret } from '../core/secret.ts'
import type { TokenFailure, TokenGrant } from '../core/token.ts'
import type { EgressReply } from './egress.ts'
import { isAllowedValue } from './endpoints.ts'
import { jsonObject, textAt, valueAt } from './json-path.ts'
import { expiryOf } from './token-lifetime.ts'
import { errorCodeIn, refusal, type GrantPurpose } from './token-refusal.ts'

/** Names under which the account of a token reply is kept; the dot keeps them apart from a definition's own names. */
export const keptAccountId = 'account.id'
export const keptAccountName = 'account.name'

const maxTokenLength = 16_384
const maxKeptLength = 1024
const maxScopes = 500
const standardNames = new Set(['access_token', 'refresh_token', 'expires_in', 'token_type', 'id_token'])

/** A token reply, read but for its ID token. */
export type TokenReply =
  | TokenFailure
  /** `idToken` is not verified yet, so the grant has no claims. */
  | { readonly kind: 'read'; readonly grant: TokenGrant; readonly idToken: Secret | undefined }

/**
 * Turns any provider's token reply into one shape (RFC 6749 §5.1, §5.2). Pure; the only reader of token replies.
 *
 * Whatever cannot be understood is `unavailable`/`nonsense`, never an exception: a parser's error could carry the tokens.
 */
export function readTokenReply(
  definition: ProviderDefinition,
  reply: EgressReply,
  now: Date,
  purpose: GrantPurpose,
): TokenReply {
  const isSuccess = reply.status === 200 || reply.status === 201
  const document = documentOf(definition, reply, isSuccess)
  if (!isSuccess) {
    return refusal(definition, reply, document && errorCodeIn(definition, document), purpose, now)
  }
  if (document === undefined) return nonsense
  const code = errorCodeIn(definition, document)
  if (code !== undefined) return refusal(definition, reply, code, purpose, now)

  const path = (name: string): string => definition.token_response_paths?.[name] ?? name
  const accessToken = valueAt(document, path('access_token'))
  const refreshToken = valueAt(document, path('refresh_token')) ?? ''
  const tokenType = readTokenType(definition, valueAt(document, path('token_type')))
  if (!isToken(accessToken) || tokenType === undefined) return nonsense
  // Some providers spell "none" as an empty string or false; anything else unreadable may be a rotated token, lost.
  const hasRefreshToken = refreshToken !== '' && refreshToken !== false
  if (hasRefreshToken && !isToken(refreshToken)) return nonsense
  const idToken = valueAt(document, path('id_token'))
  return {
    kind: 'read',
    grant: {
      kind: 'granted',
      accessToken: new Secret(accessToken),
      refreshToken: hasRefreshToken && isToken(refreshToken) ? new Secret(refreshToken) : undefined,
      tokenType,
      expiresAt: expiryOf(definition, document, now),
      scopes: readScopes(definition, valueAt(document, definition.granted_scope_path ?? 'scope')),
      idTokenClaims: undefined,
      kept: readKept(definition, document, [accessToken, refreshToken, idToken]),
    },
    idToken: typeof idToken === 'string' && idToken !== '' ? new Secret(idToken) : undefined,
  }
}

const nonsense: TokenFailure = { kind: 'unavailable', reason: 'nonsense', sent: true, retryAfterSeconds: undefined }

/** JSON whatever its media type says; a form only where the definition, or for refusals the text, says so. */
function documentOf(
  definition: ProviderDefinition,
  reply: EgressReply,
  isSuccess: boolean,
): Readonly<Record<string, unknown>> | undefined {
  const format = definition.token_reply_format ?? 'json'
  const json = format === 'form' && isSuccess ? undefined : jsonObject(reply.body)
  if (json !== undefined) return json
  const text = reply.body.toString('utf8').trim()
  const mayBeForm = format !== 'json' || (!isSuccess && text.startsWith('error='))
  if (!mayBeForm || !/^[^\s<>{}=&]+=[^\s<>{}]*$/.test(text)) return undefined
  return Object.fromEntries(new URLSearchParams(text))
}

/** Visible ASCII (RFC 6750 §2.1): a token with a line break would split the header it goes into. */
function isToken(value: unknown): value is string {
  return typeof value === 'string' && value.length <= maxTokenLength && /^[\x21-\x7e]+$/.test(value)
}

/** As the provider spelled it (RFC 6749 §7.1: case does not matter); `undefined` for a type we cannot use. */
function readTokenType(definition: ProviderDefinition, value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return 'Bearer'
  if (typeof value !== 'string') return undefined
  const lower = value.toLowerCase()
  return lower === 'bearer' || definition.token_types?.includes(lower) === true ? value : undefined
}

function readScopes(definition: ProviderDefinition, value: unknown): readonly string[] | undefined {
  const separator = definition.scope_separator ?? ' '
  const parts =
    typeof value === 'string'
      ? value.split(/[\s,]+/).flatMap((part) => part.split(separator))
      : Array.isArray(value)
        ? value.filter((part): part is string => typeof part === 'string')
        : undefined
  return parts && [...new Set(parts)].filter((part) => /^[\x21-\x7e]{1,256}$/.test(part)).slice(0, maxScopes)
}

/** Values the definition asks for, checked where they will stand in a URL; a value that is a token is left out. */
function readKept(
  definition: ProviderDefinition,
  document: Readonly<Record<string, unknown>>,
  tokens: readonly unknown[],
): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {}
  const keep = (name: string, path: string): void => {
    const value = textAt(document, path, maxKeptLength)
    if (value !== undefined && !tokens.includes(value)) kept[name] = value
  }
  for (const [name, path] of Object.entries(definition.token_response_paths ?? {})) {
    if (!standardNames.has(name)) keep(name, path)
    const isVariable = Object.hasOwn(definition.url_variables ?? {}, name)
    if (isVariable && kept[name] !== undefined && !isAllowedValue(definition, name, kept[name])) delete kept[name]
  }
  if (definition.account?.from === 'token_reply') {
    keep(keptAccountId, definition.account.id)
    if (definition.account.name !== undefined) keep(keptAccountName, definition.account.name)
  }
  return kept
}
