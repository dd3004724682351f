import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http'

/**
 * A platform's own web server, on another site than the service: `/` opens popups and keeps what they tell it, `/landing`
 * is a landing page, `/frame?of=…` tries to frame a page.
 */
export interface Platform extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`; to a browser another site than `localhost`. */
  readonly origin: string
  readonly landingUri: string
  /** From now on hands `/api-proxy/` on to `target`, as a same-origin proxy does. */
  proxyTo(target: string): void
  /** Sets the cookie that `/sign-in` gives. */
  signIn(name: string, value: string): void
}

export async function startPlatform(port = 0): Promise<Platform> {
  let target: string | undefined
  let cookie: string | undefined
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://platform.test')
    if (target !== undefined && pathname.startsWith('/api-proxy/')) return passOn(target, request, response)
    if (pathname === '/sign-in' && cookie !== undefined) response.setHeader('set-cookie', cookie)
    const framed = searchParams.get('of')
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.end(pathname === '/frame' && framed !== null ? framePage(framed) : openerPage)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const address = server.address()
  const origin = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : port}`
  return {
    origin,
    landingUri: `${origin}/landing`,
    proxyTo(service) {
      target = service
    },
    signIn(name, value) {
      cookie = `${name}=${value}; Path=/; HttpOnly; Secure; SameSite=Lax`
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** The host header stays: the service sees the address the browser asked for. */
function passOn(target: string, request: IncomingMessage, response: ServerResponse): void {
  const onwards = forward(
    new URL(request.url ?? '/', target),
    { method: request.method, headers: request.headers },
    (reply) => {
      response.writeHead(reply.statusCode ?? 502, reply.headers)
      reply.pipe(response)
    },
  )
  onwards.once('error', () => response.writeHead(502).end())
  request.pipe(onwards)
}

const openerPage = `<!doctype html><html lang="en"><title>Platform</title><link rel="icon" href="data:,">
<h1>Platform</h1><script>
const messages = []
addEventListener('message', (event) => messages.push({ origin: event.origin, data: event.data }))
function openPopup(url) { window.popup = window.open(url, '', 'popup,width=520,height=680') }
</script></html>`

const framePage = (url: string) => `<!doctype html><html lang="en"><title>Frame</title>
<link rel="icon" href="data:,"><iframe id="framed" src="${url.replaceAll('"', '&quot;')}"></iframe></html>`
