import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { exportJWK, SignJWT } from 'jose'

/** The platform's issuer, at which people sign in: code and PKCE, and access tokens that are JWTs (RFC 9068). */
export interface Issuer extends AsyncDisposable {
  readonly url: string
  /** `host:port`, for `ALLOWED_PRIVATE_HOSTS`. */
  readonly host: string
}

export async function startIssuer(clientId: string): Promise<Issuer> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }
  const pending = new Map<string, URLSearchParams>()
  const sign = (issuer: string, audience: string, claims: Record<string, unknown>): Promise<string> =>
    new SignJWT({ sub: 'ada', ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime('10m')
      .sign(privateKey)

  const exchange = async (issuer: string, form: URLSearchParams): Promise<object | undefined> => {
    const asked = pending.get(form.get('code') ?? '')
    pending.delete(form.get('code') ?? '')
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    if (asked?.get('code_challenge') !== challenge || asked.get('redirect_uri') !== form.get('redirect_uri'))
      return undefined
    const scope = 'connectors:read connectors:connect connectors:admin'
    return {
      access_token: await sign(issuer, 'connectors', { tenant_id: 'acme', scope }),
      id_token: await sign(issuer, clientId, { nonce: asked.get('nonce') }),
      token_type: 'Bearer',
      expires_in: 600,
    }
  }

  const server = createServer((request, response) => {
    const issuer = `http://${request.headers.host ?? ''}`
    const url = new URL(request.url ?? '/', issuer)
    const json = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json', 'access-control-allow-origin': '*' })
      response.end(JSON.stringify(body))
    }
    let form = ''
    request.setEncoding('utf8').on('data', (text: string) => (form += text))
    request.once('end', () => {
      if (url.pathname === '/jwks') return json(200, { keys: [jwk] })
      if (url.pathname === '/.well-known/openid-configuration') {
        return json(200, {
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          jwks_uri: `${issuer}/jwks`,
          id_token_signing_alg_values_supported: ['ES256'],
        })
      }
      if (url.pathname === '/authorize') {
        const code = randomBytes(16).toString('hex')
        pending.set(code, url.searchParams)
        const back = new URL(url.searchParams.get('redirect_uri') ?? issuer)
        back.search = new URLSearchParams({ code, state: url.searchParams.get('state') ?? '' }).toString()
        return response.writeHead(303, { location: back.href }).end()
      }
      void exchange(issuer, new URLSearchParams(form)).then((answer) =>
        answer === undefined ? json(400, { error: 'invalid_grant' }) : json(200, answer),
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const host = `localhost:${typeof address === 'object' && address !== null ? address.port : 0}`
  return {
    url: `http://${host}`,
    host,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
