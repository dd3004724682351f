import { createServer } from 'node:net'
import { randomBytes } from 'node:crypto'
import { startSandbox, type Sandbox, type SandboxOptions } from '@connector-oauth/sandbox'
import pino from 'pino'
import { composeFlows, composeServer, tokenSigner } from '../../src/compose.ts'
import { developmentKey, readConfig } from '../../src/config.ts'
import type { Clock } from '../../src/core/clock.ts'
import type { ProviderDefinition } from '../../src/core/provider-definition.ts'
import { Secret } from '../../src/core/secret.ts'
import type { Context } from '../../src/domain/context.ts'
import { loadCatalog, type ProviderCatalog } from '../../src/providers/registry.ts'
import { createReadiness } from '../../src/readiness.ts'
import { describeSandbox } from '../../src/sandbox-provider.ts'
import type { Tracing } from '../../src/tracing.ts'
import { startBackground } from '../../src/worker/background.ts'
import { createTestDatabase, type TestDatabase } from './test-database.ts'

export const spaceId = '123e4567-e89b-12d3-a456-426614174001'
export const collectionId = '123e4567-e89b-12d3-a456-426614174000'
export const allRights =
  'connectors:connect connectors:read connectors:use connectors:token connectors:manage connectors:admin'

/** A clock that runs, and can be moved on. */
export interface TestClock extends Clock {
  advance(ms: number): void
}

function testClock(): TestClock {
  let offsetMs = 0
  return {
    now: () => new Date(Date.now() + offsetMs),
    advance(ms) {
      offsetMs += ms
    },
  }
}

/** The whole service in this process: real database, real sandbox, real HTTP. */
export interface TestService extends AsyncDisposable {
  readonly url: string
  readonly sandbox: Sandbox
  readonly database: TestDatabase
  readonly context: Context
  readonly clock: TestClock
  /** Every log line so far. */
  readonly logs: readonly string[]
  /** Signs the platform's tokens; absent when `AUTH_JWKS_URL` is set. */
  readonly jwtSecret: Secret | undefined
  /** A bearer token; `ada` of `acme` with every right, unless said otherwise. */
  token(claims?: { readonly sub?: string; readonly tenant?: string; readonly scope?: string }): Promise<string>
  /** A request with a bearer token. */
  call(method: string, path: string, options?: CallOptions): Promise<Response>
}

export interface CallOptions {
  readonly token?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export async function startTestService(
  options: {
    readonly env?: Readonly<Record<string, string>>
    readonly sandbox?: Partial<SandboxOptions>
    /** Catalogue entries beside the real ones. */
    readonly definitions?: readonly ProviderDefinition[]
    /** Runs revocations and purges as `serve` does. */
    readonly background?: true
  } = {},
): Promise<TestService> {
  // What was started is ended again when a later step fails; the test run would wait for it otherwise.
  await using started = new AsyncDisposableStack()
  const database = await createTestDatabase()
  started.defer(() => database.drop())
  const sandboxClientSecret = new Secret(randomBytes(24).toString('base64url'))
  const sandbox = await startSandbox({
    port: 0,
    clients: [
      {
        clientId: 'connector-oauth',
        clientSecret: sandboxClientSecret.reveal(),
        redirectUris: 'any-loopback-callback',
      },
    ],
    ...options.sandbox,
  })
  started.defer(() => sandbox.close())
  const port = await freePort()
  const clock = testClock()
  const jwtSecret =
    options.env?.['AUTH_JWKS_URL'] === undefined ? new Secret(randomBytes(32).toString('base64url')) : undefined
  const env = { PORT: String(port), RATE_LIMITS: 'off', ...options.env }
  const catalog = withDefinitions(loadCatalog(), options.definitions ?? [])
  const config = readConfig(
    env,
    catalog.list().map((definition) => definition.slug),
  )
  const settled = {
    config,
    databaseUrl: database.databaseUrl,
    keys: config.encryptionKeys.length > 0 ? config.encryptionKeys : [developmentKey(randomBytes(32))],
    jwtSecret,
    catalog,
    ownProvider: describeSandbox(sandbox.issuer, { sandboxClientSecret }),
    clock,
  }
  const logs: string[] = []
  const logger = pino({ level: 'trace' }, { write: (line) => void logs.push(line) })
  const tracing = await tracingOf(config.tracesEndpoint)
  if (tracing !== undefined) started.defer(() => tracing.close())
  const flows = composeFlows({ ...settled, logger, tracer: tracing?.tracer })
  started.defer(() => flows.close())
  const readiness = createReadiness({
    database: flows.context.database,
    keyEncryptionKeys: flows.context.keyEncryptionKeys,
    waitsForWork: false,
  })
  readiness.migrated()
  const app = await composeServer(settled, flows, { logger, readiness, tracer: tracing?.tracer })
  started.defer(() => app.close())
  await app.listen({ host: '127.0.0.1', port })
  const background = options.background && (await startBackground(flows.context, flows.jobs, logger))
  if (background) started.defer(() => background.stop())
  const url = `http://localhost:${port}`
  const sign = jwtSecret && tokenSigner(config, jwtSecret)
  const token: TestService['token'] = async ({ sub = 'ada', tenant = 'acme', scope = allRights } = {}) => {
    if (sign === undefined) throw new Error('The tokens of this service are signed elsewhere')
    return sign({ subject: sub, tenantId: tenant, scope, expiresAt: new Date(clock.now().getTime() + 3_600_000) })
  }
  const running = started.move()
  return {
    url,
    sandbox,
    database,
    context: flows.context,
    clock,
    logs,
    jwtSecret,
    token,
    call: callerOf(url, token),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** As `serve` does it: nothing of it is loaded where no collector is named. */
async function tracingOf(endpoint: string | undefined): Promise<Tracing | undefined> {
  if (endpoint === undefined) return undefined
  const { startTracing } = await import('../../src/tracing.ts')
  return startTracing(endpoint, 'all')
}

function withDefinitions(catalog: ProviderCatalog, more: readonly ProviderDefinition[]): ProviderCatalog {
  const own = new Map(more.map((definition) => [definition.slug, definition]))
  return { get: (slug) => own.get(slug) ?? catalog.get(slug), list: () => [...catalog.list(), ...more] }
}

/** Sends requests to a service with a bearer token, by default the one that `token` makes. */
export function callerOf(url: string, token: () => Promise<string>): TestService['call'] {
  return async (method, path, call = {}) =>
    fetch(url + path, {
      method,
      redirect: 'manual',
      headers: {
        authorization: `Bearer ${call.token ?? (await token())}`,
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...call.headers,
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
    })
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
