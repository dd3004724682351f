import { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { Problem } from '../core/problem.ts'
import { bareApp } from './bare-app.ts'
import { sendError, toAnswer } from './errors.ts'
import { healthRoutes, type Readiness } from './routes/health.ts'
import { metricsRoute, type MetricsPage } from './routes/metrics.ts'

/** What a process answers off the public API: its probes, metrics perhaps, and 404 to all else. It listens nowhere yet. */
export function createProbeServer(settings: {
  readonly logger: FastifyBaseLogger
  readonly readiness: Readiness
  readonly metrics: MetricsPage | undefined
}): FastifyInstance {
  const app = bareApp({
    loggerInstance: settings.logger,
    logController: new LogController({ disableRequestLogging: true }),
    requestTimeout: 30_000,
    forceCloseConnections: true,
  })
  healthRoutes(app, settings.readiness)
  if (settings.metrics !== undefined) metricsRoute(app, settings.metrics)
  app.setNotFoundHandler((request, reply) =>
    sendError(request, reply, toAnswer(new Problem('not_found'), request.id, false)),
  )
  return app
}
