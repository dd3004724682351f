import { createHash, randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { startHostileProvider, type HostileProvider, type SeenRequest } from './hostile-provider.ts'

/** An honest, quick OAuth server that consents at once and remembers every secret that passed through it. */
export interface InstantProvider extends AsyncDisposable {
  readonly server: HostileProvider
  /** What `POST /v1/admin/connector-providers` takes to know it. */
  readonly definition: Readonly<Record<string, unknown>>
  /** Token requests by code, however they ended. */
  readonly redemptions: ReadonlyMap<string, number>
  /** Refresh tokens that came back after they were spent. */
  readonly reuses: number
  readonly refreshes: number
  /** Codes, verifiers, nonces, tokens and the client's secret, seen or given. */
  readonly secrets: ReadonlySet<string>
  /** Whether it gave this access token. */
  knows(accessToken: string): boolean
  /** Does what a browser does with a user who agrees: takes the departure and answers the callback URL. */
  consent(departure: string): URL
  /** Changes replies from now on. */
  behave(changes: Partial<InstantBehaviour>): void
  /** Resolves when the token endpoint receives its next request. */
  nextTokenRequest(): Promise<void>
}

export interface InstantBehaviour {
  readonly lifetimeSeconds: number
  /** The work is done, the caller does not know yet. */
  readonly replyAfterMs: number
}

interface Grant {
  readonly challenge: string
  readonly redirectUri: string
  readonly nonce: string | undefined
}

/** Starts one; `close` by disposal. */
export async function startInstantProvider(): Promise<InstantProvider> {
  const server = await startHostileProvider()
  const { origin } = server
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const clientId = 'instant-client'
  const clientSecret = randomHandle()
  const codes = new Map<string, Grant>()
  const redemptions = new Map<string, number>()
  const accessTokens = new Set<string>()
  const refreshTokens = new Map<string, 'good' | 'spent'>()
  const secrets = new Set<string>([clientSecret])
  const waiting: (() => void)[] = []
  const counts = { reuses: 0, refreshes: 0 }
  let behaviour: InstantBehaviour = { lifetimeSeconds: 3600, replyAfterMs: 0 }

  const remember = (secret: string): string => {
    secrets.add(secret)
    return secret
  }

  async function tokens(nonce: string | undefined): Promise<object> {
    const accessToken = remember(randomHandle())
    const refreshToken = remember(randomHandle())
    accessTokens.add(accessToken)
    refreshTokens.set(refreshToken, 'good')
    const idToken = await new SignJWT({ preferred_username: 'ada', ...(nonce !== undefined && { nonce }) })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .setIssuer(origin)
      .setSubject('account-1')
      .setAudience(clientId)
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(privateKey)
    return {
      access_token: accessToken,
      refresh_token: refreshToken,
      token_type: 'Bearer',
      expires_in: behaviour.lifetimeSeconds,
      id_token: remember(idToken),
    }
  }

  function redeem(fields: URLSearchParams): Promise<object> | undefined {
    const code = fields.get('code') ?? ''
    redemptions.set(code, (redemptions.get(code) ?? 0) + 1)
    const grant = codes.get(code)
    const verifier = remember(fields.get('code_verifier') ?? randomHandle())
    codes.delete(code)
    const challenge = createHash('sha256').update(verifier).digest('base64url')
    const isRight = grant?.challenge === challenge && grant.redirectUri === fields.get('redirect_uri')
    return isRight ? tokens(grant.nonce) : undefined
  }

  function refresh(fields: URLSearchParams): Promise<object> | undefined {
    const token = fields.get('refresh_token') ?? ''
    const known = refreshTokens.get(token)
    if (known === 'spent') counts.reuses += 1
    if (known !== 'good') return undefined
    refreshTokens.set(token, 'spent')
    counts.refreshes += 1
    return tokens(undefined)
  }

  server.answer('/token', (response: ServerResponse, request: SeenRequest) => {
    for (const tell of waiting.splice(0)) tell()
    const fields = new URLSearchParams(request.body)
    const reply = fields.get('grant_type') === 'refresh_token' ? refresh(fields) : redeem(fields)
    const { replyAfterMs } = behaviour
    const send = async (): Promise<void> => {
      const body = JSON.stringify((await reply) ?? { error: 'invalid_grant' })
      response.writeHead(reply === undefined ? 400 : 200, { 'content-type': 'application/json' }).end(body)
    }
    if (replyAfterMs > 0) setTimeout(() => void send(), replyAfterMs)
    else void send()
  })
  server.answer('/jwks', {
    json: { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }] },
  })
  server.answer('/revoke', { json: {} })

  return {
    server,
    definition: {
      display_name: 'Instant',
      issuer: origin,
      authorization_url: `${origin}/authorize`,
      token_url: `${origin}/token`,
      jwks_uri: `${origin}/jwks`,
      revocation_url: `${origin}/revoke`,
      id_token_signing_alg_values_supported: ['RS256'],
      default_scopes: ['openid', 'profile', 'offline_access'],
      account: { from: 'id_token', id: 'sub', name: 'preferred_username' },
      client_id: clientId,
      client_secret: clientSecret,
    },
    redemptions,
    get reuses() {
      return counts.reuses
    },
    get refreshes() {
      return counts.refreshes
    },
    secrets,
    knows: (accessToken) => accessTokens.has(accessToken),
    consent(departure) {
      const { searchParams: asked } = new URL(departure)
      const code = remember(randomHandle())
      const redirectUri = asked.get('redirect_uri') ?? ''
      const nonce = asked.get('nonce') ?? undefined
      const state = remember(asked.get('state') ?? '')
      if (nonce !== undefined) remember(nonce)
      codes.set(code, { challenge: asked.get('code_challenge') ?? '', redirectUri, nonce })
      const callback = new URL(redirectUri)
      callback.search = new URLSearchParams({ code, state }).toString()
      return callback
    },
    behave(changes) {
      behaviour = { ...behaviour, ...changes }
    },
    nextTokenRequest: () => new Promise((resolve) => waiting.push(resolve)),
    [Symbol.asyncDispose]: () => server.close(),
  }
}

function randomHandle(): string {
  return randomBytes(24).toString('base64url')
}
