import type { FastifyInstance } from 'fastify'

/** Why a process should get no requests, or `ready`. */
export type ReadyState = 'ready' | 'starting' | 'draining' | 'database_unavailable' | 'keys_unknown'

/** Whether this process can serve. */
export interface Readiness {
  isMigrated(): boolean
  /** Answers within a second or so, whatever the database does. */
  state(): Promise<ReadyState>
}

/** `GET /health/live` answers as soon as the process listens; `GET /health/ready` once requests would succeed. */
export function healthRoutes(app: FastifyInstance, readiness: Readiness): void {
  app.get('/health/live', { schema: { hide: true } }, async () => ({ status: 'live' }))
  app.get('/health/ready', { schema: { hide: true } }, async (_request, reply) => {
    const status = await readiness.state()
    if (status === 'ready') return { status }
    return reply
      .code(503)
      .header('retry-after', status === 'starting' ? '1' : '2')
      .send({ status })
  })
}
