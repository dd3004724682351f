/** A provider that costs as little as it can: OAuth 2.0 with PKCE that consents at once, and an API with two replies. */
import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { serve } from '../measure/answer.ts'

interface Grant {
  readonly challenge: string
  readonly redirectUri: string
}

const grants = new Map<string, Grant>()
const replies = new Map([
  ['/api/small', Buffer.alloc(1024, 'a')],
  ['/api/large', Buffer.alloc(65_536, 'a')],
])

serve((request, response) => {
  const url = new URL(request.url ?? '/', 'http://provider')
  const reply = replies.get(url.pathname)
  if (reply !== undefined) callApi(request, response, reply)
  else if (url.pathname === '/authorize') consent(url.searchParams, response)
  else if (url.pathname === '/token') void token(request, response)
  else response.writeHead(404).end()
})

/** Refuses calls without a token, so that no proxy gets by without putting it in. */
function callApi(request: IncomingMessage, response: ServerResponse, reply: Buffer): void {
  const isKnown = request.headers.authorization?.startsWith('Bearer token-') ?? false
  request.resume()
  response
    .writeHead(isKnown ? 200 : 401, { 'content-type': 'application/octet-stream', 'content-length': reply.length })
    .end(reply)
}

function consent(asked: URLSearchParams, response: ServerResponse): void {
  const code = randomBytes(16).toString('base64url')
  const redirectUri = asked.get('redirect_uri') ?? ''
  grants.set(code, { challenge: asked.get('code_challenge') ?? '', redirectUri })
  const query = new URLSearchParams({ code, state: asked.get('state') ?? '' })
  response.writeHead(302, { location: `${redirectUri}?${query.toString()}` }).end()
}

async function token(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const fields = new URLSearchParams(await text(request))
  const code = fields.get('code') ?? ''
  const grant = grants.get(code)
  grants.delete(code)
  const challenge = createHash('sha256')
    .update(fields.get('code_verifier') ?? '')
    .digest('base64url')
  const isRight = grant?.challenge === challenge && grant.redirectUri === fields.get('redirect_uri')
  const body = isRight
    ? {
        access_token: `token-${randomBytes(24).toString('base64url')}`,
        refresh_token: randomBytes(24).toString('base64url'),
        token_type: 'Bearer',
        expires_in: 3600,
        scope: 'read',
      }
    : { error: 'invalid_grant' }
  response.writeHead(isRight ? 200 : 400, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
