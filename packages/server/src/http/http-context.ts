/**
 * HTTP: routes judge form and identity, call one flow each, and put the outcome into the contract's words. This file
 * names what the routes share.
 */
import type { FastifyRequest } from 'fastify'
import type { Context } from '../domain/context.ts'
import type { BearerVerifier } from './bearer-verifier.ts'
import type { Limits } from './limits.ts'

export interface HttpContext {
  readonly flows: Context
  readonly verify: BearerVerifier
  readonly limits: Limits
  /** Name of the cookie that may authenticate the two browser navigations. */
  readonly authCookie: string | undefined
  /** Signs a token for whoever redeems a sign-in link; absent where tokens are signed elsewhere. */
  readonly signToken: TokenSigner | undefined
}

export type TokenSigner = (claims: {
  readonly subject: string
  readonly tenantId: string
  readonly scope: string
  readonly expiresAt: Date
}) => Promise<string>

/** The parameters of a query or form as text. Call `refuseRepeats` first: lists are left out here. */
export function textParameters(parameters: unknown): Record<string, string> {
  if (typeof parameters !== 'object' || parameters === null) return {}
  return Object.fromEntries(
    Object.entries(parameters).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  )
}

/** Length of the URL as it was asked for. */
export function urlLength(request: FastifyRequest): number {
  return (request.raw.url ?? '').length
}
