import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A way to a server that can be cut, as by a network or a restart, and mended. */
export interface CuttableProxy extends AsyncDisposable {
  /** The same address with this proxy's host and port. */
  readonly url: string
  readonly connections: number
  /** Breaks every connection and refuses new ones until `mend`. */
  cut(): void
  mend(): void
  /** Keeps the connections there are and lets nothing more through them, as a dead host does; new ones are well. */
  stall(): void
}

/** Starts a proxy before the server at `target`. */
export async function startCuttableProxy(target: string): Promise<CuttableProxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((client) => {
    if (isCut) return void client.destroy()
    const upstream = connect(Number(port || '5432'), hostname)
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => {})
      one.once('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(target)
  url.hostname = '127.0.0.1'
  // A TCP server reports an address object.
  url.port = String((server.address() as AddressInfo).port)
  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: url.href,
    get connections() {
      return sockets.size / 2
    },
    cut() {
      isCut = true
      breakAll()
    },
    mend() {
      isCut = false
    },
    stall() {
      for (const socket of sockets) socket.unpipe().pause()
    },
    async [Symbol.asyncDispose]() {
      breakAll()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
