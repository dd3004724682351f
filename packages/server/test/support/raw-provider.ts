import { createServer, type AddressInfo, type Socket } from 'node:net'

/** A provider on loopback that answers any bytes it is told to, HTTP or not, and counts what it was asked. */
export interface RawProvider extends AsyncDisposable {
  readonly origin: string
  readonly host: string
  /** Request lines, in order. */
  readonly asked: readonly string[]
  /** What to do with a path, query left out; everything else gets an empty 404. */
  answer(path: string, answer: string | Buffer | ((socket: Socket, head: string) => void)): void
}

export async function startRawProvider(): Promise<RawProvider> {
  const asked: string[] = []
  const answers = new Map<string, string | Buffer | ((socket: Socket, head: string) => void)>()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      if (end === -1) return
      const head = text.slice(0, end)
      text = ''
      const line = head.split('\r\n', 1)[0] ?? ''
      asked.push(line)
      const path = (line.split(' ')[1] ?? '').split('?', 1)[0] ?? ''
      const answer = answers.get(path) ?? 'HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n'
      if (typeof answer === 'function') answer(socket, head)
      else socket.end(answer)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A TCP server reports an address object.
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin: `http://${host}`,
    host,
    asked,
    answer: (path, answer) => void answers.set(path, answer),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
