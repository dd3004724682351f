import type { FastifyReply, FastifyRequest } from 'fastify'
import '@fastify/cookie'
import type { Secret } from '../core/secret.ts'

const prefix = '__Host-co_'
const lifeSeconds = 600
const liveAtMost = 10

/** The values of this service's binding cookies; each was set by one authorization. */
export function readBindings(request: FastifyRequest): readonly string[] {
  return Object.entries(request.cookies).flatMap(([name, value]) =>
    name.startsWith(prefix) && value !== undefined ? value : [],
  )
}

/**
 * Binds an authorization to this browser: the callback must come back here.
 *
 * `Lax`, since the provider's redirect is cross-site and `Strict` would lose the cookie on it. The value is random and says
 * nothing of the state. Beyond ten open authorizations the oldest cookies go.
 */
export function bindBrowser(
  request: FastifyRequest,
  reply: FastifyReply,
  transactionId: string,
  binding: Secret,
  now: Date,
): void {
  const options = { path: '/', secure: true, httpOnly: true, sameSite: 'lax' } as const
  const older = Object.keys(request.cookies)
    .filter((name) => name.startsWith(prefix))
    .toSorted()
  for (const name of older.slice(0, Math.max(0, older.length + 1 - liveAtMost))) reply.clearCookie(name, options)
  // The start time leads the name, so that names sort by age: eight digits of it until 2059.
  const started = now.getTime().toString(36)
  reply.setCookie(`${prefix}${started}_${transactionId}`, binding.reveal(), { ...options, maxAge: lifeSeconds })
}

/** Forgets the cookie of an authorization that has ended. */
export function unbindBrowser(request: FastifyRequest, reply: FastifyReply, transactionId: string): void {
  for (const name of Object.keys(request.cookies)) {
    if (name.startsWith(prefix) && name.endsWith(`_${transactionId}`)) {
      reply.clearCookie(name, { path: '/', secure: true, httpOnly: true, sameSite: 'lax' })
    }
  }
}
