import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** One request as it arrived. */
export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** What to answer: a JSON document, text with its own headers, or a handler that writes as it likes. */
export type HostileAnswer =
  | { readonly status?: number; readonly headers?: Record<string, string>; readonly json: unknown }
  | { readonly status?: number; readonly headers?: Record<string, string>; readonly text: string | Buffer }
  | ((response: ServerResponse, request: SeenRequest) => void)

/**
 * A provider on loopback that answers exactly as told and remembers all it was asked, so that tests can claim that
 * nothing further was received.
 */
export interface HostileProvider extends AsyncDisposable {
  readonly origin: string
  /** `host:port`, as it stands in the list of allowed private hosts. */
  readonly host: string
  readonly seen: readonly SeenRequest[]
  seenAt(path: string): readonly SeenRequest[]
  answer(path: string, answer: HostileAnswer): void
  close(): Promise<void>
}

/** Starts a hostile provider; paths without an answer get a 404. `address` is where it listens. */
export async function startHostileProvider(address = '127.0.0.1'): Promise<HostileProvider> {
  const seen: SeenRequest[] = []
  const answers = new Map<string, HostileAnswer>()
  const server = createServer((request, response) => {
    void handle(request, response).catch(() => response.destroy())
  })

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://hostile')
    const body = (await buffer(request)).toString('utf8')
    const { method = 'GET', headers } = request
    const arrived: SeenRequest = { method, path: url.pathname, query: url.searchParams, headers, body }
    seen.push(arrived)
    const answer = answers.get(url.pathname)
    if (answer === undefined) {
      response.writeHead(404).end()
    } else if (typeof answer === 'function') {
      answer(response, arrived)
    } else if ('json' in answer) {
      const all = { 'content-type': 'application/json', ...answer.headers }
      response.writeHead(answer.status ?? 200, all).end(JSON.stringify(answer.json))
    } else {
      response.writeHead(answer.status ?? 200, answer.headers).end(answer.text)
    }
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, address, resolve)
  })
  // A TCP server reports an address object.
  const { port } = server.address() as AddressInfo
  const host = `${address.includes(':') ? `[${address}]` : address}:${port}`

  async function close(): Promise<void> {
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  }
  return {
    origin: `http://${host}`,
    host,
    seen,
    seenAt: (path) => seen.filter((request) => request.path === path),
    answer: (path, answer) => void answers.set(path, answer),
    close,
    [Symbol.asyncDispose]: close,
  }
}
