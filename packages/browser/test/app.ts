import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'

const source = new URL('../src/', import.meta.url)

/** A platform's web server with an app page and a landing page that use the package as it stands in the sources. */
export interface App extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`; to a browser another site than `localhost`. */
  readonly origin: string
  readonly landingPage: string
}

export async function startApp(): Promise<App> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://app.test')
    const file = /^\/sdk\/([a-z-]+\.ts)$/.exec(pathname)?.[1]
    if (file !== undefined) {
      response.setHeader('content-type', 'text/javascript')
      return response.end(stripTypeScriptTypes(readFileSync(new URL(file, source), 'utf8')))
    }
    response.setHeader('content-type', 'text/html; charset=utf-8')
    return response.end(pathname === '/landing' ? landing : app)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const origin = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  return {
    origin,
    landingPage: `${origin}/landing`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** `window.ask` is set by the test; what came of it is written to the page's session storage, which a reload keeps. */
const app = `<!doctype html><html lang="en"><title>App</title><link rel="icon" href="data:,">
<button id="connect">Connect</button><button id="leave">Connect in this tab</button><p id="result"></p>
<script type="module">
import { connect, connectByRedirect } from '/sdk/index.ts'
const show = (value) => { document.getElementById('result').textContent = JSON.stringify(value) }
const failed = (error) => show({ reason: error.reason, code: error.code, message: error.message })
const withToken = () => ({ ...window.ask, getAuthorization: () => window.token })
document.getElementById('connect').onclick = () => connect({ ...withToken(), signal: window.signal }).then(show, failed)
document.getElementById('leave').onclick = () => {
  sessionStorage.setItem('access', JSON.stringify({ baseUrl: window.ask.baseUrl, token: window.token }))
  connectByRedirect(withToken()).catch(failed)
}
</script></html>`

const landing = `<!doctype html><html lang="en"><title>Landing</title><link rel="icon" href="data:,">
<p id="result"></p>
<script type="module">
import { finishConnect } from '/sdk/index.ts'
const show = (value) => { document.getElementById('result').textContent = JSON.stringify(value) }
const access = JSON.parse(sessionStorage.getItem('access') ?? '{"baseUrl":""}')
finishConnect({ baseUrl: access.baseUrl, getAuthorization: () => access.token }).then(show, (error) => show({ reason: error.reason }))
</script></html>`
