import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a server of the bench was started with; call it once, at first. */
export async function readSettings(): Promise<unknown> {
  // Sent by `startServer`.
  const [message] = (await once(process, 'message')) as [{ readonly settings: unknown }]
  return message.settings
}

/** Tells the bench where this server listens, and ends with it. */
export function announce(url: string): void {
  process.once('disconnect', () => process.exit())
  process.once('SIGTERM', () => process.exit())
  process.send?.(url)
}

/** Serves on a port of the system's choice and announces it. */
export function serve(listener: RequestListener): void {
  const server = createServer({ keepAliveTimeout: 60_000 }, listener)
  server.listen(0, '127.0.0.1', () => {
    // A TCP server reports an address object.
    const { port } = server.address() as AddressInfo
    announce(`http://127.0.0.1:${port}`)
  })
}
