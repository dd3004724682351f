import { createHmac } from 'node:crypto'

/** Whom a bearer token is for, and what it allows. */
export interface TokenClaims {
  /** The service's `AUTH_JWT_SECRET`, of at least 32 bytes. */
  readonly secret: string
  /** The user or service that acts; connectors belong to it. */
  readonly subject: string
  readonly tenantId: string
  /** Rights, such as `['connectors:connect', 'connectors:use']`. */
  readonly scope: readonly string[]
  /** Default 300. Keep it short: a bearer cannot be taken back. */
  readonly ttlSeconds?: number
  readonly issuer?: string
  readonly audience?: string
  /** The only spaces and collections it reaches; absent: all of the tenant. */
  readonly spaces?: readonly string[]
  readonly collections?: readonly string[]
  /** The claim that names the tenant, when the service's `AUTH_TENANT_CLAIM` says another than `tenant_id`. */
  readonly tenantClaim?: string
}

/** A bearer token for set-ups with a shared secret: a JWT signed with HS256 (RFC 7519, RFC 7515 appendix A.1). */
export function signToken(claims: TokenClaims): string {
  if (Buffer.byteLength(claims.secret) < 32) throw new TypeError('The secret must have at least 32 bytes')
  const now = Math.floor(Date.now() / 1000)
  const payload = {
    sub: claims.subject,
    [claims.tenantClaim ?? 'tenant_id']: claims.tenantId,
    scope: claims.scope.join(' '),
    iat: now,
    exp: now + (claims.ttlSeconds ?? 300),
    ...(claims.issuer !== undefined && { iss: claims.issuer }),
    ...(claims.audience !== undefined && { aud: claims.audience }),
    ...(claims.spaces !== undefined && { spaces: claims.spaces }),
    ...(claims.collections !== undefined && { collections: claims.collections }),
  }
  const signed = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded(payload)}`
  return `${signed}.${createHmac('sha256', claims.secret).update(signed).digest('base64url')}`
}

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
