import assert from 'node:assert/strict'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { it } from 'node:test'
import Fastify from 'fastify'
import { limitBodyTime } from '../../src/http/body-deadline.ts'

it('ends a request whose body stops coming, unless its route streams', async () => {
  const app = Fastify()
  limitBodyTime(app, 3_600_000, 50)
  app.post('/whole', async () => 'read')
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.post('/streamed', { config: { streamsBody: true } }, async (asked) => {
    let text = ''
    for await (const piece of asked.raw) text += String(piece)
    return text
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  try {
    assert.equal(app.server.requestTimeout, 3_600_000)
    // A TCP server reports an address object.
    const { port } = app.server.address() as AddressInfo
    const slowly = (path: string, type: string, untilMs: number) =>
      new Promise<number | undefined>((resolve, reject) => {
        const headers = { 'content-type': type, 'content-length': '4' }
        const sent = request({ port, host: '127.0.0.1', path, method: 'POST', headers }, (reply) => {
          reply.resume()
          resolve(reply.statusCode)
        })
        sent.once('error', reject)
        sent.write('"a')
        setTimeout(() => sent.end('b"'), untilMs).unref()
      })
    assert.equal(await slowly('/whole', 'application/json', 5_000), 408)
    assert.equal(await slowly('/streamed', 'text/x', 200), 200)
  } finally {
    await app.close()
  }
})
