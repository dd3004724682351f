import { Provider, type Adapter, type Context } from 'oidc-provider'
import { accountOf } from './accounts.ts'
import type { Counters } from './behaviour.ts'
import { redirectCheck, type ClientRegister } from './clients.ts'
import { problemPage, sendPage } from './pages.ts'
import type { Quirk } from './quirks.ts'
import { SCOPES } from './scopes.ts'
import type { SandboxStore } from './store.ts'

interface ProviderParts {
  readonly issuer: string
  readonly store: SandboxStore
  readonly clients: ClientRegister
  readonly counts: Counters
  readonly accessTokenSeconds: number
  readonly rotateRefreshTokens: boolean
  readonly quirkOf: (clientId: string | undefined) => Quirk
}

const MINUTE = 60
const DAY = 24 * 60 * MINUTE

/**
 * The OAuth server itself. Everything the library would guess is set, since it says so on the console when it
 * has to guess; PKCE is required of everybody (RFC 9700 §2.1.1).
 */
export function createProvider(parts: ProviderParts): Provider {
  const { clients, store } = parts
  const provider = new Provider(parts.issuer, {
    adapter: (model: string) => (model === 'Client' ? clientAdapter(clients) : store.adapterFor(model)),
    jwks: { keys: [store.signingKey] },
    // Cookies of localhost are shared by all ports: plain names would meet those of the app under test.
    cookies: {
      keys: [store.cookieKey],
      names: { session: 'sandbox_session', interaction: 'sandbox_interaction', resume: 'sandbox_resume' },
    },
    scopes: SCOPES.map(({ name }) => name),
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'] },
    // Claims in the ID token too, not only at userinfo: most providers do, and callers may want the account early.
    conformIdTokenClaims: false,
    responseTypes: ['code'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
    pkce: { required: () => true },
    ttl: {
      AccessToken: parts.accessTokenSeconds,
      AuthorizationCode: MINUTE,
      Grant: 365 * DAY,
      IdToken: 60 * MINUTE,
      Interaction: 60 * MINUTE,
      RefreshToken: 90 * DAY,
      Session: 14 * DAY,
    },
    rotateRefreshToken: (ctx: Context) =>
      parts.rotateRefreshTokens && parts.quirkOf(ctx.oidc?.client?.clientId).keepsRefreshToken !== true,
    expiresWithSession: () => false,
    clientBasedCORS: () => false,
    findAccount: (_ctx: Context, subject: string) => findAccount(store, subject),
    renderError: (ctx: Context, out: Readonly<Record<string, unknown>>) => showError(ctx, out),
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      introspection: { enabled: true, allowedPolicy: isOwner },
      revocation: { enabled: true, allowedPolicy: isOwner },
    },
  })
  provider.Client.prototype.redirectUriAllowed = redirectCheck(clients)
  count(provider, parts.counts)
  return provider
}

/** A client sees and revokes its own tokens only (RFC 7009 §2.1). */
function isOwner(_ctx: Context, client: { readonly clientId: string }, token: { readonly clientId: string }): boolean {
  return client.clientId === token.clientId
}

function findAccount(store: SandboxStore, subject: string) {
  const login = store.loginOf(subject)
  if (login === undefined) return undefined
  const { name, email } = accountOf(login)
  const claims = { sub: subject, name, preferred_username: login, email, email_verified: true }
  return { accountId: subject, claims: () => claims }
}

function showError(ctx: Context, out: Readonly<Record<string, unknown>>): void {
  const { error, error_description: description } = out
  const sentence = typeof description === 'string' ? description : 'The request cannot be answered.'
  sendPage(ctx, ctx.status, 'Error', problemPage(typeof error === 'string' ? error : 'error', sentence))
}

function count(provider: Provider, counts: Counters): void {
  provider.on('authorization.success', () => {
    counts.authorizations += 1
  })
  provider.on('grant.success', (ctx: Context) => {
    if (ctx.oidc?.params?.['grant_type'] === 'authorization_code') counts.codeExchanges += 1
    else counts.refreshes += 1
  })
  provider.on('grant.error', (_ctx: Context, error: { readonly error_detail?: string }) => {
    if (error.error_detail === 'refresh token already used') counts.reuseDetections += 1
  })
  // The library swallows its own failures; shown, they point at a mistake in the sandbox.
  provider.on('server_error', (_ctx: Context, error: unknown) => provider.emit('error', error))
}

/** Clients come from the register at each look, so that a redirect address added later counts at once. */
function clientAdapter(clients: ClientRegister): Adapter {
  const refuse = async () => {
    throw new Error('sandbox clients are fixed at the start')
  }
  return {
    find: async (id) => clients.metadata(id),
    upsert: refuse,
    findByUid: refuse,
    findByUserCode: refuse,
    consume: refuse,
    destroy: refuse,
    revokeByGrantId: refuse,
  }
}
