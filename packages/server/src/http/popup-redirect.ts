import type { FastifyReply } from 'fastify'

/**
 * Sends a popup on, as a `GET` whatever came: the provider must never be sent a repeated POST (RFC 9700 §4.12).
 *
 * A redirect counts for the opener policy as a page does: with `same-origin` on it the popup would lose its opener for
 * good, and the closing page could tell nobody.
 */
export function redirectPopup(reply: FastifyReply, location: string): FastifyReply {
  return reply.header('cross-origin-opener-policy', 'unsafe-none').redirect(location, 303)
}
