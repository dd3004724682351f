import type { Client } from 'oidc-provider'
import type { QuirkMode } from './quirks.ts'

/** An app that may ask the sandbox for access. */
export interface SandboxClient {
  readonly clientId: string
  /** Absent for a public client. */
  readonly clientSecret?: string | undefined
  /** Shown on the consent page; the client id when absent. */
  readonly name?: string
  /** Exact addresses, or any `http(s)://localhost:…/…/callback` (also 127.0.0.1 and ::1). */
  readonly redirectUris: readonly string[] | 'any-loopback-callback'
  /** Absent: a secret is taken from the body and from the header alike. */
  readonly tokenEndpointAuthMethod?: 'client_secret_post' | 'client_secret_basic' | 'none'
  /** Overrides the quirk of the whole sandbox. */
  readonly quirk?: QuirkMode
}

/** The apps by client id; redirect addresses can be added while the sandbox runs. */
export interface ClientRegister {
  find(clientId: string): SandboxClient | undefined
  /** @throws {Error} for an unknown client. */
  addRedirectUri(clientId: string, uri: string): void
  redirectAllowed(clientId: string, uri: string): boolean
  /** The client in the words of RFC 7591, as `oidc-provider` wants it. */
  metadata(clientId: string): Record<string, unknown> | undefined
}

/** @throws {Error} when two clients share an id. */
export function clientRegister(clients: readonly SandboxClient[]): ClientRegister {
  const known = new Map(clients.map((client) => [client.clientId, client]))
  if (known.size !== clients.length) throw new Error('two sandbox clients share a client id')
  const added = new Map<string, Set<string>>()
  const exactUris = (client: SandboxClient) => [
    ...(client.redirectUris === 'any-loopback-callback' ? [] : client.redirectUris),
    ...(added.get(client.clientId) ?? []),
  ]

  return {
    find: (clientId) => known.get(clientId),
    addRedirectUri(clientId, uri) {
      if (!known.has(clientId)) throw new Error(`the sandbox has no client ${clientId}`)
      const uris = added.get(clientId) ?? new Set()
      added.set(clientId, uris.add(uri))
    },
    redirectAllowed(clientId, uri) {
      const client = known.get(clientId)
      if (client === undefined) return false
      if (exactUris(client).includes(uri)) return true
      return client.redirectUris === 'any-loopback-callback' && isLoopbackCallback(uri)
    },
    metadata(clientId) {
      const client = known.get(clientId)
      if (client === undefined) return undefined
      const uris = exactUris(client)
      return {
        client_id: clientId,
        client_name: client.name ?? clientId,
        ...(client.clientSecret !== undefined && { client_secret: client.clientSecret }),
        // The library wants at least one address; `redirectAllowed` decides, so this one opens nothing.
        redirect_uris: uris.length > 0 ? uris : ['https://unused.invalid/callback'],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: authMethod(client),
      }
    },
  }
}

/** The provider takes a secret from body and header alike; {@link SandboxClient.tokenEndpointAuthMethod} narrows it. */
function authMethod(client: SandboxClient): string {
  return client.clientSecret === undefined ? 'none' : (client.tokenEndpointAuthMethod ?? 'client_secret_basic')
}

/** The check that `oidc-provider` makes of a redirect address, with the register as the judge. */
export function redirectCheck(register: ClientRegister): (this: Client, uri: unknown) => boolean {
  return function redirectUriAllowed(uri) {
    return typeof uri === 'string' && register.redirectAllowed(this.clientId, uri)
  }
}

const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Whether a host name, in the form of `URL.hostname`, means this machine. */
export function isLoopbackHost(hostname: string): boolean {
  return LOOPBACK_HOSTS.has(hostname)
}

function isLoopbackCallback(uri: string): boolean {
  const url = URL.parse(uri)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return false
  if (url.username !== '' || url.password !== '' || uri.includes('#')) return false
  return isLoopbackHost(url.hostname) && url.pathname.endsWith('/callback')
}
