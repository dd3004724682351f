import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A server that answers as the test says, with what it was asked kept. */
export interface Answering extends AsyncDisposable {
  readonly url: string
  /** `host:port`, for `ALLOWED_PRIVATE_HOSTS`. */
  readonly host: string
  readonly asked: readonly {
    readonly method: string
    readonly path: string
    readonly headers: IncomingMessage['headers']
  }[]
}

/** Starts one on loopback. */
export async function answering(answer: (request: IncomingMessage, reply: ServerResponse) => void): Promise<Answering> {
  const asked: { method: string; path: string; headers: IncomingMessage['headers'] }[] = []
  const server = createServer((request, reply) => {
    asked.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers })
    answer(request, reply)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A TCP server reports an address object.
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: `http://${host}`,
    host,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export function json(reply: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  reply.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}
