import type { FastifyInstance } from 'fastify'

/** The figures of this process as a page for Prometheus. */
export interface MetricsPage {
  readonly contentType: string
  render(): Promise<string>
}

/** `GET /metrics`, for whoever reaches the listener: it names routes and figures, never a tenant, a connector or a person. */
export function metricsRoute(app: FastifyInstance, page: MetricsPage): void {
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) =>
    reply
      .header('cache-control', 'no-store')
      .type(page.contentType)
      .send(await page.render()),
  )
}
