/**
 * The least a token read can be: Fastify, the JWT check, one prepared select, one unseal. The select goes over a pool, as it is usually
 * done, or behind all others over one connection.
 */
import Fastify from 'fastify'
import pg from 'pg'
import { announce, readSettings } from '../measure/answer.ts'
import { createJwtCheck } from './jwt-check.ts'
import { unseal } from './seal.ts'

export interface FastifySelectSettings {
  readonly databaseUrl: string
  readonly jwtSecret: string
  /** In Base64. */
  readonly key: string
  readonly connections: 'pool' | 'one'
}

interface Row {
  readonly access_token: Buffer
  readonly token_type: string
  readonly expires_at: Date
  readonly scopes: string[]
}

// Written by the question in the same run.
const settings = (await readSettings()) as FastifySelectSettings
const check = createJwtCheck(settings.jwtSecret)
const key = Buffer.from(settings.key, 'base64')
const connection = { connectionString: settings.databaseUrl, pipeline: true }
const database =
  settings.connections === 'one' ? await connected() : new pg.Pool({ ...connection, max: 10, idleTimeoutMillis: 0 })
const select = {
  name: 'token',
  text: `select access_token, token_type, expires_at, scopes
         from bench_tokens
         where tenant_id = $1 and connector_id = $2 and space_id = $3 and collection_id = $4`,
}
const app = Fastify()

app.post<{ Params: { space_id: string; collection_id: string; connector_id: string } }>(
  '/v1/spaces/:space_id/collections/:collection_id/connectors/:connector_id/token',
  async (request, reply) => {
    const { tenantId } = await check(request.headers.authorization)
    const { space_id, collection_id, connector_id } = request.params
    const { rows } = await database.query<Row>({ ...select, values: [tenantId, connector_id, space_id, collection_id] })
    const [row] = rows
    if (row === undefined) return reply.code(404).send({ detail: 'unknown' })
    return {
      data: {
        access_token: unseal(key, row.access_token, `${tenantId}/${connector_id}`),
        token_type: row.token_type,
        expires_at: row.expires_at.toISOString(),
        scopes: row.scopes,
      },
    }
  },
)

async function connected(): Promise<pg.Client> {
  const client = new pg.Client(connection)
  await client.connect()
  return client
}

announce(await app.listen({ host: '127.0.0.1', port: 0 }))
