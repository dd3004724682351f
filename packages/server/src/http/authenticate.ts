import type { FastifyRequest } from 'fastify'
import { Problem } from '../core/problem.ts'
import type { Principal } from '../domain/principal.ts'
import type { BearerVerifier } from './bearer-verifier.ts'

/** The token of `Authorization: Bearer …` (RFC 6750 §2.1); `undefined` when there is no such header. Throws 401 for another scheme. */
export function bearerToken(request: FastifyRequest): string | undefined {
  const header = request.headers.authorization
  if (header === undefined) return undefined
  const match = /^Bearer +([A-Za-z0-9._~+/=-]{1,8192})$/i.exec(header)
  if (match?.[1] === undefined) throw new Problem('unauthorized')
  return match[1]
}

/** The principal of an API call: a bearer token and nothing else. Throws 401. */
export async function requirePrincipal(request: FastifyRequest, verify: BearerVerifier): Promise<Principal> {
  const token = bearerToken(request)
  if (token === undefined) throw new Problem('unauthorized')
  return verify(token)
}

/** Who navigates: by bearer, or by the platform's cookie. */
export interface Navigator {
  readonly principal: Principal | undefined
  readonly by: 'bearer' | 'cookie' | undefined
}

/**
 * The principal of one of the two browser navigations, which may also be proven by the platform's same-site cookie.
 *
 * No cookie authenticates any other call (OWASP ASVS 3.5.1).
 */
export async function readNavigator(
  request: FastifyRequest,
  verify: BearerVerifier,
  cookieName: string | undefined,
): Promise<Navigator> {
  const bearer = bearerToken(request)
  if (bearer !== undefined) return { principal: await verify(bearer), by: 'bearer' }
  const cookie = cookieName === undefined ? undefined : request.cookies[cookieName]
  if (cookie === undefined || cookie === '') return { principal: undefined, by: undefined }
  try {
    return { principal: await verify(cookie), by: 'cookie' }
  } catch (error) {
    // A stale cookie proves nobody; the flow goes on as if there were none.
    if (error instanceof Problem && error.status === 401) return { principal: undefined, by: undefined }
    throw error
  }
}
