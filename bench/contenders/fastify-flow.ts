/**
 * The least a connect flow can be that keeps its state in the database: a state row, PKCE, the token exchange, and one
 * row with the sealed tokens. No tickets, no binding of browsers, no events, no row-level security.
 */
import { createHash, randomBytes } from 'node:crypto'
import Fastify from 'fastify'
import pg from 'pg'
import { Pool } from 'undici'
import { announce, readSettings } from '../measure/answer.ts'
import { createJwtCheck } from './jwt-check.ts'
import { seal } from './seal.ts'

export interface FastifyFlowSettings {
  readonly databaseUrl: string
  readonly jwtSecret: string
  /** In Base64. */
  readonly key: string
  readonly provider: string
  readonly clientId: string
  readonly clientSecret: string
}

interface Pending {
  readonly verifier: string
  readonly tenant_id: string
  readonly subject: string
  readonly space_id: string
  readonly collection_id: string
}

// Written by the question in the same run.
const settings = (await readSettings()) as FastifyFlowSettings
const check = createJwtCheck(settings.jwtSecret)
const key = Buffer.from(settings.key, 'base64')
const provider = new Pool(settings.provider)
const pool = new pg.Pool({ connectionString: settings.databaseUrl, max: 10, idleTimeoutMillis: 0, pipeline: true })
const redirectUri = 'https://bare.example/callback'
const app = Fastify()

app.get<{ Querystring: { space_id: string; collection_id: string } }>('/authorize', async (request, reply) => {
  const { tenantId, subject } = await check(request.headers.authorization)
  const { space_id, collection_id } = request.query
  const state = randomBytes(32).toString('base64url')
  const verifier = randomBytes(32).toString('base64url')
  await pool.query({
    name: 'pend',
    text: `insert into bench_pending (state, verifier, tenant_id, subject, space_id, collection_id, created_at)
           values ($1, $2, $3, $4, $5, $6, now())`,
    values: [state, verifier, tenantId, subject, space_id, collection_id],
  })
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: settings.clientId,
    redirect_uri: redirectUri,
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })
  return reply.redirect(`${settings.provider}/authorize?${query.toString()}`, 303)
})

app.get<{ Querystring: { code: string; state: string } }>('/callback', async (request, reply) => {
  const { tenantId, subject } = await check(request.headers.authorization)
  const { rows } = await pool.query<Pending>({
    name: 'take',
    text: `delete from bench_pending
           where state = $1
           returning verifier, tenant_id, subject, space_id, collection_id`,
    values: [request.query.state],
  })
  const [pending] = rows
  if (pending === undefined || pending.tenant_id !== tenantId || pending.subject !== subject)
    return reply.code(400).send({ detail: 'unknown state' })
  const { statusCode, body } = await provider.request({
    method: 'POST',
    path: '/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: request.query.code,
      redirect_uri: redirectUri,
      code_verifier: pending.verifier,
      client_id: settings.clientId,
      client_secret: settings.clientSecret,
    }).toString(),
  })
  if (statusCode !== 200) return reply.code(400).send({ detail: 'refused' })
  // The stand-in answers what RFC 6749 §5.1 says.
  const tokens = (await body.json()) as { access_token: string; refresh_token: string; expires_in: number }
  const connectorId = `conn_${randomBytes(16).toString('base64url')}`
  const place = `${tenantId}/${connectorId}`
  await pool.query({
    name: 'connect',
    text: `insert into bench_connectors
             (tenant_id, connector_id, space_id, collection_id, access_token, refresh_token, expires_at)
           values ($1, $2, $3, $4, $5, $6, $7)`,
    values: [
      tenantId,
      connectorId,
      pending.space_id,
      pending.collection_id,
      seal(key, tokens.access_token, `${place}/access`),
      seal(key, tokens.refresh_token, `${place}/refresh`),
      new Date(Date.now() + tokens.expires_in * 1000),
    ],
  })
  return { message: 'OAuth connection established successfully', connector_id: connectorId }
})

announce(await app.listen({ host: '127.0.0.1', port: 0 }))
