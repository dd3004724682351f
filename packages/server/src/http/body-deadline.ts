import type { FastifyInstance } from 'fastify'
import { Problem } from '../core/problem.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route reads its body as it comes, with deadlines of its own. */
    streamsBody?: true
  }
}

/** For what is read whole: some kilobytes. */
const bodyDeadlineMs = 30_000
const headersDeadlineMs = 30_000

/**
 * Ends requests whose body does not arrive in time, with a 408; routes that stream are left to themselves.
 *
 * The server's own limit knows no routes, and an upload of gigabytes may take its hour. So that limit is `longestMs`, and this the
 * one for everybody else: a slow body must not hold a connection for long.
 */
export function limitBodyTime(app: FastifyInstance, longestMs: number, deadlineMs = bodyDeadlineMs): void {
  app.server.requestTimeout = longestMs
  app.server.headersTimeout = headersDeadlineMs
  app.addHook('onRequest', (request, reply, done) => {
    const { 'content-length': length, 'transfer-encoding': coding } = request.headers
    const hasBody = coding !== undefined || (length !== undefined && length !== '0')
    if (hasBody && request.routeOptions.config.streamsBody !== true) {
      const timer = setTimeout(() => {
        if (request.raw.complete || reply.sent) return
        void reply.header('connection', 'close').send(new Problem('request_timeout'))
      }, deadlineMs)
      reply.raw.once('close', () => clearTimeout(timer))
    }
    done()
  })
}
