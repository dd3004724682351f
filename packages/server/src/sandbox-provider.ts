import type { Sandbox } from '@connector-oauth/sandbox'
import { join } from 'node:path'
import type { OwnProvider } from './compose.ts'
import { createEgress } from './oauth/egress.ts'
import { rememberSandboxPort, type DevelopmentSecrets } from './development-secrets.ts'

const clientId = 'connector-oauth'

/** Starts the sandbox provider, on the port it had the last time where that is free, and describes it as a provider. */
export async function startOwnSandbox(
  dataDir: string,
  secrets: DevelopmentSecrets,
  preferredPort: number,
): Promise<{ readonly sandbox: Sandbox | undefined; readonly provider: OwnProvider }> {
  // In production nothing of it is loaded.
  const { startSandbox } = await import('@connector-oauth/sandbox')
  const start = (port: number) =>
    startSandbox({
      port,
      storeFile: join(dataDir, 'sandbox.json'),
      clients: [
        {
          clientId,
          clientSecret: secrets.sandboxClientSecret.reveal(),
          redirectUris: 'any-loopback-callback',
          name: 'connector-oauth',
        },
      ],
    })
  const port = secrets.sandboxPort ?? preferredPort
  try {
    return await announce(dataDir, await start(port), secrets)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
  }
  // Another process with the same folder runs it already: connectors of both belong to one issuer.
  const running = `http://localhost:${port}`
  if (secrets.sandboxPort === port && (await answersAsSandbox(running))) {
    return { sandbox: undefined, provider: describeSandbox(running, secrets) }
  }
  return announce(dataDir, await start(0), secrets)
}

async function announce(dataDir: string, sandbox: Sandbox, secrets: DevelopmentSecrets) {
  if (sandbox.port !== secrets.sandboxPort) await rememberSandboxPort(dataDir, sandbox.port)
  return { sandbox, provider: describeSandbox(sandbox.issuer, secrets) }
}

async function answersAsSandbox(issuer: string): Promise<boolean> {
  const egress = createEgress({ allowedPrivateHosts: [new URL(issuer).host] })
  try {
    const reply = await egress.request({ method: 'GET', url: `${issuer}/.well-known/openid-configuration` })
    return reply.status === 200 && reply.body.includes(`"issuer":"${issuer}"`)
  } catch {
    return false
  } finally {
    await egress.close()
  }
}

/** The sandbox as a provider with its app. */
export function describeSandbox(issuer: string, secrets: Pick<DevelopmentSecrets, 'sandboxClientSecret'>): OwnProvider {
  return {
    privateHost: new URL(issuer).host,
    app: { clientId, clientSecret: secrets.sandboxClientSecret, scopes: undefined },
    definition: {
      slug: 'sandbox',
      display_name: 'Sandbox',
      categories: ['developer'],
      issuer,
      authorization_url: `${issuer}/auth`,
      token_url: `${issuer}/token`,
      userinfo_url: `${issuer}/me`,
      revocation_url: `${issuer}/token/revocation`,
      jwks_uri: `${issuer}/jwks`,
      api_base_url: `${issuer}/api/v1`,
      authorization_response_iss_parameter_supported: true,
      id_token_signing_alg_values_supported: ['RS256'],
      client_auth: 'client_secret_basic',
      pkce: 'S256',
      refreshable: true,
      refresh_rotates: true,
      default_scopes: ['openid', 'profile', 'email', 'offline_access'],
      scopes: [
        { name: 'openid', description: 'Sign you in' },
        { name: 'profile', description: 'See your name' },
        { name: 'email', description: 'See your e-mail address' },
        { name: 'offline_access', description: 'Stay connected while you are away' },
        { name: 'notes.read', description: 'Read your notes' },
        { name: 'notes.write', description: 'Write notes for you' },
      ],
      account: { from: 'id_token', id: 'sub', name: 'preferred_username' },
    },
  }
}
