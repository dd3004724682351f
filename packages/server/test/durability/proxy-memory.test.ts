import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, it } from 'node:test'
import { proxiedConnector, proxyPath } from '../support/proxied.ts'
import { deploymentOf, type ServiceProcess } from '../support/service-process.ts'
import { createTestDatabase } from '../support/test-database.ts'

const gibibyte = 1024 ** 3
/** What goes through first: enough to bring the heap and the allocator to the size that streaming takes. */
const firstBytes = gibibyte / 4
/** The peak of the whole process over its peak in that first stream, which was a quarter as large. */
const mayGrowBytes = 64 * 1024 ** 2
const piece = Buffer.alloc(262_144, 'x')

let received = 0
/** A provider that sends and takes a gibibyte. */
const provider = createServer((asked, reply) => {
  if (asked.method === 'GET') {
    const sizeBytes = asked.url?.endsWith('/first') ? firstBytes : gibibyte
    reply.writeHead(200, { 'content-length': sizeBytes })
    let left = sizeBytes
    const more = (): void => {
      while (left > 0) {
        left -= piece.length
        if (!reply.write(piece) && left > 0) return void reply.once('drain', more)
      }
      reply.end()
    }
    more()
    return
  }
  received = 0
  asked.on('data', (chunk: Buffer) => (received += chunk.length))
  asked.once('end', () => reply.end('taken'))
})

const database = await createTestDatabase()
let service: ServiceProcess
let headers: Record<string, string>
let path: string
before(async () => {
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve))
  // A TCP server reports an address object.
  const host = `127.0.0.1:${(provider.address() as AddressInfo).port}`
  const deployment = deploymentOf(database.databaseUrl, { ALLOWED_PRIVATE_HOSTS: host })
  service = await deployment.start()
  path = proxyPath(await proxiedConnector(service, `http://${host}`), '/big')
  headers = { authorization: `Bearer ${await deployment.token()}` }
  // Both ways once, so that what a stream of any length takes is not counted as growth.
  assert.equal(await download('/first'), firstBytes)
  assert.equal(await upload(firstBytes), firstBytes)
})
after(async () => {
  await service[Symbol.asyncDispose]()
  await database.drop()
  await new Promise<void>((resolve) => {
    provider.close(() => resolve())
    provider.closeAllConnections()
  })
})

/** The highest the whole process ever stood, in bytes. */
function peak(): number {
  const status = readFileSync(`/proc/${service.pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
}

function assertFlat(peakBefore: number): void {
  const grownBytes = peak() - peakBefore
  assert.ok(grownBytes < mayGrowBytes, `grew by ${grownBytes >> 20} MiB`)
}

async function answerOf(sent: ReturnType<typeof request>): Promise<IncomingMessage> {
  // `once` on an emitter answers its arguments.
  const [reply] = (await once(sent, 'response')) as [IncomingMessage]
  assert.equal(reply.statusCode, 200)
  return reply
}

/** Answers how many bytes came. */
async function download(rest: string): Promise<number> {
  const sent = request(service.url + path + rest, { headers })
  sent.end()
  const reply = await answerOf(sent)
  let sizeBytes = 0
  reply.on('data', (chunk: Buffer) => (sizeBytes += chunk.length))
  await once(reply, 'end')
  return sizeBytes
}

/** Answers how many bytes the provider got. */
async function upload(sizeBytes: number): Promise<number> {
  const sent = request(service.url + path, {
    method: 'PUT',
    headers: { ...headers, 'content-length': String(sizeBytes), expect: '100-continue' },
  })
  await once(sent, 'continue')
  const answer = answerOf(sent)
  for (let left = sizeBytes; left > 0; left -= piece.length) {
    if (!sent.write(piece)) await once(sent, 'drain')
  }
  sent.end()
  const reply = await answer
  reply.resume()
  return received
}

it('sends a gibibyte down without holding it', async () => {
  const peakBefore = peak()
  assert.equal(await download(''), gibibyte)
  assertFlat(peakBefore)
})

it('sends a gibibyte up without holding it', async () => {
  const peakBefore = peak()
  assert.equal(await upload(gibibyte), gibibyte)
  assertFlat(peakBefore)
})

it('lets a slow reader slow the provider down instead of filling up', async () => {
  const peakBefore = peak()
  const sent = request(service.url + path, { headers })
  sent.end()
  const reply = await answerOf(sent)
  reply.pause()
  // Long enough for everything to arrive, were it not held back.
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  assertFlat(peakBefore)
  sent.destroy()
})
