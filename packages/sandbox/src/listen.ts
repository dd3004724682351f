import { createServer, type RequestListener, type Server } from 'node:http'

/** Bound sockets that answer nobody until `serve` is called. */
export interface Listener {
  readonly port: number
  serve(handler: RequestListener): void
  close(): Promise<void>
}

const LOOPBACK = ['127.0.0.1', '::1'] as const
const ATTEMPTS = 20

/**
 * Binds `port` (0: any free) on `host`.
 *
 * `127.0.0.1` and `localhost` bind both loopback families where there are two, since a browser may take
 * `localhost` to mean `::1` first and would reach nothing, or somebody else.
 *
 * @throws {Error} `EADDRINUSE` and the like, as from Node.js.
 */
export async function listen(host: string, port: number): Promise<Listener> {
  if (host !== '127.0.0.1' && host !== 'localhost') return asListener([await bind(host, port)])
  for (let attempt = 1; ; attempt += 1) {
    const first = await bind(LOOPBACK[0], port)
    try {
      return asListener([first, await bind(LOOPBACK[1], portOf(first))])
    } catch (error) {
      if (hasNoSuchFamily(error)) return asListener([first])
      await close(first)
      // A free port of one family may be taken in the other: draw again.
      if (port !== 0 || attempt === ATTEMPTS) throw error
    }
  }
}

function asListener(servers: readonly [Server, ...Server[]]): Listener {
  return {
    port: portOf(servers[0]),
    serve(handler) {
      for (const server of servers) server.on('request', handler)
    },
    async close() {
      await Promise.all(servers.map(close))
    },
  }
}

function bind(host: string, port: number): Promise<Server> {
  const { promise, resolve, reject } = Promise.withResolvers<Server>()
  const server = createServer()
  server.once('error', reject)
  server.listen({ host, port, exclusive: true }, () => resolve(server))
  return promise
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the sandbox is not bound to a port')
  return address.port
}

function hasNoSuchFamily(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT')
}

function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  server.closeAllConnections()
  return promise
}
