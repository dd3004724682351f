/** One reader a setting: each judges its text and adds what is wrong to `problems`. */
import { readFileSync, statSync } from 'node:fs'
import type { DashboardSignIn } from '../core/dashboard-sign-in.ts'
import { Secret } from '../core/secret.ts'
import { parseKey, type ListedKey } from '../vault/key-encryption-keys.ts'

export type EncryptionKeys = readonly ListedKey[]

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

export function readKeys(
  given: { readonly text: string | undefined; readonly file: string | undefined },
  isProduction: boolean,
  problems: string[],
): EncryptionKeys {
  const { text, file } = given
  if (text !== undefined && file !== undefined) {
    problems.push('ENCRYPTION_KEYS_FILE: set either this or ENCRYPTION_KEYS, not both')
    return []
  }
  if (file !== undefined) return parseKeys('ENCRYPTION_KEYS_FILE', keyLines(file, problems), problems)
  if (text !== undefined) return parseKeys('ENCRYPTION_KEYS', text.split(','), problems)
  if (isProduction)
    problems.push('ENCRYPTION_KEYS: required in production; make one with: connector-oauth keys generate')
  return []
}

function parseKeys(variable: string, entries: readonly string[], problems: string[]): EncryptionKeys {
  const parsed = entries.map((entry) => parseKey(entry.trim()))
  for (const key of parsed) if ('problem' in key) problems.push(`${variable}: ${key.problem}`)
  const keys = parsed.flatMap((key) => ('problem' in key ? [] : [key]))
  if (new Set(keys.map((key) => key.id)).size !== keys.length) problems.push(`${variable}: two keys have the same id`)
  return keys
}

/** An entry a line; empty lines and those that begin with # say nothing. */
function keyLines(file: string, problems: string[]): readonly string[] {
  try {
    // On Windows the mode says nothing about who may read.
    if (process.platform !== 'win32' && (statSync(file).mode & 0o007) !== 0)
      problems.push(`ENCRYPTION_KEYS_FILE: ${file} may be used by others; take that away with: chmod o= ${file}`)
    const lines = readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'))
    if (lines.length === 0) problems.push(`ENCRYPTION_KEYS_FILE: ${file} holds no key`)
    return lines
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    problems.push(`ENCRYPTION_KEYS_FILE: ${file} cannot be read (${code})`)
    return []
  }
}

/** Where the transit engine of HashiCorp Vault or OpenBao is, and what it is told. */
export interface TransitSettings {
  /** Without a trailing slash. */
  readonly address: string
  readonly token: Secret | undefined
  readonly tokenFile: string | undefined
  readonly namespace: string | undefined
}

/** Needed when a listed key names the engine; `undefined` otherwise. */
export function readTransit(
  given: {
    readonly VAULT_ADDR: string | undefined
    readonly VAULT_TOKEN: string | undefined
    readonly VAULT_TOKEN_FILE: string | undefined
    readonly VAULT_NAMESPACE: string | undefined
  },
  keys: EncryptionKeys,
  isProduction: boolean,
  problems: string[],
): TransitSettings | undefined {
  if (!keys.some((key) => key.service === 'vault-transit')) return undefined
  const url = URL.parse(given.VAULT_ADDR ?? '')
  const isLoopback = url !== null && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  const isFit = url?.protocol === 'https:' || (url?.protocol === 'http:' && (isLoopback || !isProduction))
  if (!isFit) problems.push('VAULT_ADDR: must be an https address, since a key of ENCRYPTION_KEYS is kept there')
  if ((given.VAULT_TOKEN === undefined) === (given.VAULT_TOKEN_FILE === undefined))
    problems.push('VAULT_TOKEN: set this or VAULT_TOKEN_FILE, since a key of ENCRYPTION_KEYS is kept there')
  return {
    address: (url?.href ?? '').replace(/\/+$/, ''),
    token: given.VAULT_TOKEN === undefined ? undefined : new Secret(given.VAULT_TOKEN),
    tokenFile: given.VAULT_TOKEN_FILE,
    namespace: given.VAULT_NAMESPACE,
  }
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

export function readDashboardSignIn(
  given: { readonly clientId: string | undefined; readonly scope: string },
  auth: { readonly issuer: string | undefined; readonly audience: string | undefined },
  isProduction: boolean,
  problems: string[],
): DashboardSignIn | undefined {
  const { clientId, scope } = given
  const { issuer, audience } = auth
  if (clientId === undefined) return undefined
  const url = issuer === undefined ? null : URL.parse(issuer)
  const isWeb = url?.protocol === 'https:' || (url?.protocol === 'http:' && !isProduction)
  // OpenID Connect Discovery 1.0 §3: no query and no fragment, or its metadata has no address.
  if (issuer === undefined || url === null || !isWeb || url.search !== '' || url.hash !== '') {
    problems.push('DASHBOARD_OIDC_CLIENT_ID: AUTH_ISSUER must be the https address of an OpenID Connect issuer')
    return undefined
  }
  return { issuer, clientId, scope, audience }
}

export function readHosts(hosts: readonly string[], problems: string[]): readonly string[] {
  for (const host of hosts) {
    if (!/^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$/.test(host)) {
      problems.push(`ALLOWED_PRIVATE_HOSTS: ${JSON.stringify(host)} is not host:port`)
    }
  }
  return hosts
}
