import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ConnectorParams, ProxyParams } from '@connector-oauth/contract/connectors.ts'
import { collectionId, connectorId, spaceId } from '../../core/ids.ts'
import { Problem } from '../../core/problem.ts'
import { leasePrefix } from '../../domain/leases.ts'
import { findOpenLease } from '../../domain/open-lease.ts'
import type { ProxyCaller } from '../../domain/proxy-caller.ts'
import { maxBodyBytes, replayBytes } from '../../domain/proxy-limits.ts'
import { proxy } from '../../domain/proxy.ts'
import { bearerToken, requirePrincipal } from '../authenticate.ts'
import { isUnexpected, sendError, toAnswer } from '../errors.ts'
import type { HttpContext } from '../http-context.ts'
import { letRunOut, takeBody } from '../proxy-body.ts'
import { rawReply } from '../proxy-reply.ts'
import { requestValidator } from '../validate.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Read by `@fastify/cors`, whose types leave it out. */
    cors?: { readonly preflightContinue: boolean; readonly strictPreflight: boolean }
  }
}

const url = '/v1/spaces/:space_id/collections/:collection_id/connectors/:connector_id/proxy/*'
/** Slashes of a request line before the provider's path begins. */
const slashesBefore = 8

/** Those that clients know; the rest of what Node.js can read works as well and stays off the reference page. */
const shownMethods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
const otherMethods = [
  'HEAD',
  'OPTIONS',
  'TRACE',
  'QUERY',
  'PROPFIND',
  'PROPPATCH',
  'REPORT',
  'SEARCH',
  'MKCOL',
  'MKCALENDAR',
  'COPY',
  'MOVE',
  'LOCK',
  'UNLOCK',
  'LINK',
  'UNLINK',
  'ACL',
  'BIND',
  'UNBIND',
  'REBIND',
  'MERGE',
  'CHECKOUT',
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'NOTIFY',
  'PURGE',
]

const bodyLimits = { replayBytes, maxBytes: maxBodyBytes, wholeMs: 30_000 }

/**
 * Any method `…/connectors/{connector_id}/proxy/{path}`
 *
 * The whole call runs in a hook before the body is parsed: whatever its type, it is not for this service to read. What this
 * service itself has to say carries `X-Connector-Error`.
 */
export async function proxyRoutes(app: FastifyInstance, http: HttpContext): Promise<void> {
  await app.register(async (scope) => {
    let isClosing = false
    scope.addHook('preClose', async () => {
      isClosing = true
    })
    scope.setErrorHandler((error, request, reply) => {
      if (isUnexpected(error))
        request.log.error({ error: error instanceof Error ? error.name : typeof error }, 'a proxied call failed')
      const answer = toAnswer(error, request.id, request.headers.authorization !== undefined)
      void reply.header('x-connector-error', answer.code)
      return sendError(request, reply, answer)
    })
    const validate = requestValidator({ params: ConnectorParams })

    async function pass(request: FastifyRequest, reply: FastifyReply): Promise<void> {
      if (isPreflight(request)) return void (await reply.code(204).header('content-length', '0').send())
      const caller = await proxyCaller(http, request)
      const { params } = validate({
        params: request.params,
        query: undefined,
        body: undefined,
        headers: undefined,
        urlLength: (request.raw.url ?? '').length,
      })
      const place = {
        spaceId: spaceId(params.space_id),
        collectionId: collectionId(params.collection_id),
        connectorId: connectorId(params.connector_id),
      }
      const gone = new AbortController()
      // A call that is over has nothing to abort, and an abort is not for nothing: it makes an error with a stack.
      reply.raw.once('close', () => {
        if (!reply.raw.writableFinished || !request.raw.complete) gone.abort()
      })
      try {
        const call = {
          ...targetOf(request.raw.url ?? ''),
          method: request.method,
          headers: request.raw.headers,
          takeBody: () => takeBody(request.raw, bodyLimits),
          signal: gone.signal,
          abort: (reason: Problem) => gone.abort(reason),
        }
        await proxy(
          http.flows,
          caller,
          place,
          call,
          rawReply(reply, () => isClosing),
        )
      } catch (error) {
        letRunOut(request.raw)
        const reason: unknown = gone.signal.reason
        if (reason instanceof Problem && !reply.raw.headersSent && !reply.raw.destroyed) throw reason
        // Nobody is there to be told.
        if (!gone.signal.aborted) throw error
        reply.hijack()
      }
    }

    for (const name of otherMethods)
      if (!scope.supportedMethods.includes(name)) scope.addHttpMethod(name, { hasBody: true })
    const route = { url, exposeHeadRoute: false, onRequest: pass, handler: unreachable }
    scope.route({ ...route, method: shownMethods, schema: documentation, config: { streamsBody: true } })
    scope.route({
      ...route,
      method: otherMethods,
      schema: { hide: true },
      // A preflight is answered as everywhere; any other OPTIONS is the provider's.
      config: { streamsBody: true, cors: { preflightContinue: true, strictPreflight: false } },
    })
  })
}

/** Who calls: a bearer token or a lease, the only place where one counts. Throws 401 and 429. */
async function proxyCaller(http: HttpContext, request: FastifyRequest): Promise<ProxyCaller> {
  await http.limits.checkAddress(request)
  const token = bearerToken(request)
  if (token?.startsWith(leasePrefix)) {
    const found = await findOpenLease(http.flows, token)
    const { tenantId, lease } = found
    await http.limits.check(request, { tenantId, issuer: leasePrefix, subject: lease.lease_id })
    return { kind: 'lease', found }
  }
  const principal = await requirePrincipal(request, http.verify)
  await http.limits.check(request, principal)
  return { kind: 'principal', principal }
}

const documentation = {
  tags: ['Proxy'],
  summary: 'Call the provider’s API with the connector’s token',
  description:
    'Method, path, query, body and most headers go to the provider as they are sent; its answer comes back as it is. An answer of this service’s own carries X-Connector-Error.',
  security: [{ bearer: [] }],
  params: ProxyParams,
}

function isPreflight(request: FastifyRequest): boolean {
  const { origin, 'access-control-request-method': method } = request.headers
  return request.method === 'OPTIONS' && origin !== undefined && method !== undefined
}

/** The provider's part of the request line, not decoded. */
function targetOf(line: string): { readonly path: string; readonly query: string | undefined } {
  // The route matched, but on a decoded line, and perhaps one with a host before it.
  const at = startOfPath(line)
  if (at === undefined) throw new Problem('proxy_path_refused')
  const mark = line.indexOf('?', at)
  return mark === -1
    ? { path: line.slice(at), query: undefined }
    : { path: line.slice(at, mark), query: line.slice(mark + 1) }
}

function startOfPath(line: string): number | undefined {
  let at = 0
  for (let slash = 0; slash < slashesBefore; slash += 1) {
    at = line.indexOf('/', at + 1)
    if (at === -1) return undefined
  }
  return line.startsWith('/') ? at : undefined
}

async function unreachable(): Promise<never> {
  throw new Error('A proxied call ends before its handler')
}
