import type { FastifyReply } from 'fastify'
import type { ProxyReply } from '../domain/proxy-call.ts'

/**
 * The provider's answer, written past the framework: head and pieces as they come.
 *
 * Our own headers come first; the provider's were chosen so that none repeats them. `isClosing` ends the connection with the
 * answer, so that it does not hold up the end of the process.
 */
export function rawReply(reply: FastifyReply, isClosing: () => boolean): ProxyReply {
  const { raw } = reply
  return {
    begin(status, headers) {
      reply.hijack()
      raw.writeHead(status, [...ownHeaders(reply, isClosing()), ...headers])
      // With the first piece in one packet where there is one; an event stream's head must not wait for it.
      setImmediate(() => {
        if (!raw.writableEnded && !raw.destroyed) raw.flushHeaders()
      })
      return {
        write: (chunk) => raw.write(chunk),
        onDrain: (resume) => void raw.once('drain', resume),
        end: () => void raw.end(),
      }
    },
    cut: () => void raw.destroy(),
  }
}

/**
 * What stands on every answer. A browser that is brought to open such an address – behind a front that adds the bearer – must not run what
 * a provider sends as if it were the platform's own.
 */
function ownHeaders(reply: FastifyReply, isClosing: boolean): string[] {
  const headers: string[] = []
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value === undefined || name === 'content-security-policy') continue
    headers.push(name, String(value))
  }
  headers.push('content-security-policy', "sandbox; default-src 'none'; frame-ancestors 'none'")
  headers.push('cross-origin-resource-policy', 'same-origin')
  if (isClosing) headers.push('connection', 'close')
  return headers
}
