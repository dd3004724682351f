/**
 * Settings. The only file that reads `process.env`; everything is judged together, so that one start shows every problem.
 */
import { existsSync } from 'node:fs'
import { createSecretKey, type KeyObject } from 'node:crypto'
import { resolve } from 'node:path'
import type { z } from 'zod'
import { readDeploymentApps, type DeploymentApps } from './config/deployment-apps.ts'
import {
  readDashboardSignIn,
  readDatabaseUrl,
  readHosts,
  readJwksUrl,
  readJwtSecret,
  readKeys,
  readOrigins,
  readPublicUrl,
  readRedirectUris,
  readTracesEndpoint,
  readTransit,
  type EncryptionKeys,
  type TransitSettings,
} from './config/readers.ts'
import { variables } from './config/variables.ts'
import type { DashboardSignIn } from './core/dashboard-sign-in.ts'
import type { Secret } from './core/secret.ts'

/** EX_CONFIG of sysexits.h. */
export const exitSettings = 78

/** One line per problem, each naming its variable; the process ends with exit code 78 (EX_CONFIG). */
export class SettingsError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'SettingsError'
    this.problems = problems
  }
}

export type { TransitSettings }

/** Everything the service is told from outside. */
export interface Config {
  readonly isProduction: boolean
  readonly host: string
  readonly port: number
  /** Without a trailing slash. Port 0 takes its place once the port is known. */
  readonly publicUrl: string
  readonly databaseUrl: string | undefined
  readonly dataDir: string
  /** Empty: to be generated (development only). */
  readonly encryptionKeys: EncryptionKeys
  readonly transit: TransitSettings | undefined
  readonly auth: {
    readonly jwtSecret: Secret | undefined
    readonly jwksUrl: string | undefined
    readonly issuer: string | undefined
    readonly audience: string | undefined
    readonly tenantClaim: string
    readonly defaultTenant: string | undefined
    readonly defaultScope: string
    readonly cookie: string | undefined
  }
  /** Absent: the dashboard is opened by sign-in links alone. */
  readonly dashboardSignIn: DashboardSignIn | undefined
  readonly allowedRedirectUris: readonly string[]
  readonly allowedOrigins: readonly string[]
  readonly allowedPrivateHosts: readonly string[]
  readonly trustedProxies: readonly string[]
  readonly limitsRequests: boolean
  readonly logLevel: string
  /** Nothing is measured while both are off. */
  readonly metrics: { readonly port: number | undefined; readonly isPublic: boolean }
  readonly drainDelayMs: number
  /** The collector's address, without the path of its traces. */
  readonly tracesEndpoint: string | undefined
  readonly deploymentApps: DeploymentApps
}

/** Reads `.env` in the working folder, if there is one, and the environment; the environment wins. Throws `SettingsError`. */
export function loadConfig(knownSlugs: readonly string[]): Config {
  if (existsSync('.env')) process.loadEnvFile('.env')
  return readConfig(process.env, knownSlugs)
}

/** Whether output goes to a person. */
export function isTerminal(): boolean {
  return process.stdout.isTTY
}

/** Judges settings all at once. Throws `SettingsError`. */
export function readConfig(env: Readonly<Record<string, string | undefined>>, knownSlugs: readonly string[]): Config {
  const problems: string[] = []
  // An empty variable is what deployment files leave behind for "unset".
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const values = Object.entries(variables).map(([name, { schema }]) => {
    const parsed = schema.safeParse(given[name])
    if (parsed.success) return [name, parsed.data]
    for (const issue of parsed.error.issues) problems.push(`${name}: ${issue.message}`)
    // The default stands in, so that this start shows what else is wrong.
    return [name, schema.parse(undefined)]
  })
  // Built from the table above, so it has the table's types.
  const raw = Object.fromEntries(values) as {
    [Name in keyof typeof variables]: z.output<(typeof variables)[Name]['schema']>
  }
  const isProduction = raw.NODE_ENV === 'production'

  const listed = { text: raw.ENCRYPTION_KEYS, file: raw.ENCRYPTION_KEYS_FILE }
  const encryptionKeys = readKeys(listed, isProduction, problems)

  const config: Config = {
    isProduction,
    host: raw.HOST,
    port: raw.PORT,
    publicUrl: readPublicUrl(
      raw.PUBLIC_URL ?? (isProduction ? undefined : `http://localhost:${raw.PORT}`),
      isProduction,
      problems,
    ),
    databaseUrl: readDatabaseUrl(raw.DATABASE_URL, problems),
    dataDir: resolve(raw.DATA_DIR),
    encryptionKeys,
    transit: readTransit(raw, encryptionKeys, isProduction, problems),
    auth: {
      jwtSecret: readJwtSecret(raw.AUTH_JWT_SECRET, problems),
      jwksUrl: readJwksUrl(raw.AUTH_JWKS_URL, isProduction, problems),
      issuer: raw.AUTH_ISSUER,
      audience: raw.AUTH_AUDIENCE,
      tenantClaim: raw.AUTH_TENANT_CLAIM,
      defaultTenant: raw.AUTH_DEFAULT_TENANT ?? (isProduction ? undefined : 'default'),
      defaultScope: raw.AUTH_DEFAULT_SCOPE,
      cookie: raw.AUTH_COOKIE,
    },
    dashboardSignIn: readDashboardSignIn(
      { clientId: raw.DASHBOARD_OIDC_CLIENT_ID, scope: raw.DASHBOARD_OIDC_SCOPE },
      { issuer: raw.AUTH_ISSUER, audience: raw.AUTH_AUDIENCE },
      isProduction,
      problems,
    ),
    allowedRedirectUris: readRedirectUris(raw.ALLOWED_REDIRECT_URIS, isProduction, problems),
    allowedOrigins: readOrigins(raw.ALLOWED_ORIGINS, problems),
    allowedPrivateHosts: readHosts(raw.ALLOWED_PRIVATE_HOSTS, problems),
    trustedProxies: raw.TRUST_PROXY,
    limitsRequests: raw.RATE_LIMITS === 'on',
    logLevel: raw.LOG_LEVEL,
    metrics: { port: raw.METRICS_PORT, isPublic: raw.METRICS_PUBLIC === 'on' },
    drainDelayMs: raw.DRAIN_DELAY_SECONDS * 1000,
    tracesEndpoint: readTracesEndpoint(raw.OTEL_EXPORTER_OTLP_ENDPOINT, problems),
    deploymentApps: readDeploymentApps(given, knownSlugs, problems),
  }
  if (config.metrics.port === config.port) {
    problems.push('METRICS_PORT: must differ from PORT; METRICS_PUBLIC=on shows metrics there')
  }
  const { jwtSecret, jwksUrl } = config.auth
  if (jwtSecret !== undefined && jwksUrl !== undefined) {
    problems.push('AUTH_JWKS_URL: set either this or AUTH_JWT_SECRET, not both')
  }
  if (isProduction && raw.AUTH_JWT_SECRET === undefined && raw.AUTH_JWKS_URL === undefined) {
    problems.push('AUTH_JWT_SECRET: required in production, unless AUTH_JWKS_URL is set')
  }
  if (problems.length > 0) throw new SettingsError(problems)
  return config
}

/** A key from bytes generated for development. */
export function developmentKey(
  bytes: Uint8Array,
  id = 'development',
): { readonly id: string; readonly key: KeyObject } {
  return { id, key: createSecretKey(bytes) }
}
