import type { ProviderClient } from '../core/token.ts'
import { fitsPattern } from './pattern.ts'
import { isStorable } from '../core/storable-text.ts'

/** What the claims must agree with. */
export type IdTokenExpectation =
  | { readonly at: 'exchange'; readonly nonce: string | undefined }
  /** `subject` is that of the first ID token, when there was one. */
  | { readonly at: 'refresh'; readonly subject: string | undefined }

const toleranceSeconds = 60

/**
 * The first claim that is not as it must be, `undefined` when all are (OIDC Core §3.1.3.7, §12.2).
 *
 * At a refresh the times and the nonce do not count: the token then signs nobody in, and some providers repeat the first one.
 */
export function faultOf(
  client: ProviderClient,
  claims: Readonly<Record<string, unknown>>,
  expected: IdTokenExpectation,
  now: Date,
): string | undefined {
  if (!isIssuerGood(client, claims.iss)) return 'iss'
  if (typeof claims.sub !== 'string' || claims.sub === '' || claims.sub.length > 255 || !isStorable(claims.sub))
    return 'sub'
  if (!isAudienceGood(client.clientId, claims.aud, claims.azp)) return 'aud'
  if (expected.at === 'refresh') {
    return expected.subject !== undefined && claims.sub !== expected.subject ? 'sub' : undefined
  }
  const nowSeconds = Math.floor(now.getTime() / 1000)
  if (!isNumber(claims.exp) || claims.exp <= nowSeconds - toleranceSeconds) return 'exp'
  if (!isNumber(claims.iat) || claims.iat > nowSeconds + toleranceSeconds) return 'iat'
  if (claims.nbf !== undefined && (!isNumber(claims.nbf) || claims.nbf > nowSeconds + toleranceSeconds)) return 'nbf'
  // A nonce nobody asked for belongs to an authorization that was not ours.
  return claims.nonce === expected.nonce ? undefined : 'nonce'
}

function isIssuerGood(client: ProviderClient, iss: unknown): boolean {
  if (typeof iss !== 'string') return client.endpoints.issuer === undefined && iss === undefined
  if (client.definition.issuer_pattern !== undefined) return fitsPattern(client.definition.issuer_pattern, iss)
  return client.endpoints.issuer === undefined || iss === client.endpoints.issuer
}

/** With several audiences the token must name this client as the party it was issued to. */
function isAudienceGood(clientId: string, aud: unknown, azp: unknown): boolean {
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  if (!audiences.includes(clientId)) return false
  return azp === undefined ? audiences.length === 1 : azp === clientId
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
