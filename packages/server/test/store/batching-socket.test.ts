import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { it } from 'node:test'
import { BatchingSocket } from '../../src/store/batching-socket.ts'

it('closes when the other side ends while something is held, so that no statement waits for its timeout', async () => {
  const server = createServer()
  const accepted = once(server, 'connection')
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = new BatchingSocket()
  try {
    // A TCP server reports an address object.
    socket.connect((server.address() as AddressInfo).port, '127.0.0.1')
    await once(socket, 'connect')
    socket.resume()
    const [other] = (await accepted) as [Socket]
    const closed = once(socket, 'close', { signal: AbortSignal.timeout(5_000) })
    // From a timer, after which Node reads sockets before it comes to what was put off to the end of the turn.
    setTimeout(() => {
      socket.cork()
      socket.write('a statement')
      other.destroy()
    })
    await closed
    assert.equal(socket.destroyed, true)
  } finally {
    socket.destroy()
    server.close()
  }
})
