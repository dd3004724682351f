import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { ConnectorOAuth, ConnectorOAuthError } from '../src/index.ts'
import { answering } from './support.ts'

const eventsOf = (baseUrl: string) => new ConnectorOAuth({ baseUrl, authorization: 'bearer-of-the-test' }).events
const begin = (reply: ServerResponse) => reply.writeHead(200, { 'content-type': 'text/event-stream' })
const eventBlock = (id: string, more = {}) =>
  `id: ${id}\nevent: connector.connected\ndata: ${JSON.stringify({ id: `evt_${id}`, ...more })}\n\n`

it('leaves a connection that fell silent, and goes on where it was, also before the first event', async () => {
  await using service = await answering((_request, reply) => {
    begin(reply)
    // In three pieces, as a network cuts them.
    if (service.asked.length === 1)
      for (const piece of ['retry: 2000\n\n: qu', 'iet\nid: 7', '\n\n']) reply.write(piece)
    else reply.write(eventBlock('8'))
  })
  const stream = eventsOf(service.url).stream({ idleMs: 100 })
  const { value } = await stream.next()
  assert.deepEqual(value, { event: { id: 'evt_8' }, position: '8' })
  assert.deepEqual(
    service.asked.map(({ headers }) => headers['last-event-id']),
    [undefined, '7'],
  )
  await stream.return()
})

it('lets a reader take longer than the connection may be silent', async () => {
  await using service = await answering((_request, reply) => {
    begin(reply).write(eventBlock('1'))
    setTimeout(() => reply.write(eventBlock('2')), 20)
    const speaking = setInterval(() => reply.write(': quiet\nid: 2\n\n'), 20)
    reply.once('close', () => clearInterval(speaking))
  })
  const idleMs = 200
  const stream = eventsOf(service.url).stream({ idleMs })
  await stream.next()
  await wait(2 * idleMs)
  assert.equal((await stream.next()).value?.position, '2')
  assert.equal(service.asked.length, 1)
  await stream.return()
})

it('refuses an event that is too large, whether it comes to an end or not, and asks for no more', async () => {
  const large = 'x'.repeat(300_000)
  for (const text of [eventBlock('1', { large }), `data: ${large}`]) {
    await using service = await answering((_request, reply) => void begin(reply).write(text))
    await assert.rejects(eventsOf(service.url).stream().next(), (error) => {
      assert.ok(error instanceof ConnectorOAuthError)
      assert.equal(error.code, 'invalid_answer')
      return true
    })
    assert.equal(service.asked.length, 1)
  }
})
