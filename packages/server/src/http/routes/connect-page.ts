import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import { readConnectLook } from '../../domain/connect-page-look.ts'
import { textParameters, type HttpContext } from '../http-context.ts'
import type { Config } from '../connect-page/page-types.ts'
import { readWithinMs } from '../pages/outcome-page.ts'
import { escapeHtml, scriptJson } from '../pages/page.ts'
import { style } from '../pages/style.ts'
import { themeOf } from '../pages/theme.ts'
import { failureKinds, mayTryAgain } from '../words/failure-kinds.ts'
import { chooseLanguage, type Language } from '../words/languages.ts'

const modules = ['connect.js', 'calls.js', 'dom.js', 'fields.js', 'outcomes.js', 'picker.js', 'review.js', 'windows.js']

/**
 * `GET /connect/{connect_session_id}#<connect token>`: the hosted Connect page
 *
 * The same shell for every id; what is shown comes from calls with the token, which no server sees here. Opening it, by a
 * person or a link scanner, uses nothing up.
 */
export function connectPageRoutes(app: FastifyInstance, http: HttpContext): void {
  const folder = new URL('../connect-page/', import.meta.url)
  const read = (name: string) => readFileSync(new URL(name, folder), 'utf8')
  const css = style + read('connect.css')
  const scripts = modules.map((name) => [name, read(name)] as const)
  // Part of the address, so that a page never gets the modules of another version from a cache.
  const version = createHash('sha256').update(JSON.stringify(scripts)).digest('base64url').slice(0, 12)
  for (const [name, code] of scripts) {
    app.get(`/connect/assets/:version/${name}`, { schema: { hide: true } }, async (request, reply) => {
      const isThisVersion = textParameters(request.params)['version'] === version
      return reply
        .type('text/javascript; charset=utf-8')
        .header('cache-control', isThisVersion ? 'public, max-age=31536000, immutable' : 'no-store')
        .send(code)
    })
  }

  app.get(
    '/connect/:connect_session_id',
    { schema: { hide: true }, config: { keepsOpener: true } },
    async (request, reply) => {
      await http.limits.checkAddress(request)
      const look = await readConnectLook(http.flows, textParameters(request.params)['connect_session_id'] ?? '')
      const language = chooseLanguage(look.locale, request.headers['accept-language'])
      const nonce = randomBytes(16).toString('base64')
      const policy = [
        "default-src 'none'",
        "connect-src 'self'",
        'img-src data:',
        `style-src 'nonce-${nonce}'`,
        "script-src 'self'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
      ].join('; ')
      return reply
        .type('text/html; charset=utf-8')
        .header('content-security-policy', policy)
        .send(shell({ language, css: `${css}:root { ${themeOf(look)} }`, nonce, version, look }))
    },
  )
}

function shell(page: {
  readonly language: Language
  readonly css: string
  readonly nonce: string
  readonly version: string
  readonly look: { readonly display_name: string | null; readonly logo: string | null }
}): string {
  const { tag, direction, words } = page.language
  const { display_name: name, logo } = page.look
  const image =
    logo === null ? '' : `<img src="${escapeHtml(logo)}" alt="${name === null ? escapeHtml(words.the_app) : ''}">`
  const brand = `${image}${name === null ? '' : `<bdi>${escapeHtml(name)}</bdi>`}`
  const assets = `assets/${page.version}/`
  const config: Config = { words, kinds: failureKinds, mayTryAgain, readWithinMs }
  return `<!doctype html>
<html lang="${tag}" dir="${direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex, nofollow">
<link rel="icon" href="data:,">
<title>${escapeHtml(words['picker.title'])}</title>
<style nonce="${page.nonce}">${page.css}</style>
${modules.map((module) => `<link rel="modulepreload" href="${assets}${module}">`).join('\n')}
<script type="module" src="${assets}connect.js"></script>
</head>
<body>
<main class="card">
<div class="brand">${brand}</div>
<div id="view"><div class="middle"><div class="spinner"></div><h1 tabindex="-1">${escapeHtml(words.loading)}</h1></div></div>
<p id="live" class="sr" role="status"></p>
</main>
<script type="application/json" id="config">${scriptJson(config)}</script>
</body>
</html>
`
}
