import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Meter } from '../core/meter.ts'
import type { RequestScope } from '../core/request-scope.ts'
import type { RequestTrace, Tracer } from '../core/tracer.ts'

/** What follows requests on their way. */
export interface Followers {
  readonly meter: Meter
  readonly scope: RequestScope
  /** Absent: no traces. */
  readonly tracer: Tracer | undefined
  readonly isTrustedPeer: (remoteAddress: string | undefined) => boolean
}

/** The caller's own id, if it is harmless in a log and a header; else one of ours. */
export function requestIdOf(request: Pick<FastifyRequest['raw'], 'headers'>): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : randomUUID()
}

/** The `traceparent` of a caller who may set it, if it is well-formed (W3C Trace Context §3.2). */
function traceParent(request: FastifyRequest, isTrusted: Followers['isTrustedPeer']): string | undefined {
  const given = request.headers['traceparent']
  const isWellFormed =
    typeof given === 'string' && /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(given)
  return isWellFormed && isTrusted(request.raw.socket.remoteAddress) ? given : undefined
}

/**
 * Lets every line, figure and span know its request, and writes one line at its end: the route's pattern and the outcome; no
 * URL, since URLs carry codes and tickets, and no address.
 */
export function followRequests(app: FastifyInstance, followers: Followers): void {
  const { meter, scope, tracer, isTrustedPeer } = followers
  const traces = new WeakMap<FastifyRequest, RequestTrace>()
  app.addHook('onRequest', (request, _reply, done) => {
    if (tracer === undefined) return scope.run(request.id, done)
    const trace = tracer.request(traceParent(request, isTrustedPeer))
    traces.set(request, trace)
    scope.run(request.id, () => trace.run(done))
  })
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none'
    // Whoever asks for what is not there may use any method; that must not make a time series each.
    const method = route === 'none' ? 'any' : request.method
    const status = reply.statusCode
    meter.observe(
      'http_request_seconds',
      { route, method, status: `${Math.floor(status / 100)}xx` },
      reply.elapsedTime / 1000,
    )
    const trace = traces.get(request)
    trace?.end({ route, method, status })
    const traceId = trace?.traceId ?? traceParent(request, isTrustedPeer)?.slice(3, 35)
    // Probes come every few seconds and would bury the rest.
    request.log[route.startsWith('/health') || route === '/metrics' ? 'debug' : 'info'](
      {
        method: request.method,
        route,
        status,
        duration_ms: Math.round(reply.elapsedTime),
        ...(traceId !== undefined && { trace_id: traceId }),
      },
      'request',
    )
    done()
  })
}
