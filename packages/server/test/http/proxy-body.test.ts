import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { it } from 'node:test'
import { Problem } from '../../src/core/problem.ts'
import { takeBody } from '../../src/http/proxy-body.ts'

it('gives a small body its time in all, however steadily it drips', async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  const server = createServer((raw) => {
    takeBody(raw, { replayBytes: 65_536, maxBytes: 1_000_000, wholeMs: 300 }).then(resolve, resolve)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  // A TCP server reports an address object.
  const { port } = server.address() as AddressInfo
  const sent = request({ port, method: 'POST', headers: { 'content-length': '200' } }).on('error', () => {})
  let left = 200
  const drip = setInterval(() => {
    left -= 1
    if (left >= 0) sent.write('x')
    if (left === 0) sent.end()
  }, 20)
  const taken = await promise
  clearInterval(drip)
  sent.destroy()
  server.close().closeAllConnections()
  assert.ok(taken instanceof Problem && taken.code === 'request_timeout', String(taken))
})
