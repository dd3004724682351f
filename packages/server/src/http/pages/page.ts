import { randomBytes } from 'node:crypto'
import type { FastifyReply } from 'fastify'

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
  readonly title: string
  /** HTML, everything foreign in it already escaped. */
  readonly body: string
  readonly script?: string
  /** A page with a form of its own; others may submit none. */
  readonly hasForm?: true
  /** A page that must reach its opener may not cut itself off from it. */
  readonly keepsOpener: boolean
}

/** Sends a self-contained page: nothing third-party, nothing inline without this reply's nonce, in no frame. */
export function sendPage(reply: FastifyReply, status: number, page: Page): FastifyReply {
  const nonce = randomBytes(16).toString('base64')
  const policy = [
    "default-src 'none'",
    // The empty icon; without it browsers ask for /favicon.ico.
    'img-src data:',
    `style-src 'nonce-${nonce}'`,
    `script-src 'nonce-${nonce}'`,
    // Browsers hold `form-action` against every redirect that follows a form, and a landing page is on another origin.
    ...(page.hasForm ? [] : ["form-action 'none'"]),
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ')
  return reply
    .code(status)
    .type('text/html; charset=utf-8')
    .header('content-security-policy', policy)
    .header('cross-origin-opener-policy', page.keepsOpener ? 'unsafe-none' : 'same-origin')
    .send(layout(page, nonce))
}

function layout(page: Page, nonce: string): string {
  const script = page.script === undefined ? '' : `<script nonce="${nonce}">${page.script}</script>`
  return `<!doctype html>
<html lang="en">
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
<main>
${page.body}
</main>
${script}
</body>
</html>
`
}

const style = `
:root { --ink: #1c2430; --soft: #56606f; --ground: #f4f6f9; --card: #fff; --line: #dde2ea; --field: #7a8494;
  --accent: #2457d6; --good: #0f7b4a; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8ecf2; --soft: #a5b0c0; --ground: #12161c; --card: #1b212a; --line: #303947; --field: #7d899b;
    --accent: #8fb2ff; --good: #4cc38a; --bad: #ff8a80; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; min-height: 100svh; display: grid; place-items: center; padding: 1rem;
  background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { width: min(26rem, 100%); padding: 2rem clamp(1rem, 6vw, 2rem) 1.5rem; background: var(--card);
  border: 1px solid var(--line); border-radius: 14px; text-align: center; }
h1 { margin: 1rem 0 .5rem; font-size: 1.3rem; line-height: 1.3; text-wrap: balance; }
p { margin: .5rem 0; color: var(--soft); overflow-wrap: anywhere; text-wrap: pretty; }
.mark { width: 3rem; height: 3rem; margin: 0 auto; padding: .75rem; border-radius: 50%; color: var(--card);
  background: var(--good); }
.mark svg { display: block; }
.mark.bad { background: var(--bad); }
.mark.wait { background: var(--soft); }
button { font: inherit; margin: 1rem 0; min-height: 2.75rem; padding: .5rem 1.25rem; border-radius: 8px;
  border: 1px solid var(--field); background: transparent; color: var(--ink); cursor: pointer; }
a { color: var(--accent); }
button:hover { background: var(--ground); }
details { margin-top: .5rem; padding-top: .75rem; border-top: 1px solid var(--line); font-size: .875rem; }
summary { color: var(--soft); cursor: pointer; min-height: 1.5rem; }
code { font-size: .85rem; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 8px; }
@media (forced-colors: active) { .mark { border: 1px solid; } }
`
