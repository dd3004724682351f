import { randomBytes } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { chooseLanguage, type Language } from '../words/languages.ts'
import { style } from './style.ts'

/** Text made safe for HTML content and attribute values. */
export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  }
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '')
}

/** JSON made safe inside a script element. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll('<', String.raw`\u003c`)
    .replaceAll('\u2028', String.raw`\u2028`)
    .replaceAll('\u2029', String.raw`\u2029`)
}

export interface Page {
  readonly language: Language
  readonly title: string
  /** HTML, everything foreign in it already escaped. */
  readonly body: string
  readonly script?: string
  /** A page with a form of its own; others may submit none. */
  readonly hasForm?: true
}

/** The language that the browser asks for. */
export function languageOf(request: FastifyRequest): Language {
  return chooseLanguage(null, request.headers['accept-language'])
}

/** Sends a self-contained page: nothing third-party, nothing inline without this reply's nonce, in no frame. */
export function sendPage(reply: FastifyReply, status: number, page: Page): FastifyReply {
  const nonce = randomBytes(16).toString('base64')
  const policy = [
    "default-src 'none'",
    // The empty icon; without it browsers ask for /favicon.ico.
    'img-src data:',
    `style-src 'nonce-${nonce}'`,
    ...(page.script === undefined ? [] : [`script-src 'nonce-${nonce}'`]),
    // Browsers hold `form-action` against every redirect that follows a form, and a landing page is on another origin.
    ...(page.hasForm ? [] : ["form-action 'none'"]),
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ')
  return reply
    .code(status)
    .type('text/html; charset=utf-8')
    .header('content-security-policy', policy)
    .send(layout(page, nonce))
}

function layout(page: Page, nonce: string): string {
  const script = page.script === undefined ? '' : `<script nonce="${nonce}">${page.script}</script>`
  return `<!doctype html>
<html lang="${page.language.tag}" dir="${page.language.direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<link rel="icon" href="data:,">
<title>${escapeHtml(page.title)}</title>
<style nonce="${nonce}">${style}</style>
</head>
<body>
<main class="card">
${page.body}
</main>
${script}
</body>
</html>
`
}
