import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { startSandbox, type Sandbox, type SandboxClient, type SandboxOptions } from '../../src/sandbox.ts'
import { newBrowser, type Browser, type Visit } from './browser.ts'

export const CLIENT_ID = 'app'
export const CLIENT_SECRET = 'app-secret'
export const CALLBACK = 'http://localhost:3999/v1/connectors/oauth/sandbox/callback'
export const SCOPE = 'openid profile email offline_access notes.read notes.write'

/** A sandbox with one confidential client, closed when the test ends. */
export async function sandboxFor(
  test: { after(done: () => Promise<void>): void },
  options: Partial<SandboxOptions> & { readonly client?: Partial<SandboxClient> } = {},
): Promise<Sandbox> {
  const { client, ...rest } = options
  const clients: SandboxClient[] = [
    {
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      name: 'Acme Search',
      redirectUris: 'any-loopback-callback',
      ...client,
    },
  ]
  const sandbox = await startSandbox({ port: 0, clients, ...rest })
  test.after(() => sandbox.close())
  return sandbox
}

/** An authorization request, ready to be opened, and the verifier to its challenge. */
export function authorizationRequest(sandbox: Sandbox, parameters: Readonly<Record<string, string>> = {}) {
  const verifier = randomBytes(32).toString('base64url')
  const url = new URL('/auth', sandbox.issuer)
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: CLIENT_ID,
    redirect_uri: CALLBACK,
    scope: SCOPE,
    state: 'state-1',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...parameters,
  }).toString()
  return { url: url.href, verifier }
}

/** Signs in and decides, as a user would; the visit ends where the sandbox sends the browser back to the app. */
export async function consent(
  browser: Browser,
  url: string,
  choice: { readonly login?: string; readonly decision?: string } = {},
): Promise<Visit> {
  let page = await browser.open(url)
  if (page.text.includes('name="login"')) {
    page = await browser.open(actionOf(page), { login: choice.login ?? 'ada' })
  }
  assert.match(page.text, /value="allow"/)
  return browser.open(actionOf(page), { decision: choice.decision ?? 'allow' })
}

/** Where the form of a page posts to. */
export function actionOf(page: Visit): string {
  const [, action] = /<form method="post" action="([^"]+)"/.exec(page.text) ?? []
  assert.ok(action, `no form on ${page.url}`)
  return new URL(action, page.url).href
}

/** A token request with the client's secret in the body. */
export function tokenRequest(
  sandbox: Sandbox,
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = { accept: 'application/json' },
): Promise<Response> {
  const body = new URLSearchParams({ client_id: CLIENT_ID, client_secret: CLIENT_SECRET, ...fields })
  return fetch(`${sandbox.issuer}/token`, { method: 'POST', headers, body })
}

export function codeFields(code: string, verifier: string) {
  return { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: CALLBACK }
}

export function refreshFields(refreshToken: string) {
  return { grant_type: 'refresh_token', refresh_token: refreshToken }
}

/** A code, fresh from a user's consent, and its verifier. */
export async function newCode(
  sandbox: Sandbox,
  parameters: Readonly<Record<string, string>> = {},
  browser: Browser = newBrowser(),
) {
  const { url, verifier } = authorizationRequest(sandbox, parameters)
  const { leftFor } = await consent(browser, url)
  assert.ok(leftFor)
  const code = leftFor.searchParams.get('code') ?? leftFor.searchParams.get('auth_code')
  assert.ok(code)
  return { code, verifier, callback: leftFor }
}

interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly id_token: string
  readonly expires_in: number
  readonly scope: string
}

/** Connects a user the standard way. */
export async function connect(
  sandbox: Sandbox,
  parameters: Readonly<Record<string, string>> = {},
  browser: Browser = newBrowser(),
): Promise<Tokens> {
  const { code, verifier } = await newCode(sandbox, parameters, browser)
  const reply = await tokenRequest(sandbox, codeFields(code, verifier))
  assert.equal(reply.status, 200)
  return tokensOf(reply)
}

export async function tokensOf(reply: Response): Promise<Tokens> {
  // The tests that need a field check it; a missing one shows as `undefined` there.
  return (await reply.json()) as Tokens
}

export async function jsonOf(reply: Response): Promise<Record<string, unknown>> {
  // Every reply asked for here is a JSON object; anything else throws.
  return (await reply.json()) as Record<string, unknown>
}

/** A request with the client's secret in the body, for the endpoints beside `/token`. */
export function clientPost(sandbox: Sandbox, path: string, fields: Readonly<Record<string, string>>) {
  const body = new URLSearchParams({ client_id: CLIENT_ID, client_secret: CLIENT_SECRET, ...fields })
  return fetch(`${sandbox.issuer}${path}`, { method: 'POST', body })
}

export function callApi(sandbox: Sandbox, path: string, accessToken: string, init: RequestInit = {}) {
  return fetch(`${sandbox.issuer}${path}`, { ...init, headers: { authorization: `Bearer ${accessToken}` } })
}
