import assert from 'node:assert/strict'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import dns from 'node:dns'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { createEgress, EgressError } from '../../src/oauth/egress.ts'
import { dnsLookup } from '../../src/oauth/host-lookup.ts'

const typeA = 1
const typeAaaa = 28
const noError = 0
const serverFailure = 2
const noSuchName = 3

interface Question {
  /** Answers with these addresses, written as bytes, or with a code of RFC 1035 §4.1.1. */
  answer(addresses: readonly (readonly number[])[], code?: number): void
  readonly type: number
}

interface NameServer extends AsyncDisposable {
  readonly address: string
  readonly questions: readonly Question[]
  /** Settles when so many questions were asked. */
  asked(count: number): Promise<void>
}

/** A name server on loopback that answers as it is told, or never. */
async function startNameServer(onQuestion: (question: Question) => void): Promise<NameServer> {
  const socket = createSocket('udp4')
  const questions: Question[] = []
  socket.on('message', (message, from) => {
    const question = questionIn(socket, message, from)
    questions.push(question)
    socket.emit('question')
    onQuestion(question)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    address: `127.0.0.1:${socket.address().port}`,
    questions,
    async asked(count) {
      while (questions.length < count) await once(socket, 'question')
    },
    async [Symbol.asyncDispose]() {
      socket.close()
      await once(socket, 'close')
    },
  }
}

function questionIn(socket: Socket, message: Buffer, from: RemoteInfo): Question {
  let at = 12
  for (let length = message[at]; length !== undefined && length > 0; length = message[at]) at += length + 1
  const end = at + 5
  const type = message.readUInt16BE(at + 1)
  return {
    type,
    answer(addresses, code = noError) {
      const head = Buffer.from(message.subarray(0, 12))
      head.writeUInt16BE(0x8180 | code, 2)
      head.writeUInt16BE(addresses.length, 6)
      head.writeUInt32BE(0, 8)
      const records = addresses.map((bytes) =>
        Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, bytes.length, ...bytes]),
      )
      socket.send(Buffer.concat([head, message.subarray(12, end), ...records]), from.port, from.address)
    },
  }
}

async function failureOf(work: Promise<unknown>): Promise<unknown[]> {
  const error = await work.then(
    () => assert.fail('expected a failure'),
    (reason: unknown) => reason,
  )
  assert(error instanceof EgressError, String(error))
  return [error.kind, error.sent]
}

const get = (url: string) => ({ method: 'GET', url }) as const

describe('names of providers', () => {
  it('are looked up without holding a thread, so those that hang stop nobody else', async () => {
    await using server = await startNameServer(() => {})
    const egress = createEgress({ allowedPrivateHosts: [], lookup: dnsLookup([server.address]) })
    const hanging = Array.from({ length: 16 }, (_, index) =>
      failureOf(egress.request(get(`https://hangs-${index}.example/`))),
    )
    await server.asked(32)
    assert.ok((await readFile(import.meta.filename)).length > 0)
    assert.deepEqual(await dns.promises.lookup('127.0.0.1'), { address: '127.0.0.1', family: 4 })
    for (const question of server.questions) question.answer([], noSuchName)
    assert.deepEqual(
      await Promise.all(hanging),
      hanging.map(() => ['network', false]),
    )
    await egress.close()
  })

  it('count with all addresses of both families, of which one bad one is enough to refuse', async () => {
    const loopback = [...Array.from({ length: 15 }, () => 0), 1]
    await using server = await startNameServer((question) =>
      question.answer(
        question.type === typeA
          ? [
              [93, 184, 216, 34],
              [93, 184, 216, 35],
            ]
          : [loopback],
      ),
    )
    const lookup = dnsLookup([server.address])
    assert.deepEqual(await lookup('two.example'), ['93.184.216.34', '93.184.216.35', '::1'])
    assert.deepEqual(new Set(server.questions.map(({ type }) => type)), new Set([typeA, typeAaaa]))
    const egress = createEgress({ allowedPrivateHosts: [], lookup })
    assert.deepEqual(await failureOf(egress.request(get('https://two.example/'))), ['refused', false])
    await egress.close()
  })

  it('may lack one family, also where the server fails for it', async () => {
    for (const code of [noError, serverFailure]) {
      await using server = await startNameServer((question) =>
        question.type === typeA ? question.answer([[93, 184, 216, 34]]) : question.answer([], code),
      )
      assert.deepEqual(await dnsLookup([server.address])('old.example'), ['93.184.216.34'])
    }
  })

  for (const [name, code] of Object.entries({
    'does not exist': noSuchName,
    'has no address': noError,
    fails: serverFailure,
  })) {
    it(`are a matter of the network when the lookup says that one ${name}`, async () => {
      await using server = await startNameServer((question) => question.answer([], code))
      const egress = createEgress({ allowedPrivateHosts: [], lookup: dnsLookup([server.address]) })
      assert.deepEqual(await failureOf(egress.request(get('https://none.example/'))), ['network', false])
      await egress.close()
    })
  }

  it('go to the system, hosts file included, for listed hosts alone', async (t) => {
    const system = t.mock.method(dns.promises, 'lookup')
    const egress = createEgress({ allowedPrivateHosts: ['localhost:1'] })
    assert.deepEqual(await failureOf(egress.request(get('http://localhost:1/'))), ['network', false])
    assert.equal(system.mock.callCount(), 1)
    for (const name of ['localhost:2', 'localhost.', 'a.LocalHost']) {
      assert.deepEqual(await failureOf(egress.request(get(`https://${name}/`))), ['refused', false])
    }
    assert.equal(system.mock.callCount(), 1)
    await egress.close()
  })
})
