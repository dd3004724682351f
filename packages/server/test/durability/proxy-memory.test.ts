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
/** Of the whole process over what it took at rest; the stream is a thousand times as large. */
const mayGrowBytes = 96 * 1024 ** 2
const piece = Buffer.alloc(262_144, 'x')

let received = 0
/** A provider that sends and takes a gibibyte. */
const provider = createServer((asked, reply) => {
  if (asked.method === 'GET') {
    reply.writeHead(200, { 'content-length': gibibyte })
    let left = gibibyte
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
  // Once through, so that what is loaded once is not counted as growth.
  await (await service.call('POST', path, { body: {} })).text()
})
after(async () => {
  await service[Symbol.asyncDispose]()
  await database.drop()
  await new Promise<void>((resolve) => {
    provider.close(() => resolve())
    provider.closeAllConnections()
  })
})

function memory(field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${service.pid}/status`, 'utf8')
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024
}

async function answerOf(sent: ReturnType<typeof request>): Promise<IncomingMessage> {
  // `once` on an emitter answers its arguments.
  const [reply] = (await once(sent, 'response')) as [IncomingMessage]
  return reply
}

it('sends a gibibyte down without holding it', async () => {
  const atRest = memory('VmRSS')
  const sent = request(service.url + path, { headers })
  sent.end()
  const reply = await answerOf(sent)
  assert.equal(reply.statusCode, 200)
  let sizeBytes = 0
  reply.on('data', (chunk: Buffer) => (sizeBytes += chunk.length))
  await once(reply, 'end')
  assert.equal(sizeBytes, gibibyte)
  assert.ok(memory('VmHWM') - atRest < mayGrowBytes, `grew by ${(memory('VmHWM') - atRest) >> 20} MiB`)
})

it('sends a gibibyte up without holding it', async () => {
  const atRest = memory('VmRSS')
  const sent = request(service.url + path, {
    method: 'PUT',
    headers: { ...headers, 'content-length': String(gibibyte), expect: '100-continue' },
  })
  await once(sent, 'continue')
  const answer = answerOf(sent)
  for (let left = gibibyte; left > 0; left -= piece.length) {
    if (!sent.write(piece)) await once(sent, 'drain')
  }
  sent.end()
  const reply = await answer
  reply.resume()
  assert.equal(reply.statusCode, 200)
  assert.equal(received, gibibyte)
  assert.ok(memory('VmHWM') - atRest < mayGrowBytes, `grew by ${(memory('VmHWM') - atRest) >> 20} MiB`)
})

it('lets a slow reader slow the provider down instead of filling up', async () => {
  const atRest = memory('VmRSS')
  const sent = request(service.url + path, { headers })
  sent.end()
  const reply = await answerOf(sent)
  reply.pause()
  // Long enough for everything to arrive, were it not held back.
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  assert.ok(memory('VmHWM') - atRest < mayGrowBytes, `grew by ${(memory('VmHWM') - atRest) >> 20} MiB`)
  sent.destroy()
})
