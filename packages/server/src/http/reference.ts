import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gunzip as gunzipWithCallback } from 'node:zlib'
import { version } from '../core/version.ts'
import { referenceBar } from './guides/reference-bar.ts'
import { rememberedFiles } from './reference-files.ts'

/** `GET /openapi.json` and `GET /docs`, from the schemas that validate. */
export async function registerReference(app: FastifyInstance, publicUrl: string): Promise<void> {
  await app.register(swagger, {
    // The framework's name for the rest of a path is none that OpenAPI knows.
    transform: ({ schema, url }) => ({ schema, url: url.replace(/\/\*$/, '/:path') }),
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'connector-oauth',
        version,
        description: 'Connects users’ accounts at third-party providers, keeps the tokens sealed and alive.',
      },
      servers: [{ url: publicUrl }],
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
    },
  })
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
  const files = rememberedFiles()
  app.get('/docs', { schema: { hide: true } }, async (_request, reply) => reply.redirect('/docs/', 301))
  app.get('/docs/', { schema: { hide: true } }, async (_request, reply) => {
    const page = settled((await files()).page)
    return reply.header('content-security-policy', policyFor(page)).type('text/html; charset=utf-8').send(page)
  })
  app.get('/docs/js/scalar.js', { schema: { hide: true } }, async (request, reply) => {
    const { gzippedScript } = await files()
    void reply.type('application/javascript; charset=utf-8').header('vary', 'accept-encoding')
    const takesGzip = /\bgzip\b/.test(String(request.headers['accept-encoding']))
    if (takesGzip) return reply.header('content-encoding', 'gzip').send(gzippedScript)
    return reply.send(await gunzip(gzippedScript))
  })
}

const gunzip = promisify(gunzipWithCallback)

/** Keeps the reference's own schema library from trying whether it may compile code: it may not, and need not. */
const withoutCompiler = '<script>globalThis.__zod_globalConfig = { jitless: true }</script>'

function settled(page: string): string {
  return page
    .replace('<html>', '<html lang="en">')
    .replace('<head>', `<head>\n    <link rel="icon" href="data:,">\n    ${withoutCompiler}`)
    .replace('<body>', `<body>\n${referenceBar}`)
}

/** The page writes its own styles; of scripts it runs its own alone. It may load and call this origin only. */
function policyFor(page: string): string {
  const scripts = [...page.matchAll(/<script[^>]*>([^]*?)<\/script>/g)]
    .map(([, text = '']) => text)
    .filter((text) => text.trim() !== '')
    .map((text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`)
  return [
    "default-src 'none'",
    `script-src ${["'self'", ...scripts].join(' ')}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
}
