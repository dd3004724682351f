/** One reader a setting: each judges its text and adds what is wrong to `problems`. */
import type { KeyObject } from 'node:crypto'
import { Secret } from '../core/secret.ts'
import { parseKey } from '../vault/key-encryption-keys.ts'

export type EncryptionKeys = readonly { readonly id: string; readonly key: KeyObject }[]

export type DeploymentApps = ReadonlyMap<
  string,
  {
    readonly clientId: string
    readonly clientSecret: Secret | undefined
    readonly scopes: readonly string[] | undefined
  }
>

export function readPublicUrl(text: string | undefined, isProduction: boolean, problems: string[]): string {
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

export function readDatabaseUrl(text: string | undefined, problems: string[]): string | undefined {
  if (text === undefined) return undefined
  if (/^postgres(ql)?:\/\//.test(text) && URL.canParse(text)) return text
  problems.push('DATABASE_URL: must begin with postgres:// or postgresql://')
  return undefined
}

export function readKeys(text: string | undefined, isProduction: boolean, problems: string[]): EncryptionKeys {
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

export function readJwtSecret(text: string | undefined, problems: string[]): Secret | undefined {
  if (text === undefined) return undefined
  if (Buffer.byteLength(text) < 32) problems.push('AUTH_JWT_SECRET: must be at least 32 bytes (RFC 7518 §3.2)')
  return new Secret(text)
}

export function readJwksUrl(text: string | undefined, isProduction: boolean, problems: string[]): string | undefined {
  if (text === undefined) return undefined
  const url = URL.parse(text)
  const isFit = url?.protocol === 'https:' || (url?.protocol === 'http:' && !isProduction)
  if (!isFit) problems.push('AUTH_JWKS_URL: must be an https address')
  return text
}

export function readTracesEndpoint(text: string | undefined, problems: string[]): string | undefined {
  if (text === undefined) return undefined
  const url = URL.parse(text)
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:'
  if (!isHttp || url.search !== '' || url.hash !== '' || url.username !== '') {
    problems.push('OTEL_EXPORTER_OTLP_ENDPOINT: must be an http(s) address without query, fragment or user info')
    return undefined
  }
  return url.href.replace(/\/+$/, '')
}

export function readRedirectUris(
  uris: readonly string[],
  isProduction: boolean,
  problems: string[],
): readonly string[] {
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

export function readOrigins(origins: readonly string[], problems: string[]): readonly string[] {
  for (const origin of origins) {
    if (URL.parse(origin)?.origin !== origin) {
      problems.push(`ALLOWED_ORIGINS: ${JSON.stringify(origin)} is not an origin such as https://app.example.com`)
    }
  }
  return origins
}

export function readHosts(hosts: readonly string[], problems: string[]): readonly string[] {
  for (const host of hosts) {
    if (!/^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$/.test(host)) {
      problems.push(`ALLOWED_PRIVATE_HOSTS: ${JSON.stringify(host)} is not host:port`)
    }
  }
  return hosts
}

export function readDeploymentApps(
  env: Readonly<Record<string, string | undefined>>,
  knownSlugs: readonly string[],
  problems: string[],
): DeploymentApps {
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
