/**
 * Puts the service together. The only file that knows every layer.
 */
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { SignJWT } from 'jose'
import type { Logger } from 'pino'
import type { Config } from './config.ts'
import { systemClock, type Clock } from './core/clock.ts'
import { noLog } from './core/log.ts'
import { noMeter, type Meter } from './core/meter.ts'
import type { ProviderDefinition } from './core/provider-definition.ts'
import { createRequestScope, type RequestScope } from './core/request-scope.ts'
import type { Secret } from './core/secret.ts'
import { untraced, type Tracer } from './core/tracer.ts'
import { createActivity } from './domain/activity.ts'
import { createEventFeed } from './domain/event-feed.ts'
import type { Catalog, Context, DeploymentApp } from './domain/context.ts'
import { createOpenCalls } from './domain/open-calls.ts'
import { createRefreshGate } from './domain/refresh-gate.ts'
import { createWebhookTurns } from './domain/webhook-turns.ts'
import { everyWork, type Work } from './domain/work.ts'
import { createRateBudgets } from './domain/rate-budgets.ts'
import { createBearerVerifier, type BearerSettings } from './http/bearer-verifier.ts'
import type { TokenSigner } from './http/http-context.ts'
import type { Readiness } from './http/routes/health.ts'
import { createServer } from './http/server.ts'
import { version } from './core/version.ts'
import { createFigures } from './figures.ts'
import { logOfFlows } from './log.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { createDiscovery } from './oauth/discovery.ts'
import { createEgress, type Egress } from './oauth/egress.ts'
import { createKeySets } from './oauth/key-sets.ts'
import { openDatabase, type Database } from './store/database.ts'
import { dataKeys } from './store/data-keys.ts'
import { openJobs, type Jobs } from './store/jobs.ts'
import { tracedEgress } from './traced-egress.ts'
import { openTransit } from './transit-server.ts'
import { openKeys } from './vault/open-keys.ts'
import { createVault } from './vault/vault.ts'

/** What a start settles before the parts are put together: every secret is there, every port known. */
export interface Settled {
  readonly config: Config
  readonly databaseUrl: string
  readonly keys: Config['encryptionKeys']
  readonly jwtSecret: Secret | undefined
  readonly catalog: Catalog
  /** A provider that this process brings along, with its app: the sandbox. */
  readonly ownProvider: OwnProvider | undefined
  readonly clock?: Clock
  /** Absent: flows tell nobody, as on the command line. */
  readonly logger?: Pick<Logger, 'info' | 'warn'>
  /** Absent: no traces. */
  readonly tracer?: Tracer | undefined
}

export interface OwnProvider {
  readonly definition: ProviderDefinition
  readonly app: DeploymentApp
  readonly privateHost: string
}

export interface Flows {
  readonly context: Context
  /** Wakes nobody before it is started. */
  readonly jobs: Jobs<Work>
  /** Absent where nobody can ask for them. */
  readonly metrics: Metrics | undefined
  readonly requestScope: RequestScope
  close(): Promise<void>
}

/** The flows' context, for the server and the command line alike. */
export function composeFlows(settled: Settled): Flows {
  const { config, ownProvider, tracer, logger, clock = systemClock } = settled
  const database = openDatabase(settled.databaseUrl)
  const jobs = openJobs<Work>({ databaseUrl: settled.databaseUrl, queues: everyWork })
  const transit = config.transit && openTransit(config.transit)
  const keyEncryptionKeys = openKeys(settled.keys, transit)
  const allowedPrivateHosts = [...config.allowedPrivateHosts, ...(ownProvider ? [ownProvider.privateHost] : [])]
  const untracedEgress = createEgress({ allowedPrivateHosts })
  const egress = tracer === undefined ? untracedEgress : tracedEgress(untracedEgress, tracer)
  const apps = new Map<string, DeploymentApp>(config.deploymentApps)
  if (ownProvider !== undefined) apps.set(ownProvider.definition.slug, ownProvider.app)
  const isMeasured = config.metrics.port !== undefined || config.metrics.isPublic
  const metrics = isMeasured ? createMetrics(createFigures({ database, clock, keyEncryptionKeys })) : undefined
  const meter: Meter = { ...(metrics?.meter ?? noMeter), step: tracer?.step ?? untraced }
  const requestScope = createRequestScope()
  const context: Context = {
    database,
    clock,
    egress,
    vault: createVault(keyEncryptionKeys, dataKeys(database), clock),
    keyEncryptionKeys,
    discovery: createDiscovery({ egress, clock }),
    keySets: createKeySets({ egress, clock }),
    catalog: withOwnProvider(settled.catalog, ownProvider?.definition),
    refreshesUnderWay: new Map(),
    refreshGate: createRefreshGate(clock),
    proxyTargets: new Map(),
    openCalls: createOpenCalls({ database, clock }),
    rateBudgets: createRateBudgets({ database, clock }),
    activity: createActivity({ database, clock, meter }),
    wakeUp: jobs,
    meter,
    eventFeed: createEventFeed(database),
    webhookTurns: createWebhookTurns(),
    log: logger === undefined ? noLog : logOfFlows(logger, requestScope),
    settings: {
      publicUrl: config.publicUrl,
      deploymentApps: apps,
      allowedRedirectUris: config.allowedRedirectUris,
      allowedOrigins: config.allowedOrigins,
      allowsLoopbackHttp: !config.isProduction,
      allowedPrivateHosts,
      limitsPending: config.limitsRequests,
      deployment: {
        version,
        isProduction: config.isProduction,
        limitsRequests: config.limitsRequests,
        hasSandbox: ownProvider !== undefined,
        auth: {
          kind: settled.jwtSecret === undefined ? 'jwks' : 'hs256',
          issuer: config.auth.issuer,
          audience: config.auth.audience,
          tenantClaim: config.auth.tenantClaim,
          defaultScope: config.auth.defaultScope,
        },
        dashboardSignIn: config.dashboardSignIn,
      },
    },
  }
  return {
    context,
    jobs,
    metrics,
    requestScope,
    close: () => closeAll(context, jobs, database, [egress, ...(transit ? [transit] : [])]),
  }
}

/** The HTTP API over the flows. */
export async function composeServer(
  settled: Settled,
  flows: Flows,
  parts: {
    readonly logger: FastifyBaseLogger
    readonly readiness: Readiness
    readonly tracer: Tracer | undefined
  },
): Promise<FastifyInstance> {
  const { config, jwtSecret, clock = systemClock } = settled
  return createServer({
    ...parts,
    flows: flows.context,
    requestScope: flows.requestScope,
    verify: createBearerVerifier(bearerSettings(config, jwtSecret), clock),
    authCookie: config.auth.cookie,
    signToken: jwtSecret && tokenSigner(config, jwtSecret),
    trustedProxies: config.trustedProxies,
    allowedOrigins: config.allowedOrigins,
    limitsRequests: config.limitsRequests,
    metrics: config.metrics.isPublic ? flows.metrics : undefined,
  })
}

/** Signs platform tokens for set-ups with an HS256 secret: the command line and sign-in links. */
export function tokenSigner(config: Config, secret: Secret): TokenSigner {
  const key = Buffer.from(secret.reveal(), 'utf8')
  const { issuer, audience, tenantClaim } = config.auth
  return async ({ subject, tenantId, scope, expiresAt }) => {
    const token = new SignJWT({ scope, [tenantClaim]: tenantId })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setSubject(subject)
      .setIssuedAt()
      .setExpirationTime(expiresAt)
    if (issuer !== undefined) token.setIssuer(issuer)
    if (audience !== undefined) token.setAudience(audience)
    return token.sign(key)
  }
}

function bearerSettings(config: Config, jwtSecret: Secret | undefined): BearerSettings {
  const { issuer, audience, tenantClaim, defaultTenant, defaultScope } = config.auth
  const rest = { issuer, audience, tenantClaim, defaultTenant, defaultScope }
  if (jwtSecret !== undefined)
    return { ...rest, key: { kind: 'secret', secret: Buffer.from(jwtSecret.reveal(), 'utf8') } }
  const { jwksUrl } = config.auth
  if (jwksUrl === undefined) throw new Error('No source of keys for bearer tokens')
  // The operator named this address, so it may be private; what users name may not.
  const { host, protocol, port } = new URL(jwksUrl)
  const egress = createEgress({
    allowedPrivateHosts: [port === '' ? `${host}:${protocol === 'https:' ? 443 : 80}` : host],
  })
  return { ...rest, key: { kind: 'jwks', url: jwksUrl, fetch: (input, init) => egress.fetch(input, init) } }
}

function withOwnProvider(catalog: Catalog, own: ProviderDefinition | undefined): Catalog {
  if (own === undefined) return catalog
  const all = [...catalog.list(), own].toSorted((a, b) => (a.slug < b.slug ? -1 : 1))
  return { get: (slug) => (slug === own.slug ? own : catalog.get(slug)), list: () => all }
}

/** Refreshes and webhooks under way and uses that wait are stored before the database goes. */
async function closeAll(
  context: Context,
  jobs: Jobs<Work>,
  database: Database,
  waysOut: readonly Pick<Egress, 'close'>[],
): Promise<void> {
  await jobs.stop()
  await Promise.allSettled([context.webhookTurns.close(), ...context.refreshesUnderWay.values()])
  await Promise.allSettled([context.activity.close()])
  await context.vault.flush()
  for (const wayOut of waysOut) await wayOut.close()
  await database.close()
}
