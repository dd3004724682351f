import type { FastifyInstance } from 'fastify'

/** Whether this process can serve. */
export interface Readiness {
  isMigrated(): boolean
  databaseAnswers(): Promise<boolean>
}

/** `GET /health/live` answers as soon as the process listens; `GET /health/ready` once requests would succeed. */
export function healthRoutes(app: FastifyInstance, readiness: Readiness): void {
  app.get('/health/live', { schema: { hide: true } }, async () => ({ status: 'live' }))
  app.get('/health/ready', { schema: { hide: true } }, async (_request, reply) => {
    if (!readiness.isMigrated()) return reply.code(503).header('retry-after', '1').send({ status: 'starting' })
    if (await readiness.databaseAnswers()) return { status: 'ready' }
    return reply.code(503).header('retry-after', '2').send({ status: 'database_unavailable' })
  })
}
