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
  /** Form targets the page may post to; none by default. */
  readonly formAction?: "'self'"
  /** A page that must reach its opener may not cut itself off from it. */
  readonly keepsOpener: boolean
}

/** Sends a self-contained page: nothing third-party, nothing inline without this reply's nonce, in no frame. */
export function sendPage(reply: FastifyReply, status: number, page: Page): FastifyReply {
  const nonce = randomBytes(16).toString('base64')
  const policy = [
    "default-src 'none'",
    `style-src 'nonce-${nonce}'`,
    `script-src 'nonce-${nonce}'`,
    `form-action ${page.formAction ?? "'none'"}`,
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
:root { --ink: #1c2430; --soft: #56606f; --ground: #f4f6f9; --card: #fff; --line: #dde2ea; --good: #0f7b4a; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8ecf2; --soft: #a5b0c0; --ground: #12161c; --card: #1b212a; --line: #303947; --good: #4cc38a; --bad: #ff8a80; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--ground);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { width: min(26rem, 100%); padding: 2rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 14px; text-align: center; }
h1 { margin: .75rem 0 .5rem; font-size: 1.3rem; text-wrap: balance; }
p { margin: .5rem 0; color: var(--soft); overflow-wrap: anywhere; }
.mark { width: 3rem; height: 3rem; margin: 0 auto; border-radius: 50%; display: grid; place-items: center;
  font-size: 1.5rem; line-height: 1; color: var(--card); background: var(--good); }
.mark.bad { background: var(--bad); }
.mark.wait { background: var(--soft); }
code { font-size: .85rem; }
button { font: inherit; margin-top: 1rem; padding: .5rem 1.25rem; border-radius: 8px; border: 1px solid var(--line);
  background: transparent; color: var(--ink); cursor: pointer; }
button:focus-visible { outline: 3px solid #4c8dff; outline-offset: 2px; }
`
