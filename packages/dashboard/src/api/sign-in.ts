/** Signing in: with a one-time link, or at the platform's issuer with code and PKCE (RFC 7636). */
import * as oauth from 'oauth4webapi'
import type { Static } from 'typebox'
import type { DashboardConfig as DashboardConfigSchema } from '@connector-oauth/contract/deployment.ts'
import { problemOf } from './call.ts'
import { readSession, signIn, signOut } from './session.ts'

export type DashboardConfig = Static<typeof DashboardConfigSchema>

/** What can be known before anybody has signed in. */
export async function readConfig(signal?: AbortSignal): Promise<DashboardConfig> {
  const response = await fetch('/dashboard-config.json', { ...(signal && { signal }) })
  if (!response.ok) throw await problemOf(response)
  return (await response.json()) as DashboardConfig
}

const pendingKey = 'connector-oauth.signing-in'
const callbackPath = '/sign-in'

interface Pending {
  readonly state: string
  readonly verifier: string
  readonly nonce: string
  /** Where to go on, on this page. */
  readonly returnTo: string
}

/**
 * Takes what a link or the issuer left in the address, signs in with it, and wipes it from the address and the history.
 * Called once, before anything is drawn. Never throws: what went wrong stands on the sign-in page.
 */
export async function finishSignIn(): Promise<void> {
  const code = new URLSearchParams(location.hash.slice(1)).get('login_code')
  if (code !== null) {
    history.replaceState(null, '', location.pathname + location.search)
    return signInByLink(code)
  }
  if (location.pathname !== callbackPath) return
  const address = new URL(location.href)
  const pending = readPending()
  sessionStorage.removeItem(pendingKey)
  history.replaceState(null, '', pending?.returnTo ?? '/')
  if (pending === undefined || address.search === '') return
  try {
    await finishAtIssuer(address, pending)
  } catch (error) {
    signOut(`The issuer did not sign you in (${error instanceof Error ? error.message : 'unknown reason'}). Try again.`)
  }
}

async function signInByLink(code: string): Promise<void> {
  const response = await fetch('/v1/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login_code: code }),
  }).catch(() => undefined)
  if (response?.ok === true) {
    const { data } = (await response.json()) as { data: { access_token: string; expires_at: string } }
    return signIn({ token: data.access_token, expiresAt: data.expires_at })
  }
  // A link that was followed twice in one tab must not end what the first time began.
  if (readSession() !== undefined) return
  const sentence = response === undefined ? 'The service could not be reached.' : (await problemOf(response)).message
  signOut(sentence)
}

/** Goes to the issuer. Comes back at `/sign-in`, which is the redirect URI to register there. */
export async function startAtIssuer(config: NonNullable<DashboardConfig['oidc']>): Promise<void> {
  const server = await discover(config.issuer)
  if (server.authorization_endpoint === undefined) throw new Error('The issuer names no authorization endpoint.')
  const pending: Pending = {
    state: oauth.generateRandomState(),
    verifier: oauth.generateRandomCodeVerifier(),
    nonce: oauth.generateRandomNonce(),
    returnTo: location.pathname === callbackPath ? '/' : location.pathname + location.search,
  }
  sessionStorage.setItem(pendingKey, JSON.stringify(pending))
  const url = new URL(server.authorization_endpoint)
  const parameters = {
    response_type: 'code',
    client_id: config.client_id,
    redirect_uri: location.origin + callbackPath,
    scope: config.scope,
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(pending.verifier),
    code_challenge_method: 'S256',
    ...(config.audience === null ? {} : { audience: config.audience }),
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  location.assign(url)
}

async function finishAtIssuer(address: URL, pending: Pending): Promise<void> {
  const { oidc } = await readConfig()
  if (oidc === null) throw new Error('sign-in at an issuer is not set up')
  const server = await discover(oidc.issuer)
  const client = { client_id: oidc.client_id }
  const answer = oauth.validateAuthResponse(server, client, address, pending.state)
  const reply = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    oauth.None(),
    answer,
    location.origin + callbackPath,
    pending.verifier,
    allowed(oidc.issuer),
  )
  const token = await oauth.processAuthorizationCodeResponse(server, client, reply, { expectedNonce: pending.nonce })
  const expiresAt =
    token.expires_in === undefined ? undefined : new Date(Date.now() + token.expires_in * 1000).toISOString()
  signIn({ token: token.access_token, expiresAt })
}

async function discover(issuer: string): Promise<oauth.AuthorizationServer> {
  const url = new URL(issuer)
  const reply = await oauth.discoveryRequest(url, allowed(issuer))
  return oauth.processDiscoveryResponse(url, reply)
}

/** Plain http is for an issuer on the developer's own machine. */
function allowed(issuer: string): { [oauth.allowInsecureRequests]?: true } {
  const { protocol, hostname } = new URL(issuer)
  return protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
    ? { [oauth.allowInsecureRequests]: true }
    : {}
}

function readPending(): Pending | undefined {
  const text = sessionStorage.getItem(pendingKey)
  return text === null ? undefined : (JSON.parse(text) as Pending)
}
