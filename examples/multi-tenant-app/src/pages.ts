import type { User } from './people.ts'
import { users } from './people.ts'

/** A connected account, as the page shows it. */
export interface Account {
  readonly id: string
  readonly name: string
  /** How it is, in words. */
  readonly state: string
  /** Only its user can mend it, by connecting again. */
  readonly needsPerson: boolean
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** Where somebody becomes one of the made-up users. */
export function signInPage(): string {
  const buttons = users
    .map(({ id, name, tenant }) => `<button name="user" value="${id}">Sign in as ${name} of ${tenant.name}</button>`)
    .join('\n')
  return layout(
    'Sign in',
    `<h1>Sign in</h1>
<p>These people are made up, and need no password.</p>
<form method="post" action="/sign-in">${buttons}</form>`,
  )
}

/** The app itself: the user's accounts, and what went wrong with them. */
export function homePage(
  user: User,
  baseUrl: string,
  accounts: readonly Account[],
  message: string | undefined,
): string {
  const banners = accounts.filter((account) => account.needsPerson).map(bannerOf)
  const settings = { baseUrl, spaceId: user.tenant.spaceId, collectionId: user.collectionId }
  return layout(
    user.tenant.name,
    `${importMap(baseUrl)}
<header><strong>${user.tenant.name}</strong> <span>${user.name}</span>
<form method="post" action="/sign-out"><button>Sign out</button></form></header>
${banners.join('\n')}
<h1>Connected accounts</h1>
${message === undefined ? '' : `<p role="status" id="message">${escapeHtml(message)}</p>`}
${accounts.length === 0 ? '<p>None yet.</p>' : `<ul>${accounts.map(itemOf).join('\n')}</ul>`}
<button id="connect" class="primary">Connect a sandbox account</button>
<p role="alert" id="problem"></p>
<script type="module" src="/public/app.js" data-settings="${escapeHtml(JSON.stringify(settings))}"></script>`,
  )
}

function bannerOf({ id, name }: Account): string {
  return `<div role="alert" class="banner"><span><strong>${escapeHtml(name)}</strong> has to be connected again: the provider no
longer lets us in. Nothing else is lost.</span> <button data-reconnect="${escapeHtml(id)}">Reconnect</button></div>`
}

function itemOf({ id, name, state, needsPerson }: Account): string {
  const act = (action: string, words: string) =>
    `<form method="post" action="/accounts/${escapeHtml(id)}/${action}"><button>${words}</button></form>`
  const uses = `${act('profile', 'Show profile')} ${act('break', 'Remove access at the provider')}`
  return `<li><span>${escapeHtml(name)}</span> <em>${escapeHtml(state)}</em>
${needsPerson ? '' : uses} ${act('disconnect', 'Disconnect')}</li>`
}

/** Where the popup ends; it hands the outcome to the page that waits, and closes. */
export function landingPage(baseUrl: string): string {
  const settings = escapeHtml(JSON.stringify({ baseUrl }))
  return layout(
    'Connecting',
    `${importMap(baseUrl)}
<p id="outcome" role="status">Finishing …</p>
<script type="module" src="/public/landing.js" data-settings="${settings}"></script>`,
  )
}

/** Without a bundler: what the package's name means to this page's modules. The service serves the package itself. */
function importMap(baseUrl: string): string {
  const imports = { '@connector-oauth/browser': `${baseUrl}/sdk/connector-oauth.js` }
  return `<script type="importmap">${JSON.stringify({ imports })}</script>`
}

function layout(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/public/app.css"></head>
<body><main>
${body}
</main></body></html>
`
}
