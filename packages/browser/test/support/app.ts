import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const dist = new URL('../../dist/', import.meta.url)

/** A platform's web server, whose pages use the package as it is shipped. */
export interface App extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`; to a browser another site than `localhost`, where the service is. */
  readonly origin: string
  readonly landingPage: string
  /** A page of a third site that frames the app's page. */
  readonly host: string
  /** A page on another origin than the app's that asks for `/page` of anybody. */
  readonly stranger: string
  /** Adds a script at `/<name>.js`, and with it the page `/<name>` that loads it. */
  addPage(name: string, code: string): void
}

/**
 * `/` is the app's page and `/coop` the same cut off from other origins' windows; `/landing` is the landing page;
 * `/frame?of=…` frames a page; `/opener` opens windows and keeps what it is told.
 */
export async function startApp(): Promise<App> {
  const added = new Map<string, string>()
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://app.test')
    const file = /^\/sdk\/((?:index|react)\.js)$/.exec(pathname)?.[1]
    if (file !== undefined || pathname === '/page.js') {
      response.setHeader('content-type', 'text/javascript')
      return response.end(file === undefined ? script : readFileSync(new URL(file, dist), 'utf8'))
    }
    const [, name = '', extension] = /^\/([\w-]+)(\.js)?$/.exec(pathname) ?? []
    const code = added.get(name)
    if (code !== undefined && extension !== undefined) {
      response.setHeader('content-type', 'text/javascript')
      return response.end(code)
    }
    response.setHeader('content-type', 'text/html; charset=utf-8')
    if (code !== undefined) return response.end(loading(name))
    if (pathname === '/coop') response.setHeader('cross-origin-opener-policy', 'same-origin')
    if (pathname === '/frame') return response.end(framing(searchParams.get('of') ?? ''))
    response.end(pathname === '/opener' ? opening : page)
  })
  // Both families: browsers may take either for names below localhost.
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const origin = `http://127.0.0.1:${port}`
  return {
    origin,
    landingPage: `${origin}/landing`,
    host: `http://host.localhost:${port}/frame?of=${encodeURIComponent(origin)}`,
    stranger: `http://stranger.localhost:${port}`,
    addPage: (name, code) => void added.set(name, code),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/**
 * Both pages: `account` in the local storage is who is signed in, `request` what to connect, and `more` what only this
 * page says.
 */
const script = `
const without = new URLSearchParams(location.search).get('without') ?? ''
if (without.includes('channel')) delete window.BroadcastChannel
if (without.includes('storage')) addEventListener('storage', (event) => event.stopImmediatePropagation(), true)
import { connect, connectByRedirect, createConnectLink, finishConnect, resumeConnect } from '/sdk/index.js'
const show = (value) => { document.getElementById('result').textContent = JSON.stringify(value) }
const failed = ({ name, reason, code, message }) => show({ name, reason, code, message })
const access = () => {
  const { baseUrl = '', token } = JSON.parse(localStorage.getItem('account') ?? '{}')
  return { baseUrl, ...(token && { getAuthorization: () => token }) }
}
const request = () => ({ ...access(), ...JSON.parse(localStorage.getItem('request') ?? '{}'), ...window.more })
const on = (id, act) => {
  document.getElementById(id).onclick = () => {
    document.getElementById('result').textContent = ''
    act().then(show, failed)
  }
}
on('connect', () => connect(request()))
on('leave', () => connectByRedirect(request()))
on('link', () => createConnectLink(request()))
if (location.pathname === '/landing') finishConnect({ ...access(), ...window.more }).then(show, failed)
else resumeConnect(access())?.then(show, failed)
document.documentElement.dataset.ready = ''
// A click that nobody made.
if (location.search === '?auto') document.getElementById('connect').click()
`

const head = '<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,">'
const page = `${head}<meta name="viewport" content="width=device-width"><title>App</title>
<button id="connect">Connect</button> <button id="leave">Connect in this tab</button> <button id="link">Make a link</button>
<p id="result"></p><script type="module" src="/page.js"></script></html>`

const loading = (name: string) => `${head}<title>App</title><div id="root"></div>
<script type="module" src="/${name}.js"></script></html>`

const framing = (url: string) => `${head}<title>Host</title>
<iframe src="${url.replaceAll('"', '&quot;')}" width="600" height="400"></iframe></html>`

const opening = `${head}<title>Stranger</title><button id="open">Open</button><script>
const told = []
addEventListener('message', ({ origin, data }) => told.push({ origin, data }))
document.getElementById('open').onclick = () => { window.opened = window.open(window.address, '', 'popup,width=520,height=680') }
</script></html>`
