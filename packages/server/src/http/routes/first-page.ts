import { readFileSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'

const files = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/first-page.css': ['first-page.css', 'text/css; charset=utf-8'],
  '/first-page.js': ['first-page.js', 'text/javascript; charset=utf-8'],
} as const

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"

/** `GET /`: the tenant's connectors and a button to connect one, over the public API only. */
export function firstPageRoutes(app: FastifyInstance): void {
  const folder = new URL('../first-page/', import.meta.url)
  for (const [url, [name, type]] of Object.entries(files)) {
    const content = readFileSync(new URL(name, folder), 'utf8')
    app.get(url, { schema: { hide: true } }, async (_request, reply) =>
      reply
        .type(type)
        // The popup of a provider must not be able to reach this page, and this page must hear the closing page.
        .header('cross-origin-opener-policy', 'same-origin-allow-popups')
        .header('content-security-policy', policy)
        .send(content),
    )
  }
}
