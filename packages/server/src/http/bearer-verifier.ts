import { createHash } from 'node:crypto'
import { createRemoteJWKSet, customFetch, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose'
import type { Clock } from '../core/clock.ts'
import { tenantId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import type { Principal } from '../domain/principal.ts'
import { isUuid } from './formats.ts'

/** Turns a bearer token into the principal behind it. Throws 401 `unauthorized` and `token_expired`. */
export type BearerVerifier = (token: string) => Promise<Principal>

export interface BearerSettings {
  readonly key:
    | { readonly kind: 'secret'; readonly secret: Uint8Array }
    | { readonly kind: 'jwks'; readonly url: string; readonly fetch: typeof fetch }
  readonly issuer: string | undefined
  readonly audience: string | undefined
  readonly tenantClaim: string
  readonly defaultTenant: string | undefined
  readonly defaultScope: string
}

const rememberedTokens = 10_000
const rememberedForMs = 5 * 60_000
const maxIssuerLength = 1024

/**
 * Verifies platform JWTs (RFC 8725, RFC 9068).
 *
 * The algorithm comes from configuration and the keys from the configured source alone: `jku`, `x5u` and `jwk` headers are
 * ignored. Verified tokens are remembered by digest for five minutes at most, since a signature costs more than the rest
 * of a read; then they are verified again, so that no token outlives its key.
 */
export function createBearerVerifier(settings: BearerSettings, clock: Clock): BearerVerifier {
  const remembered = new Map<string, { readonly principal: Principal; readonly untilMs: number }>()
  const verify = signatureVerifier(settings)
  return async (token) => {
    const digest = createHash('sha256').update(token).digest('base64')
    const known = remembered.get(digest)
    const nowMs = clock.now().getTime()
    if (known !== undefined && known.untilMs > nowMs) return known.principal
    remembered.delete(digest)
    const payload = await verify(token, clock.now())
    const principal = toPrincipal(payload, settings)
    const [oldest] = remembered.size >= rememberedTokens ? remembered.keys() : []
    if (oldest !== undefined) remembered.delete(oldest)
    remembered.set(digest, { principal, untilMs: Math.min((payload.exp ?? 0) * 1000, nowMs + rememberedForMs) })
    return principal
  }
}

function signatureVerifier(settings: BearerSettings): (token: string, now: Date) => Promise<JWTPayload> {
  const { key } = settings
  const source: Uint8Array | JWTVerifyGetKey =
    key.kind === 'secret'
      ? key.secret
      : createRemoteJWKSet(new URL(key.url), {
          [customFetch]: key.fetch,
          timeoutDuration: 5_000,
          cacheMaxAge: rememberedForMs,
        })
  const algorithms = key.kind === 'secret' ? ['HS256'] : ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']
  const options = {
    algorithms,
    requiredClaims: ['exp', 'sub'],
    ...(settings.issuer === undefined ? {} : { issuer: settings.issuer }),
    ...(settings.audience === undefined ? {} : { audience: settings.audience }),
  }
  return async (token, now) => {
    try {
      const verified =
        typeof source === 'function'
          ? await jwtVerify(token, source, { ...options, currentDate: now })
          : await jwtVerify(token, source, { ...options, currentDate: now })
      return verified.payload
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw new Problem('token_expired')
      if (error instanceof errors.JWKSTimeout || isOutage(error)) throw new Problem('keys_unavailable')
      throw new Problem('unauthorized')
    }
  }
}

/** The key set could not be fetched: nobody knows whether the token is good. */
function isOutage(error: unknown): boolean {
  if (!(error instanceof errors.JOSEError)) return true
  return error.code === 'ERR_JOSE_GENERIC'
}

function toPrincipal(payload: JWTPayload, settings: BearerSettings): Principal {
  // Only what is absent gets a default: a claim that is there and broken must not widen.
  const { [settings.tenantClaim]: tenant = settings.defaultTenant, scope = settings.defaultScope } = payload
  if (typeof tenant !== 'string' || !/^[\x21-\x7e]{1,128}$/.test(tenant)) {
    throw new Problem('unauthorized', {
      detail: `The bearer token names no tenant; send one with the claim ${settings.tenantClaim}.`,
    })
  }
  const subject = payload.sub
  if (typeof subject !== 'string' || !/^[^\p{Cc}\p{Cs}]{1,256}$/u.test(subject)) throw new Problem('unauthorized')
  const issuer: unknown = payload.iss
  if (issuer !== undefined && !isIssuer(issuer)) throw new Problem('unauthorized')
  return {
    tenantId: tenantId(tenant),
    issuer: issuer ?? '',
    subject,
    rights: new Set(scopeOf(scope)),
    spaces: idsOf(payload['spaces']),
    collections: idsOf(payload['collections']),
    expiresAt: new Date((payload.exp ?? 0) * 1000),
  }
}

/** The claims come from outside; nothing has judged this one yet. */
function isIssuer(claim: unknown): claim is string {
  return typeof claim === 'string' && claim.length <= maxIssuerLength && /^[^\p{Cc}\p{Cs}]+$/u.test(claim)
}

/** RFC 9068 §2.2.3 joins scopes by spaces; some issuers send a list. Anything else grants nothing. */
function scopeOf(claim: unknown): readonly string[] {
  if (typeof claim === 'string') return claim.split(' ').filter((scope) => scope !== '')
  return Array.isArray(claim) ? claim.filter((scope) => typeof scope === 'string') : []
}

/** A claim that is there but is no list of UUIDs reaches nothing: a broken restriction must not widen. */
function idsOf(claim: unknown): ReadonlySet<string> | undefined {
  if (claim === undefined) return undefined
  const ids: readonly unknown[] = Array.isArray(claim) ? claim : []
  return new Set(ids.flatMap((id) => (typeof id === 'string' && isUuid(id) ? id.toLowerCase() : [])))
}
