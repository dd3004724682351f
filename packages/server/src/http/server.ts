import cookie from '@fastify/cookie'
import cors from '@fastify/cors'
import { LogController, type FastifyBaseLogger, type FastifyInstance, type FastifyRequest } from 'fastify'
import { KeyUnavailable } from '../core/key-unavailable.ts'
import type { RequestScope } from '../core/request-scope.ts'
import type { Tracer } from '../core/tracer.ts'
import { Problem } from '../core/problem.ts'
import { InvalidFields } from '../domain/invalid-fields.ts'
import { proxyTimes } from '../domain/proxy-limits.ts'
import { bareApp } from './bare-app.ts'
import { limitBodyTime } from './body-deadline.ts'
import { isUnexpected, toAnswer } from './errors.ts'
import { followRequests, requestIdOf } from './follow-requests.ts'
import { registerFormats } from './formats.ts'
import type { HttpContext } from './http-context.ts'
import { rememberPaths } from './known-paths.ts'
import { letConnectionsGo } from './let-connections-go.ts'
import { createLimits, noLimits } from './limits.ts'
import { registerReference } from './reference.ts'
import { refuse } from './refuse.ts'
import { authorizeRoute } from './routes/authorize.ts'
import { auditRoutes } from './routes/audit.ts'
import { callbackRoutes } from './routes/callback.ts'
import { connectPageRoutes } from './routes/connect-page.ts'
import { connectPageCalls } from './routes/connect-page-calls.ts'
import { connectSessionRoutes } from './routes/connect-sessions.ts'
import { connectorRoutes } from './routes/connectors.ts'
import { dashboardRoutes } from './routes/dashboard.ts'
import { dashboardConfigRoute, deploymentRoutes } from './routes/deployment.ts'
import { eventStreamRoute } from './routes/event-stream.ts'
import { eventRoutes } from './routes/events.ts'
import { finishedRoute } from './routes/finished.ts'
import { guideRoutes } from './routes/guides.ts'
import { healthRoutes, type Readiness } from './routes/health.ts'
import { keyRoutes } from './routes/keys.ts'
import { leaseRoutes } from './routes/leases.ts'
import { loginRoute } from './routes/login.ts'
import { massRevocationRoutes } from './routes/mass-revocations.ts'
import { metricsRoute, type MetricsPage } from './routes/metrics.ts'
import { providerRoutes } from './routes/providers.ts'
import { proxyRoutes } from './routes/proxy.ts'
import { sdkRoute } from './routes/sdk.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { tenantConnectorRoutes } from './routes/tenant-connectors.ts'
import { webhookRoutes } from './routes/webhooks.ts'
import { trustedPeers } from './trusted-peers.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * What it answers may stand in a popup, which must reach its opener at the end. A redirect counts for the opener policy as a
     * page does, and so does an error's page: with `same-origin` on one of them the opener is lost for good.
     */
    keepsOpener?: true
  }
}

export interface ServerSettings extends Omit<HttpContext, 'limits'> {
  readonly logger: FastifyBaseLogger
  readonly readiness: Readiness
  readonly trustedProxies: readonly string[]
  readonly allowedOrigins: readonly string[]
  readonly limitsRequests: boolean
  readonly requestScope: RequestScope
  /** Absent: no traces. */
  readonly tracer: Tracer | undefined
  /** Absent: metrics are shown elsewhere or nowhere. */
  readonly metrics: MetricsPage | undefined
}

const loopbackOrigin = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/

/** The whole HTTP API as an app that listens nowhere yet. */
export async function createServer(settings: ServerSettings): Promise<FastifyInstance> {
  registerFormats()
  const app = bareApp({
    loggerInstance: settings.logger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    genReqId: requestIdOf,
    trustProxy: settings.trustedProxies.length === 0 ? false : [...settings.trustedProxies],
    // Enough for every body but an import; validation of more would hold up everybody else.
    bodyLimit: 65_536,
    exposeHeadRoutes: false,
    // A slug or an id too long for its schema must meet the schema, not Fastify's own limit.
    routerOptions: { maxParamLength: 16_384 },
    rewriteUrl: (request) => withoutProxyPrefix(request.url ?? '/'),
    // A path that cannot be decoded meets no hook and no handler; the framework's own answer would repeat it.
    frameworkErrors: (error, request, reply) => {
      void reply.headers(headersOfAll(request, settings.flows.settings.publicUrl))
      void refuse(request, reply, toAnswer(error, request.id, false))
    },
  })
  readJsonBodies(app)
  addHeaders(app, settings.flows.settings.publicUrl)
  addErrorHandling(app)
  followRequests(app, {
    meter: settings.flows.meter,
    scope: settings.requestScope,
    tracer: settings.tracer,
    isTrustedPeer: trustedPeers(settings.trustedProxies),
  })
  letConnectionsGo(app)
  limitBodyTime(app, proxyTimes.totalMs)

  await app.register(cors, {
    // A developer's front end runs on a loopback port of the day, as for a session's origin.
    origin: [...settings.allowedOrigins, ...(settings.flows.settings.allowsLoopbackHttp ? [loopbackOrigin] : [])],
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type', 'idempotency-key', 'last-event-id'],
    exposedHeaders: ['retry-after', 'x-request-id', 'x-connector-error'],
    credentials: false,
    maxAge: 600,
  })
  const limits = settings.limitsRequests ? await createLimits(app) : noLimits
  const http: HttpContext = { ...settings, limits }
  await registerReference(app, settings.flows.settings.publicUrl)
  healthRoutes(app, settings.readiness)
  dashboardRoutes(app, http.flows)
  dashboardConfigRoute(app, http.flows)
  guideRoutes(app)
  sdkRoute(app)
  if (settings.metrics !== undefined) metricsRoute(app, settings.metrics)
  await app.register(async (api) => {
    // Until the migrations are done there are no tables to ask.
    api.addHook('onRequest', async () => {
      if (!settings.readiness.isMigrated()) throw new Problem('starting', { retryAfterSeconds: 1 })
    })
    // Only where a browser navigates does a cookie mean anything.
    await api.register(async (navigation) => {
      await navigation.register(cookie)
      authorizeRoute(navigation, http)
      await callbackRoutes(navigation, http)
    })
    finishedRoute(api, http)
    sessionRoutes(api, http)
    connectSessionRoutes(api, http)
    connectPageCalls(api, http)
    connectPageRoutes(api, http)
    connectorRoutes(api, http)
    leaseRoutes(api, http)
    await proxyRoutes(api, http)
    providerRoutes(api, http)
    eventRoutes(api, http)
    auditRoutes(api, http)
    eventStreamRoute(api, http)
    webhookRoutes(api, http)
    loginRoute(api, http)
    massRevocationRoutes(api, http)
    deploymentRoutes(api, http)
    tenantConnectorRoutes(api, http)
    keyRoutes(api, http)
  })
  return app
}

/** Every route answers under `/api-proxy/v1` as well, byte for byte the same. */
function withoutProxyPrefix(url: string): string {
  return url.startsWith('/api-proxy/v1/') ? url.slice('/api-proxy'.length) : url
}

function readJsonBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeContentTypeParser(['application/json', 'text/plain'])
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') return done(null, undefined)
    // The default parser takes the text whole; only its refusal is put in the contract's words.
    void parse(request, String(body), (error, value) =>
      error === null
        ? done(null, value)
        : done(
            new InvalidFields([{ loc: ['body'], msg: 'the body is not valid JSON', type: 'value_error.jsondecode' }]),
          ),
    )
  })
}

function addHeaders(app: FastifyInstance, publicUrl: string): void {
  app.addHook('onRequest', (request, reply, done) => {
    void reply.headers(headersOfAll(request, publicUrl))
    done()
  })
}

function headersOfAll({ id, routeOptions }: FastifyRequest, publicUrl: string): Record<string, string> {
  return {
    'x-request-id': id,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'cross-origin-opener-policy': routeOptions.config.keepsOpener ? 'unsafe-none' : 'same-origin',
    ...(publicUrl.startsWith('https:') && { 'strict-transport-security': 'max-age=31536000; includeSubDomains' }),
  }
}

function addErrorHandling(app: FastifyInstance): void {
  const methodsAt = rememberPaths(app)
  app.setErrorHandler((error, request, reply) => {
    if (isUnexpected(error)) request.log.error({ error: describe(error) }, 'request failed')
    // Its message names the key and what to do; without a line here only callers would learn of it.
    if (error instanceof KeyUnavailable) request.log.error({ reason: error.message }, 'a key is unavailable')
    return refuse(request, reply, toAnswer(error, request.id, request.headers.authorization !== undefined))
  })
  app.setNotFoundHandler((request, reply) => {
    const methods = methodsAt(request.url)
    if (methods.length > 0) void reply.header('allow', methods.join(', '))
    const problem = new Problem(methods.length > 0 ? 'method_not_allowed' : 'not_found')
    return refuse(request, reply, toAnswer(problem, request.id, false))
  })
}

/** Class and stack, never the message's values: a driver's message may quote what it was given. */
function describe(error: unknown): object {
  if (!(error instanceof Error)) return { name: typeof error }
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {}
  // By their look, not by their number: a message may have several lines.
  const stack = error.stack?.split('\n').filter((line) => /^ +at /.test(line))
  return { name: error.name, ...code, stack: stack?.slice(0, 11) }
}
