import type { Secret } from '../core/secret.ts'
import type { ProviderClient, RevocationOutcome } from '../core/token.ts'
import { EgressError, type EgressReply, type EgressRequest } from './egress.ts'
import { fillClientId, fillLater } from './endpoints.ts'
import { jsonObject } from './json-path.ts'
import type { ProtocolContext } from './protocol-context.ts'
import { safeCode } from './provider-text.ts'
import { retryAfterSeconds } from './retry-after.ts'
import { revocationRequest, type TokenKind } from './revocation-request.ts'

/** Of each request; there may be two, and it is no loss if they are tried again later. */
const deadlineMs = 5_000

/** What is left of a grant; an absent token is not revoked. */
export interface TokensToRevoke {
  readonly refreshToken: Secret | undefined
  readonly accessToken: Secret | undefined
  readonly kept: Readonly<Record<string, string>>
}

/** How the revocation of a grant ended as a whole, and for each token that was sent. */
export interface GrantRevocation {
  readonly outcome: RevocationOutcome
  readonly tokens: Readonly<Partial<Record<TokenKind, RevocationOutcome['kind']>>>
}

/** As `revokeEachToken`, for callers whom the whole is enough. */
export async function revokeGrant(
  context: ProtocolContext,
  client: ProviderClient,
  tokens: TokensToRevoke,
): Promise<RevocationOutcome> {
  return (await revokeEachToken(context, client, tokens)).outcome
}

/**
 * Revokes what a grant left behind: the refresh token first, since most servers end its access tokens with it, then the access
 * token (RFC 7009 §2). Never throws for a provider's doings; retrying is the caller's business.
 *
 * A token the server does not know is as good as revoked (§2.2).
 */
export async function revokeEachToken(
  context: ProtocolContext,
  client: ProviderClient,
  tokens: TokensToRevoke,
): Promise<GrantRevocation> {
  const given = client.endpoints.revocationUrl
  if (given === undefined) return { outcome: { kind: 'unsupported' }, tokens: {} }
  const filled = fillLater(given, tokens.kept, client.definition)
  // A client id in the host can make an address that is none.
  const url = filled === undefined ? null : URL.parse(fillClientId(filled, client.clientId))
  if (url === null) return { outcome: failed('url_incomplete'), tokens: {} }

  const ends: (readonly [TokenKind, RevocationOutcome])[] = []
  for (const [kind, token] of tokensInOrder(client, tokens)) {
    ends.push([kind, await revokeOne(context, client, revocationRequest(client, url, kind, token))])
  }
  return {
    outcome: summary(ends.map(([, outcome]) => outcome)),
    tokens: Object.fromEntries(ends.map(([kind, outcome]) => [kind, outcome.kind])),
  }
}

function summary(outcomes: readonly RevocationOutcome[]): RevocationOutcome {
  return (
    outcomes.find((outcome) => outcome.kind === 'failed') ??
    outcomes.find((outcome) => outcome.kind === 'revoked') ??
    (outcomes.length === 0 ? { kind: 'revoked' } : { kind: 'unsupported' })
  )
}

/** Styles of the providers' own end with the access token, which is all that they take. */
function tokensInOrder(client: ProviderClient, tokens: TokensToRevoke): [TokenKind, Secret][] {
  const isStandard = (client.definition.revocation?.style ?? 'rfc7009') === 'rfc7009'
  const order: [TokenKind, Secret | undefined][] = [
    ['refresh_token', isStandard ? tokens.refreshToken : undefined],
    ['access_token', tokens.accessToken],
  ]
  return order.filter((entry): entry is [TokenKind, Secret] => entry[1] !== undefined)
}

async function revokeOne(
  context: ProtocolContext,
  client: ProviderClient,
  request: EgressRequest,
): Promise<RevocationOutcome> {
  try {
    return outcomeOf(client, await context.egress.request({ ...request, deadlineMs }), context.clock.now())
  } catch (error) {
    if (!(error instanceof EgressError)) throw error
    const isRetryable = error.kind === 'timeout' || error.kind === 'network'
    return { kind: 'failed', reason: error.kind, retryable: isRetryable, retryAfterSeconds: undefined }
  }
}

function outcomeOf(client: ProviderClient, reply: EgressReply, now: Date): RevocationOutcome {
  const document = jsonObject(reply.body)
  const error = typeof document?.error === 'string' ? document.error : undefined
  if (reply.status >= 200 && reply.status < 300) {
    // Slack and its like answer 200 to everything.
    const isRefused = document?.ok === false && error !== 'token_revoked' && error !== 'invalid_auth'
    return isRefused ? failed(safeCode(error, 'not_ok')) : { kind: 'revoked' }
  }
  if (reply.status === 429 || reply.status >= 500) {
    return {
      kind: 'failed',
      reason: `http_${reply.status}`,
      retryable: true,
      retryAfterSeconds: retryAfterSeconds(reply.headers['retry-after'], now),
    }
  }
  if (error === 'unsupported_token_type') return { kind: 'unsupported' }
  if (error === 'invalid_token' || error === 'invalid_grant') return { kind: 'revoked' }
  const style = client.definition.revocation?.style ?? 'rfc7009'
  // A bearer call refused for its token, and GitHub's 404 or 422, say that the token is dead already.
  if (style.startsWith('bearer_') && reply.status === 401) return { kind: 'revoked' }
  if (style === 'basic_delete_json' && (reply.status === 404 || reply.status === 422)) return { kind: 'revoked' }
  return failed(safeCode(error, `http_${reply.status}`))
}

function failed(reason: string): RevocationOutcome {
  return { kind: 'failed', reason, retryable: false, retryAfterSeconds: undefined }
}
