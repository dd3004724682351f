import type { Secret } from '../core/secret.ts'
import type { ProviderClient, TokenFailure, TokenGrant, TokenOutcome } from '../core/token.ts'
import { usesPkce } from './authorization-url.ts'
import { authenticateClient, clientAuthMethod } from './client-auth.ts'
import { fillClientId, fillLater } from './endpoints.ts'
import { verifyIdToken } from './id-token.ts'
import type { ProtocolContext } from './protocol-context.ts'
import { callTokenEndpoint } from './token-call.ts'
import { readTokenReply, type TokenReply } from './token-reply.ts'
import type { GrantPurpose } from './token-refusal.ts'

export type { ProtocolContext } from './protocol-context.ts'

/** What redeeming one code needs beside the provider app. */
export interface CodeExchange {
  readonly code: Secret
  /** The very string of the authorization request (RFC 6749 §4.1.3). */
  readonly redirectUri: string
  readonly verifier: Secret | undefined
  /** The nonce of the authorization request; the ID token must carry it, or none if there was none. */
  readonly nonce: string | undefined
  /** From `readCallback`. */
  readonly kept: Readonly<Record<string, string>>
}

/** What one refresh needs beside the provider app. */
export interface RefreshRequest {
  readonly refreshToken: Secret
  readonly kept: Readonly<Record<string, string>>
  /** `sub` of the ID token that came with the grant; another one in the reply is nonsense (OIDC Core §12.2). */
  readonly idTokenSubject: string | undefined
  /** Of the token call, default 10,000; an ID token in the reply may take 5,000 more. */
  readonly deadlineMs?: number
}

/**
 * Redeems an authorization code (RFC 6749 §4.1.3), and swaps the token for a long-lived one where the definition says so.
 *
 * Never throws for a provider's doings. The ID token is verified; a bad one is `nonsense`. One whose signature cannot
 * be checked, because the keys are out of reach, ends the attempt as `network`: the user is there and can try again.
 */
export async function exchangeCode(
  context: ProtocolContext,
  client: ProviderClient,
  request: CodeExchange,
): Promise<TokenOutcome> {
  const { definition } = client
  const parameters: Record<string, string> = {
    ...definition.extra_token_params,
    ...grantType(definition.code_grant_type, 'authorization_code'),
    [definition.code_request_parameter ?? 'code']: request.code.reveal(),
    ...sentAlong(client, request.kept, 'token_parameter'),
  }
  if (definition.redirect_uri_omitted !== true) {
    parameters[definition.redirect_uri_parameter ?? 'redirect_uri'] = request.redirectUri
  }
  if (request.verifier !== undefined) parameters.code_verifier = request.verifier.reveal()

  const url = fillLater(client.endpoints.tokenUrl, request.kept, definition)
  const first = await callFor(context, client, { purpose: 'code', url, parameters, deadlineMs: undefined })
  if (first.kind !== 'read') return first
  const reply = await longLived(context, client, first, request.kept)
  if (reply.kind !== 'read') return reply

  const kept = { ...request.kept, ...first.grant.kept, ...reply.grant.kept }
  const idToken = first.idToken ?? reply.idToken
  if (idToken === undefined) {
    // Without a code challenge the nonce is all that keeps a foreign code out, so its carrier must not be missing.
    const isNonceNeeded = request.nonce !== undefined && !usesPkce(definition) && client.endpoints.issuer !== undefined
    return isNonceNeeded ? nonsense : { ...reply.grant, kept }
  }
  const verdict = await verifyIdToken(context, client, idToken, { at: 'exchange', nonce: request.nonce })
  switch (verdict.kind) {
    case 'verified':
      return { ...reply.grant, kept, idTokenClaims: verdict.claims }
    case 'ignored':
      return { ...reply.grant, kept }
    case 'refused':
      return nonsense
    case 'keys-unavailable':
      return { kind: 'unavailable', reason: 'network', sent: true, retryAfterSeconds: undefined }
  }
}

/**
 * Asks for a fresh access token (RFC 6749 §6).
 *
 * An ID token in the reply must have the same issuer and subject, else the reply is `nonsense` with `sent`: tokens of another
 * account must not slip into this connection. If only its keys are out of reach the grant holds, without
 * claims, because a rotated refresh token thrown away would end the connection.
 */
export async function refreshGrant(
  context: ProtocolContext,
  client: ProviderClient,
  request: RefreshRequest,
): Promise<TokenOutcome> {
  const { definition } = client
  const parameters = {
    ...(definition.extra_refresh_params ?? definition.extra_token_params),
    ...grantType(definition.refresh_grant_type, 'refresh_token'),
    [definition.refresh_token_parameter ?? 'refresh_token']: request.refreshToken.reveal(),
    ...sentAlong(client, request.kept, 'refresh_parameter'),
  }
  const url = fillLater(client.endpoints.refreshUrl, request.kept, definition)
  const reply = await callFor(context, client, { purpose: 'refresh', url, parameters, deadlineMs: request.deadlineMs })
  if (reply.kind !== 'read') return reply
  const grant: TokenGrant = { ...reply.grant, kept: { ...request.kept, ...reply.grant.kept } }
  if (reply.idToken === undefined) return grant
  const verdict = await verifyIdToken(context, client, reply.idToken, {
    at: 'refresh',
    subject: request.idTokenSubject,
  })
  switch (verdict.kind) {
    case 'verified':
      return { ...grant, idTokenClaims: verdict.claims }
    case 'ignored':
    case 'keys-unavailable':
      return grant
    case 'refused':
      return nonsense
  }
}

const nonsense: TokenFailure = { kind: 'unavailable', reason: 'nonsense', sent: true, retryAfterSeconds: undefined }
const unusableUrl: TokenFailure = { kind: 'unavailable', reason: 'refused', sent: false, retryAfterSeconds: undefined }

interface GrantCall {
  readonly purpose: GrantPurpose
  /** `undefined` when a value for it is missing or does not fit. */
  readonly url: string | undefined
  readonly parameters: Readonly<Record<string, string>>
  readonly deadlineMs: number | undefined
}

async function callFor(context: ProtocolContext, client: ProviderClient, call: GrantCall): Promise<TokenReply> {
  if (call.url === undefined) return unusableUrl
  const { definition } = client
  const formats = { code: undefined, refresh: definition.refresh_request_format }
  const authentication = authenticateClient(client, clientAuthMethod(client, call.purpose))
  const reply = await callTokenEndpoint(context.egress, {
    url: fillClientId(call.url, client.clientId),
    format: formats[call.purpose] ?? definition.token_request_format ?? 'form',
    headers: { ...tokenHeaders(client), ...authentication.headers },
    parameters: { ...call.parameters, ...authentication.parameters },
    deadlineMs: call.deadlineMs,
  })
  return 'kind' in reply ? reply : readTokenReply(definition, reply, context.clock.now(), call.purpose)
}

/** The second call of providers whose first token lives for an hour only; the first reply where there is none. */
async function longLived(
  context: ProtocolContext,
  client: ProviderClient,
  first: Extract<TokenReply, { kind: 'read' }>,
  kept: Readonly<Record<string, string>>,
): Promise<TokenReply> {
  const rule = client.definition.long_lived_exchange
  if (rule === undefined) return first
  const url = fillLater(rule.url, { ...kept, ...first.grant.kept }, client.definition)
  if (url === undefined) return unusableUrl
  const authentication = authenticateClient(client, clientAuthMethod(client, 'code'))
  const reply = await callTokenEndpoint(context.egress, {
    url: fillClientId(url, client.clientId),
    format: rule.format,
    headers: { ...tokenHeaders(client), ...authentication.headers },
    parameters: {
      grant_type: rule.grant_type,
      [rule.token_parameter]: first.grant.accessToken.reveal(),
      ...authentication.parameters,
    },
    deadlineMs: undefined,
  })
  return 'kind' in reply ? reply : readTokenReply(client.definition, reply, context.clock.now(), 'code')
}

function grantType(named: string | null | undefined, standard: string): Record<string, string> {
  return named === null ? {} : { grant_type: named ?? standard }
}

/** Kept callback values that the definition sends along under names of their own. */
function sentAlong(
  client: ProviderClient,
  kept: Readonly<Record<string, string>>,
  which: 'token_parameter' | 'refresh_parameter',
): Record<string, string> {
  const sent: Record<string, string> = {}
  for (const [name, rule] of Object.entries(client.definition.callback_params ?? {})) {
    const value = kept[rule.url_variable ?? name]
    const parameter = rule[which]
    if (value !== undefined && parameter !== undefined) sent[parameter] = value
  }
  return sent
}

function tokenHeaders(client: ProviderClient): Record<string, string> {
  const headers = Object.entries(client.definition.token_request_headers ?? {})
  return Object.fromEntries(headers.map(([name, value]) => [name, fillClientId(value, client.clientId)]))
}
