import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { it } from 'node:test'
import { startTestService } from '../support/service.ts'

it(
  'an end waits for no connection that brought no request, nor for one that is kept alive',
  { timeout: 20_000 },
  async () => {
    const service = await startTestService()
    const port = Number(new URL(service.url).port)
    const open = async () => {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      await once(socket, 'connect')
      return socket
    }
    const unused = await open()
    const kept = await open()
    kept.write('GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n')
    const [answer] = (await once(kept, 'data')) as [Buffer]
    assert.match(answer.toString(), /^HTTP\/1\.1 200 /)
    const closed = Promise.all([unused, kept].map((socket) => once(socket, 'close')))
    unused.resume()
    kept.resume()
    await service[Symbol.asyncDispose]()
    await closed
  },
)
