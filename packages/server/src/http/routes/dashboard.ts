import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Context } from '../../domain/context.ts'
import { signInOrigins } from '../../domain/deployment.ts'

/** Pages that the dashboard's own router knows. Nothing else falls back to it, so that a wrong address of the API stays a 404. */
const pages = [
  '/',
  '/sign-in',
  '/connectors',
  '/connectors/*',
  '/providers',
  '/providers/*',
  '/events',
  '/webhooks',
  '/webhooks/*',
  '/audit',
  '/keys',
  '/settings',
]

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

const missing = `<!doctype html>
<html lang="en"><title>connector-oauth</title>
<h1>The dashboard is not built</h1>
<p>Run <code>npm run build</code> in the folder of the service and start it again. The API works without it; see <a href="/docs">/docs</a>.</p>
</html>
`

interface BuiltFile {
  readonly type: string
  readonly plain: Buffer
  zipped(): Buffer
}

/** `GET /` and the dashboard's other pages, as `npm run build` made them: one document and its hashed files. */
export function dashboardRoutes(app: FastifyInstance, flows: Pick<Context, 'settings'>): void {
  const folder = fileURLToPath(new URL('../../../../dashboard/dist/', import.meta.url))
  const policy = policyFor(signInOrigins(flows.settings))
  const document = existsSync(path.join(folder, 'index.html'))
    ? builtFile('text/html; charset=utf-8', readFileSync(path.join(folder, 'index.html')))
    : undefined
  const page = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    void reply
      // The popup of a provider must not be able to reach this page, and this page must hear the closing page.
      .header('cross-origin-opener-policy', 'same-origin-allow-popups')
      .header('content-security-policy', policy)
    // A plain sentence instead of an error: `GET /` also tells a load balancer or a person that this is the service.
    if (document === undefined) return reply.code(200).type('text/html; charset=utf-8').send(missing)
    return sendFile(request, reply, document)
  }
  for (const url of pages) app.get(url, { schema: { hide: true } }, page)
  if (document === undefined) return
  const assets = path.join(folder, 'assets')
  for (const name of readdirSync(assets)) {
    const type = types[path.extname(name)]
    if (type === undefined) continue
    const file = builtFile(type, readFileSync(path.join(assets, name)))
    app.get(`/assets/${name}`, { schema: { hide: true } }, async (request, reply) => {
      // Its name holds a digest of what is in it.
      void reply.header('cache-control', 'public, max-age=31536000, immutable')
      return sendFile(request, reply, file)
    })
  }
}

/** Pages may call this service and the issuer that signs people in, and nobody else. */
function policyFor(callable: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    ['connect-src', "'self'", ...callable].join(' '),
    "form-action 'none'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ')
}

/** Compressed once, when it is first asked for. */
function builtFile(type: string, plain: Buffer): BuiltFile {
  let zipped: Buffer | undefined
  return { type, plain, zipped: () => (zipped ??= gzipSync(plain, { level: 9 })) }
}

/** Nothing here is secret, so that compressing tells nothing. */
function sendFile(request: FastifyRequest, reply: FastifyReply, file: BuiltFile): FastifyReply {
  const takesGzip = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')
  void reply.type(file.type).header('vary', 'accept-encoding')
  if (takesGzip) void reply.header('content-encoding', 'gzip')
  return reply.send(takesGzip ? file.zipped() : file.plain)
}
