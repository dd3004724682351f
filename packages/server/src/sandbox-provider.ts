import { startSandbox, type Sandbox } from '@connector-oauth/sandbox'
import { join } from 'node:path'
import type { OwnProvider } from './compose.ts'
import { rememberSandboxPort, type DevelopmentSecrets } from './development-secrets.ts'

const clientId = 'connector-oauth'

/** Starts the sandbox provider, on the port it had the last time where that is free, and describes it as a provider. */
export async function startOwnSandbox(
  dataDir: string,
  secrets: DevelopmentSecrets,
  preferredPort: number,
): Promise<{ readonly sandbox: Sandbox; readonly provider: OwnProvider }> {
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
  const sandbox = await start(secrets.sandboxPort ?? preferredPort).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return start(0)
    throw error
  })
  if (sandbox.port !== secrets.sandboxPort) await rememberSandboxPort(dataDir, sandbox.port)
  return { sandbox, provider: describeSandbox(sandbox.issuer, secrets) }
}

function describeSandbox(issuer: string, secrets: DevelopmentSecrets): OwnProvider {
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
