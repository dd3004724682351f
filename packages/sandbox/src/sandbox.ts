import type { Middleware, Provider } from 'oidc-provider'
import { api } from './api.ts'
import { authorization } from './authorization.ts'
import { perfectBehaviour, zeroCounts, type Behaviour, type Counters, type SandboxCounts } from './behaviour.ts'
import { clientRegister, isLoopbackHost, type SandboxClient } from './clients.ts'
import { interactions } from './interactions.ts'
import { listen } from './listen.ts'
import { homePage, sendPage } from './pages.ts'
import { createProvider } from './provider.ts'
import { QUIRKS, type Quirk, type QuirkMode } from './quirks.ts'
import { openStore, type SandboxStore } from './store.ts'
import { cutConnection, sendFailure, tokenEndpoint } from './token-endpoint.ts'

export type { Behaviour, SandboxCounts } from './behaviour.ts'
export type { SandboxClient } from './clients.ts'
export type { QuirkMode } from './quirks.ts'

/** How to start a sandbox. */
export interface SandboxOptions {
  /** 0: any free one. */
  readonly port: number
  /** Default `127.0.0.1`, which serves `::1` too. */
  readonly host?: string
  readonly clients: readonly SandboxClient[]
  /** Default 120: short on purpose, so that refreshing is seen to work. */
  readonly accessTokenSeconds?: number
  /** Default true: a refresh token works once, and its second use kills the grant (RFC 9700 §4.14.2). */
  readonly rotateRefreshTokens?: boolean
  /** Where state survives a restart: JSON, mode 0600. Absent: it does not. */
  readonly storeFile?: string
  /** For every client that has none of its own. */
  readonly quirk?: QuirkMode
}

/** A running sandbox. */
export interface Sandbox {
  /** `http://localhost:<port>`. */
  readonly issuer: string
  readonly port: number
  /** Live: read it again after each step. */
  readonly counts: SandboxCounts
  /** Changes how it behaves from the next request on; what is not named stays. */
  behave(behaviour: Partial<Behaviour>): void
  /** @throws {Error} for an unknown client. */
  addRedirectUri(clientId: string, uri: string): void
  /** Drops every grant and token, as if each user had removed the app. */
  revokeEverything(): void
  close(): Promise<void>
}

/**
 * Starts a real OAuth 2.0 and OpenID Connect server with made-up accounts, for development and tests.
 *
 * @throws {Error} when the port is taken or two clients share an id.
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const clients = clientRegister(options.clients)
  const store = await openStore(options.storeFile)
  const host = options.host ?? '127.0.0.1'
  const listener = await listen(host, options.port)
  const issuer = `http://localhost:${listener.port}`
  const behaviour = perfectBehaviour()
  const counts = zeroCounts()
  const quirkOf = (clientId: string | undefined): Quirk => {
    const mode = (clientId === undefined ? undefined : clients.find(clientId)?.quirk) ?? options.quirk
    return mode === undefined ? {} : QUIRKS[mode]
  }

  const provider = createProvider({
    issuer,
    store,
    clients,
    counts,
    accessTokenSeconds: options.accessTokenSeconds ?? 120,
    rotateRefreshTokens: options.rotateRefreshTokens ?? true,
    quirkOf,
  })
  const onlyLocalNames = host === '127.0.0.1' || host === 'localhost' || host === '::1'
  const layers = [
    gate(behaviour, store, onlyLocalNames),
    home(issuer),
    api({ provider, store, counts, behaviour }),
    interactions(provider, store),
    authorization(quirkOf),
    tokenEndpoint({ clients, store, counts, behaviour, quirkOf }),
    tally(behaviour, counts),
  ]
  serve(provider, layers)
  listener.serve(provider.callback())
  store.flush()

  return {
    issuer,
    port: listener.port,
    counts,
    behave: (changes) => void Object.assign(behaviour, changes),
    addRedirectUri: (clientId, uri) => clients.addRedirectUri(clientId, uri),
    revokeEverything() {
      store.revokeEverything()
      store.flush()
    },
    async close() {
      await listener.close()
      store.flush()
    },
  }
}

function serve(provider: Provider, layers: readonly Middleware[]): void {
  for (const layer of layers) provider.use(layer)
}

/**
 * The outermost layer. State is written before the reply leaves: a caller that got a token must find it again after a crash.
 *
 * A page from elsewhere can make its own host name point here; with foreign names refused it cannot read a thing.
 */
function gate(behaviour: Behaviour, store: SandboxStore, onlyLocalNames: boolean): Middleware {
  return async (ctx, next) => {
    if (behaviour.down) return cutConnection(ctx)
    if (onlyLocalNames && !isLoopbackHost(ctx.hostname)) {
      ctx.status = 421
      ctx.body = { error: 'misdirected_request', error_description: 'The sandbox answers to localhost' }
      return
    }
    await next()
    if (behaviour.seversOpener) ctx.set('cross-origin-opener-policy', 'same-origin')
    store.flush()
  }
}

function home(issuer: string): Middleware {
  return async (ctx, next) => {
    if (ctx.path !== '/' || ctx.method !== 'GET') return next()
    sendPage(ctx, 200, 'Sandbox', homePage(issuer))
  }
}

/** Counts, and fails when told to, the two endpoints that need nothing else. */
function tally(behaviour: Behaviour, counts: Counters): Middleware {
  return async (ctx, next) => {
    if (ctx.path === '/me') {
      counts.userinfo += 1
      if (behaviour.failApiWith !== undefined) return sendFailure(ctx, behaviour.failApiWith, behaviour.retryAfter)
    }
    if (ctx.path !== '/token/revocation' || ctx.method !== 'POST') return next()
    if (behaviour.failRevocationWith !== undefined) {
      return sendFailure(ctx, behaviour.failRevocationWith, behaviour.retryAfter)
    }
    await next()
    if (ctx.status === 200) counts.revocations += 1
  }
}
