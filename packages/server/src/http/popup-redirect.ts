import type { FastifyReply } from 'fastify'

/** Sends a popup on, as a `GET` whatever came: the provider must never be sent a repeated POST (RFC 9700 §4.12). */
export function redirectPopup(reply: FastifyReply, location: string): FastifyReply {
  return reply.redirect(location, 303)
}
