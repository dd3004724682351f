import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'

/**
 * `GET /sdk/connector-oauth.js`: the browser package as one module, for pages without a bundler
 *
 * Any page may read it: a module of another origin loads only with leave, and nothing in it is a secret. It changes with
 * the service, so browsers ask again after some minutes, and are mostly told that it is the same.
 */
export function sdkRoute(app: FastifyInstance): void {
  const code = readBuilt()
  // A clone that was never built, or a package without it.
  if (code === undefined) return
  const etag = `"${createHash('sha256').update(code).digest('base64url')}"`
  app.get('/sdk/connector-oauth.js', { schema: { hide: true } }, async (request, reply) => {
    void reply.headers({
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
      'cache-control': 'public, max-age=300',
      etag,
    })
    if (request.headers['if-none-match'] === etag) return reply.code(304).send()
    return reply.type('text/javascript; charset=utf-8').send(code)
  })
}

function readBuilt(): string | undefined {
  try {
    return readFileSync(fileURLToPath(import.meta.resolve('@connector-oauth/browser')), 'utf8')
  } catch {
    return undefined
  }
}
