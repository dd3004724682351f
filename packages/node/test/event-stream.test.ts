import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { readBlocks, type EventBlock } from '../src/event-blocks.ts'
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

it('refuses an event that is broken, in words of its own', async () => {
  await using service = await answering((_request, reply) => void begin(reply).write('id: 1\ndata: {"id":\n\n'))
  await assert.rejects(eventsOf(service.url).stream().next(), (error) => {
    assert.ok(error instanceof ConnectorOAuthError, String(error))
    assert.equal(error.code, 'invalid_answer')
    return true
  })
  assert.equal(service.asked.length, 1)
})

/** What is sent byte by byte, as it is read, and the processor's seconds that reading takes. */
async function readByteByByte(text: string) {
  const bytes = new TextEncoder().encode(text)
  let at = 0
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (at === bytes.length) controller.close()
      else controller.enqueue(bytes.subarray(at, (at += 1)))
    },
  })
  const before = process.cpuUsage()
  const blocks: EventBlock[] = []
  for await (const block of readBlocks(body, { idleMs: 60_000, maxCharacters: 262_144 })) blocks.push(block)
  const { user, system } = process.cpuUsage(before)
  return { blocks, seconds: (user + system) / 1e6 }
}

it('reads blocks byte by byte, whichever way their lines end', async () => {
  const { blocks } = await readByteByByte('id: 1\r\ndata: é\r\ndata:b\r\n\r\nid: 2\n\ndata: c\n\nid: cut')
  assert.deepEqual(blocks, [
    { id: '1', data: 'é\nb' },
    { id: '2', data: undefined },
    { id: undefined, data: 'c' },
  ])
})

it('takes no longer for a long block than for as many bytes of short ones, however small the pieces', async () => {
  const short = await readByteByByte('data: xxxxxxx\n\n'.repeat(10_000))
  const long = await readByteByByte(`data: ${'x'.repeat(149_992)}\n\n`)
  assert.deepEqual([short.blocks.length, long.blocks.length], [10_000, 1])
  assert.equal(long.blocks[0]?.data?.length, 149_992)
  // About as long; with all that came before looked at again for each piece, six times.
  assert.ok(long.seconds < 3 * short.seconds, `${long.seconds} s, ${short.seconds} s`)
})
