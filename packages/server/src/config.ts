/**
 * Settings. The only file that reads `process.env`; everything is judged together, so that one start shows every problem.
 */
import { existsSync } from 'node:fs'
import { createSecretKey, type KeyObject } from 'node:crypto'
import { resolve } from 'node:path'
import { z } from 'zod'
import { Secret } from './core/secret.ts'
import { parseKey } from './vault/key-encryption-keys.ts'

/** One line per problem, each naming its variable; the process ends with exit code 78 (EX_CONFIG). */
export class SettingsError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'SettingsError'
    this.problems = problems
  }
}

const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  )
const optionalText = z.string().optional()

/** A variable with its default and its meaning; `docs/settings.md` is generated from this table. */
export const variables = {
  NODE_ENV: {
    schema: z.enum(['production', 'development', 'test']).default('development'),
    shown: 'development',
    meaning: '`production`: no sandbox, nothing is generated',
  },
  HOST: { schema: z.string().min(1).default('127.0.0.1'), shown: '127.0.0.1', meaning: 'Address to listen on' },
  PORT: {
    schema: z.coerce.number().int().min(0).max(65_535).default(3000),
    shown: '3000',
    meaning: 'Port to listen on',
  },
  PUBLIC_URL: {
    schema: optionalText,
    shown: '`http://localhost:$PORT`',
    meaning: 'The only source of OAuth redirect URIs; https in production',
  },
  DATABASE_URL: { schema: optionalText, shown: 'embedded, under `DATA_DIR`', meaning: 'PostgreSQL 15 or newer' },
  DATA_DIR: {
    schema: z.string().min(1).default('./data'),
    shown: './data',
    meaning: 'Embedded database and generated development secrets',
  },
  ENCRYPTION_KEYS: {
    schema: optionalText,
    shown: 'generated in development',
    meaning: '`id:base64-of-32-bytes`, comma-separated; the first seals, all open',
  },
  AUTH_JWT_SECRET: {
    schema: optionalText,
    shown: 'generated in development',
    meaning: 'HS256 secret of the platform’s bearer tokens, at least 32 bytes',
  },
  AUTH_JWKS_URL: {
    schema: optionalText,
    shown: 'unset',
    meaning: 'Keys for RS256, PS256, ES256 and EdDSA instead of HS256',
  },
  AUTH_ISSUER: { schema: optionalText, shown: 'unset', meaning: 'Checked against `iss` when set' },
  AUTH_AUDIENCE: { schema: optionalText, shown: 'unset', meaning: 'Checked against `aud` when set' },
  AUTH_TENANT_CLAIM: {
    schema: z.string().min(1).default('tenant_id'),
    shown: 'tenant_id',
    meaning: 'Claim that names the tenant',
  },
  AUTH_DEFAULT_TENANT: {
    schema: z
      .string()
      .regex(/^[\x21-\x7e]{1,128}$/, 'use 1 to 128 visible characters')
      .optional(),
    shown: 'unset (`default` in development)',
    meaning: 'Tenant of a token without that claim; unset: such a token is refused',
  },
  AUTH_DEFAULT_SCOPE: {
    schema: z.string().default('connectors:connect connectors:read connectors:use connectors:manage'),
    shown: 'connectors:connect connectors:read connectors:use connectors:manage',
    meaning: 'Rights of a token without a `scope` claim',
  },
  AUTH_COOKIE: {
    schema: z
      .string()
      .regex(/^[A-Za-z0-9_.-]{1,64}$/, 'use letters, digits, _ . and -')
      .optional(),
    shown: 'unset',
    meaning: 'Same-site cookie whose JWT may authenticate the two browser navigations and nothing else',
  },
  ALLOWED_REDIRECT_URIS: {
    schema: list,
    shown: 'unset',
    meaning: 'Exact landing pages allowed for every tenant, comma-separated',
  },
  ALLOWED_ORIGINS: { schema: list, shown: 'unset', meaning: 'Exact CORS origins, comma-separated' },
  ALLOWED_PRIVATE_HOSTS: {
    schema: list,
    shown: 'unset',
    meaning: '`host:port` on private or loopback addresses that outbound calls may reach',
  },
  TRUST_PROXY: { schema: list, shown: 'unset', meaning: 'Addresses of proxies whose forwarding headers count' },
  RATE_LIMITS: {
    schema: z.enum(['on', 'off']).default('on'),
    shown: 'on',
    meaning: '`off` switches the service’s own request limits off',
  },
  LOG_LEVEL: {
    schema: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
    shown: 'info',
    meaning: 'How much is logged',
  },
} as const

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
  readonly encryptionKeys: readonly { readonly id: string; readonly key: KeyObject }[]
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
  readonly allowedRedirectUris: readonly string[]
  readonly allowedOrigins: readonly string[]
  readonly allowedPrivateHosts: readonly string[]
  readonly trustedProxies: readonly string[]
  readonly limitsRequests: boolean
  readonly logLevel: string
  readonly deploymentApps: ReadonlyMap<
    string,
    {
      readonly clientId: string
      readonly clientSecret: Secret | undefined
      readonly scopes: readonly string[] | undefined
    }
  >
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
  const shape = Object.fromEntries(Object.entries(variables).map(([name, variable]) => [name, variable.schema]))
  // An empty variable is what deployment files leave behind for "unset".
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = z.object(shape).safeParse(given)
  for (const issue of parsed.error?.issues ?? []) problems.push(`${issue.path.join('.')}: ${issue.message}`)
  if (!parsed.success) throw new SettingsError(problems)
  // `shape` is the table above, so its output has the table's types.
  const raw = parsed.data as { [Name in keyof typeof variables]: z.output<(typeof variables)[Name]['schema']> }
  const isProduction = raw.NODE_ENV === 'production'

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
    encryptionKeys: readKeys(raw.ENCRYPTION_KEYS, isProduction, problems),
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
    allowedRedirectUris: readRedirectUris(raw.ALLOWED_REDIRECT_URIS, isProduction, problems),
    allowedOrigins: readOrigins(raw.ALLOWED_ORIGINS, problems),
    allowedPrivateHosts: readHosts(raw.ALLOWED_PRIVATE_HOSTS, problems),
    trustedProxies: raw.TRUST_PROXY,
    limitsRequests: raw.RATE_LIMITS === 'on',
    logLevel: raw.LOG_LEVEL,
    deploymentApps: readDeploymentApps(given, knownSlugs, problems),
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

function readPublicUrl(text: string | undefined, isProduction: boolean, problems: string[]): string {
  if (text === undefined) {
    problems.push('PUBLIC_URL: required in production, an https address')
    return ''
  }
  const url = URL.parse(text)
  if (
    url === null ||
    !['https:', 'http:'].includes(url.protocol) ||
    url.search !== '' ||
    url.hash !== '' ||
    url.username !== ''
  ) {
    problems.push('PUBLIC_URL: must be an http(s) address without query, fragment or user info')
    return ''
  }
  if (isProduction && url.protocol !== 'https:') problems.push('PUBLIC_URL: must be https in production')
  return url.href.replace(/\/+$/, '')
}

function readDatabaseUrl(text: string | undefined, problems: string[]): string | undefined {
  if (text === undefined) return undefined
  if (/^postgres(ql)?:\/\//.test(text) && URL.canParse(text)) return text
  problems.push('DATABASE_URL: must begin with postgres:// or postgresql://')
  return undefined
}

function readKeys(text: string | undefined, isProduction: boolean, problems: string[]): Config['encryptionKeys'] {
  if (text === undefined) {
    if (isProduction)
      problems.push('ENCRYPTION_KEYS: required in production; make one with: connector-oauth keys generate')
    return []
  }
  const parsed = text.split(',').map((entry) => parseKey(entry.trim()))
  for (const key of parsed) if ('problem' in key) problems.push(`ENCRYPTION_KEYS: ${key.problem}`)
  const keys = parsed.flatMap((key) => ('problem' in key ? [] : key))
  if (new Set(keys.map((key) => key.id)).size !== keys.length)
    problems.push('ENCRYPTION_KEYS: two keys have the same id')
  return keys
}

function readJwtSecret(text: string | undefined, problems: string[]): Secret | undefined {
  if (text === undefined) return undefined
  if (Buffer.byteLength(text) < 32) problems.push('AUTH_JWT_SECRET: must be at least 32 bytes (RFC 7518 §3.2)')
  return new Secret(text)
}

function readJwksUrl(text: string | undefined, isProduction: boolean, problems: string[]): string | undefined {
  if (text === undefined) return undefined
  const url = URL.parse(text)
  const isFit = url?.protocol === 'https:' || (url?.protocol === 'http:' && !isProduction)
  if (!isFit) problems.push('AUTH_JWKS_URL: must be an https address')
  return text
}

function readRedirectUris(uris: readonly string[], isProduction: boolean, problems: string[]): readonly string[] {
  for (const uri of uris) {
    const url = URL.parse(uri)
    const isLoopback = url !== null && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
    const isFit = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback && !isProduction)
    if (!isFit || /[#*@\s]/.test(uri)) {
      problems.push(
        `ALLOWED_REDIRECT_URIS: ${JSON.stringify(uri)} must be an exact https address without fragment, user info or wildcard`,
      )
    }
  }
  return uris
}

function readOrigins(origins: readonly string[], problems: string[]): readonly string[] {
  for (const origin of origins) {
    if (URL.parse(origin)?.origin !== origin) {
      problems.push(`ALLOWED_ORIGINS: ${JSON.stringify(origin)} is not an origin such as https://app.example.com`)
    }
  }
  return origins
}

function readHosts(hosts: readonly string[], problems: string[]): readonly string[] {
  for (const host of hosts) {
    if (!/^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$/.test(host)) {
      problems.push(`ALLOWED_PRIVATE_HOSTS: ${JSON.stringify(host)} is not host:port`)
    }
  }
  return hosts
}

function readDeploymentApps(
  env: Readonly<Record<string, string | undefined>>,
  knownSlugs: readonly string[],
  problems: string[],
): Config['deploymentApps'] {
  const slugs = new Map(knownSlugs.map((slug) => [slug.toUpperCase().replaceAll('-', '_'), slug]))
  const named = Object.keys(env).flatMap(
    (name) => /^PROVIDER_(.+)_(?:CLIENT_ID|CLIENT_SECRET|SCOPES)$/.exec(name)?.[1] ?? [],
  )
  const apps = new Map<
    string,
    { clientId: string; clientSecret: Secret | undefined; scopes: readonly string[] | undefined }
  >()
  for (const name of new Set(named)) {
    const slug = slugs.get(name)
    const clientId = env[`PROVIDER_${name}_CLIENT_ID`]
    const secret = env[`PROVIDER_${name}_CLIENT_SECRET`]
    if (slug === undefined) {
      problems.push(
        `PROVIDER_${name}_CLIENT_ID: the catalogue has no provider of that name; see: connector-oauth providers list`,
      )
    } else if (clientId === undefined) {
      problems.push(`PROVIDER_${name}_CLIENT_ID: required beside the other PROVIDER_${name}_ variables`)
    } else {
      const scopes = env[`PROVIDER_${name}_SCOPES`]?.split(/[ ,]+/).filter((scope) => scope !== '')
      apps.set(slug, { clientId, clientSecret: secret === undefined ? undefined : new Secret(secret), scopes })
    }
  }
  return apps
}

/** A key from bytes generated for development. */
export function developmentKey(bytes: Uint8Array): { readonly id: string; readonly key: KeyObject } {
  return { id: 'development', key: createSecretKey(bytes) }
}
