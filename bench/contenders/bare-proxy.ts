/** The least an authenticated proxy can be: the JWT check, the token from memory, undici's `Pool.stream`. */
import Fastify from 'fastify'
import { Pool } from 'undici'
import { announce, readSettings } from '../measure/answer.ts'
import { createJwtCheck } from './jwt-check.ts'

export interface BareProxySettings {
  readonly upstream: string
  readonly jwtSecret: string
  /** By `tenant/connector_id`. */
  readonly tokens: Readonly<Record<string, string>>
}

// Written by the question in the same run.
const settings = (await readSettings()) as BareProxySettings
const check = createJwtCheck(settings.jwtSecret)
const tokens = new Map(Object.entries(settings.tokens))
const upstream = new Pool(settings.upstream, { connections: 64 })
const app = Fastify()

app.get<{ Params: { connector_id: string; '*': string } }>(
  '/v1/spaces/:space_id/collections/:collection_id/connectors/:connector_id/proxy/*',
  async (request, reply) => {
    const { tenantId } = await check(request.headers.authorization)
    const token = tokens.get(`${tenantId}/${request.params.connector_id}`)
    if (token === undefined) return reply.code(404).send({ detail: 'unknown' })
    reply.hijack()
    await upstream.stream(
      { method: 'GET', path: `/api/${request.params['*']}`, headers: { authorization: `Bearer ${token}` } },
      ({ statusCode, headers }) => reply.raw.writeHead(statusCode, headers),
    )
  },
)

announce(await app.listen({ host: '127.0.0.1', port: 0 }))
