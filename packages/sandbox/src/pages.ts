import { createHash } from 'node:crypto'
import type { Context } from 'oidc-provider'
import type { SandboxAccount } from './accounts.ts'
import { html, type Html } from './html.ts'
import { PAGE_STYLE } from './page-style.ts'
import type { SandboxScope } from './scopes.ts'

/** Said on every page, so that nobody takes the sandbox for a provider. */
const NOTICE = 'Sandbox provider — nothing real happens here'

/**
 * `form-action` is left out on purpose: browsers apply it to every redirect that follows a form, and the way back
 * to the app leads over addresses the sandbox cannot know.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  // The empty icon; without it browsers ask for /favicon.ico.
  'img-src data:',
  `style-src 'sha256-${createHash('sha256').update(PAGE_STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Answers with a whole page. */
export function sendPage(ctx: Context, status: number, title: string, content: Html): void {
  ctx.status = status
  ctx.type = 'text/html; charset=utf-8'
  setPageHeaders(ctx, CONTENT_SECURITY_POLICY)
  ctx.body = document(title, content).markup
}

/** The headers of every page; `policy` is its Content-Security-Policy. */
export function setPageHeaders(ctx: Context, policy: string): void {
  ctx.set('content-security-policy', policy)
  ctx.set('x-frame-options', 'DENY')
  ctx.set('x-content-type-options', 'nosniff')
  ctx.set('referrer-policy', 'same-origin')
  ctx.set('cache-control', 'no-store')
}

const MARK = html`<svg viewBox="0 0 24 24" aria-hidden="true">
  <path d="M12 1.5 21.5 7v10L12 22.5 2.5 17V7zm0 4L6 9v6l6 3.5 6-3.5V9z" />
</svg>`
const TICK = html`<svg viewBox="0 0 16 16" aria-hidden="true"><path d="m2.5 8.5 3.5 3.5 7.5-8" /></svg>`

function document(title: string, content: Html): Html {
  // The style must stand between its tags to the letter: the policy allows it by its hash.
  const style: Html = { markup: `<style>${PAGE_STYLE}</style>` }
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <link rel="icon" href="data:," />
        <title>${title} · Sandbox provider</title>
        ${style}
      </head>
      <body>
        <header class="notice">${NOTICE}</header>
        <main>
          <div class="card">
            <p class="mark">${MARK}Sandbox provider</p>
            ${content}
          </div>
        </main>
      </body>
    </html> `
}

/** The login page: one field and a button. `problem` is shown beside the field. */
export function loginPage(view: {
  readonly action: string
  readonly app: string
  readonly login: string
  readonly problem: string | undefined
}): Html {
  const { action, app, login, problem } = view
  return html`<h1>Sign in</h1>
    <p class="lead">to continue to <strong>${app}</strong></p>
    <form method="post" action="${action}">
      <label for="login">User name</label>
      <input
        id="login"
        name="login"
        type="text"
        value="${login}"
        required
        maxlength="64"
        autofocus
        autocomplete="username"
        autocapitalize="none"
        spellcheck="false"
        ${invalid(problem)}
      />
      ${problem === undefined ? undefined : html`<p class="error" id="problem" role="alert">${problem}</p>`}
      <p class="hint" id="hint">Any name signs in, without a password. The same name is always the same account.</p>
      <div class="actions"><button type="submit">Sign in</button></div>
    </form>`
}

function invalid(problem: string | undefined): Html {
  return problem === undefined
    ? html`aria-describedby="hint"`
    : html`aria-invalid="true" aria-describedby="problem hint"`
}

/** The consent page: who asks, who is signed in, what is asked for. */
export function consentPage(view: {
  readonly action: string
  readonly switchAccountHref: string
  readonly app: string
  readonly returnsTo: string
  readonly account: SandboxAccount
  readonly scopes: readonly SandboxScope[]
}): Html {
  const { account } = view
  return html`<h1>${view.app} asks for access</h1>
    <p class="lead">You go back to <strong>${view.returnsTo}</strong> afterwards.</p>
    <div class="who">
      <span class="face" aria-hidden="true">${account.name.charAt(0)}</span>
      <p>
        ${account.name}<br /><small>${account.email}</small><br /><a href="${view.switchAccountHref}"
          >Use another account</a
        >
      </p>
    </div>
    <form method="post" action="${view.action}">
      <input type="hidden" name="choose" value="1" />
      <fieldset>
        <legend>It would be able to</legend>
        ${view.scopes.map(scopeRow)}
      </fieldset>
      <div class="actions decision">
        <button type="submit" name="decision" value="allow">Allow</button>
        <button type="submit" name="decision" value="deny" class="quiet">Deny</button>
      </div>
    </form>`
}

function scopeRow(scope: SandboxScope): Html {
  const text = html`<span><b>${scope.title}</b><small>${scope.explanation}</small></span>`
  return scope.optional
    ? html`<label class="scope"><input type="checkbox" name="scope" value="${scope.name}" checked />${text}</label>`
    : html`<p class="scope">${TICK}${text}</p>`
}

/** A page that says what went wrong and what to do. */
export function problemPage(heading: string, advice: string): Html {
  return html`<h1>${heading}</h1>
    <p class="lead">${advice}</p>`
}

/** What one sees at the sandbox's own address. */
export function homePage(issuer: string): Html {
  return html`<h1>A pretend provider</h1>
    <p class="lead">
      A real OAuth 2.0 and OpenID Connect server with made-up accounts, for development and tests. To use it, connect a
      sandbox account in the app that sent you here.
    </p>
    <p class="hint">
      Its endpoints: <a href="/.well-known/openid-configuration">${issuer}/.well-known/openid-configuration</a>
    </p>`
}
