import assert from 'node:assert/strict'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { after, afterEach, describe, it } from 'node:test'
import { createEgress, StreamError, type Egress } from '../../src/oauth/egress.ts'
import type { BeginReply, ReplySink, StreamLimits } from '../../src/oauth/stream-request.ts'

const limits: StreamLimits = { headMs: 5_000, idleMs: 5_000, totalMs: 20_000, maxReplyBytes: 1_000_000 }
const servers: Server[] = []
const egresses: Egress[] = []
afterEach(async () => {
  for (const egress of egresses.splice(0)) await egress.close()
})
after(() => {
  for (const server of servers) server.close().closeAllConnections()
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A TCP server reports an address object.
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

function egressTo(hosts: readonly string[], poolLimits: Parameters<typeof createEgress>[0]['poolLimits'] = {}): Egress {
  const egress = createEgress({ allowedPrivateHosts: hosts, poolLimits })
  egresses.push(egress)
  return egress
}

/** Collects a reply; `slow` never asks for more. */
function collector(slow = false): { readonly begin: BeginReply; readonly text: () => string } {
  const pieces: Buffer[] = []
  const sink: ReplySink = {
    write(chunk) {
      pieces.push(chunk)
      return !slow
    },
    onDrain: () => {},
    end: () => {},
  }
  return { begin: () => sink, text: () => Buffer.concat(pieces).toString() }
}

interface Asked {
  readonly limits?: Partial<StreamLimits>
  readonly key?: string
  readonly tenant?: string
  readonly signal?: AbortSignal
  readonly body?: Buffer | Readable
  readonly path?: string
}

const ask = (egress: Egress, host: string, begin: BeginReply, asked: Asked = {}) =>
  egress.stream(
    {
      method: asked.body === undefined ? 'GET' : 'POST',
      url: `http://${host}${asked.path ?? '/'}`,
      headers: {},
      body: asked.body,
      bulkhead: { key: asked.key ?? 'ctx', tenant: asked.tenant ?? 'acme' },
      limits: { ...limits, ...asked.limits },
      signal: asked.signal ?? new AbortController().signal,
    },
    begin,
  )

const fails = async (work: Promise<unknown>, kind: StreamError['kind'], sent?: boolean): Promise<void> => {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof StreamError)
    assert.equal(error.kind, kind, error.message)
    if (sent !== undefined) assert.equal(error.sent, sent)
    return true
  })
}

describe('a stream', () => {
  it('ends when no head comes', async () => {
    const host = await serve(() => {})
    await fails(ask(egressTo([host]), host, collector().begin, { limits: { headMs: 50 } }), 'timeout', true)
  })

  it('ends when a body drips on for ever', async () => {
    const host = await serve((_request, response) => {
      const timer = setInterval(() => response.write('.'), 10)
      response.on('close', () => clearInterval(timer))
    })
    const { begin, text } = collector()
    await fails(ask(egressTo([host]), host, begin, { limits: { totalMs: 200 } }), 'timeout')
    assert.match(text(), /^\.+$/)
  })

  it('ends when its reader stops reading', async () => {
    const host = await serve((_request, response) => void response.end('x'.repeat(500_000)))
    await fails(ask(egressTo([host]), host, collector(true).begin, { limits: { idleMs: 100 } }), 'caller')
  })

  it('ends when its caller stops sending, and says whose fault it was', async () => {
    const host = await serve((request) => void request.resume())
    const body = new Readable({ read() {} })
    body.push('only this')
    await fails(ask(egressTo([host]), host, collector().begin, { body, limits: { headMs: 100 } }), 'caller')
    assert.ok(body.destroyed)
  })

  it('ends at its size, announced or not', async () => {
    const host = await serve((_request, response) => void response.end('x'.repeat(2_000)))
    await fails(ask(egressTo([host]), host, collector().begin, { limits: { maxReplyBytes: 1_000 } }), 'too_large')
  })

  it('ends for the provider too when its caller goes away', async () => {
    const closed = Promise.withResolvers<void>()
    const host = await serve((_request, response) => {
      response.write('x')
      response.on('close', () => closed.resolve())
    })
    const gone = new AbortController()
    const begin: BeginReply = () => {
      setImmediate(() => gone.abort())
      return { write: () => true, onDrain: () => {}, end: () => {} }
    }
    await fails(ask(egressTo([host]), host, begin, { signal: gone.signal }), 'caller')
    await closed.promise
  })

  it('says so when nothing was sent', async () => {
    const egress = egressTo(['127.0.0.1:9'])
    await fails(ask(egress, '127.0.0.1:9', collector().begin), 'network', false)
    await fails(ask(egress, '127.0.0.2:80', collector().begin), 'refused', false)
  })

  it('goes to the very text of its address, or nowhere', async () => {
    const seen: (string | undefined)[] = []
    const host = await serve((request, response) => {
      seen.push(request.url)
      response.end()
    })
    const egress = egressTo([host])
    await ask(egress, host, collector().begin, { path: "/a%2Fb?q='x'|[y]" })
    assert.deepEqual(seen, ["/a%2Fb?q='x'|[y]"])
    for (const path of ['', '/a b', '/a\\b', '/a#b', '/a\r\nx: y', '/é']) {
      await fails(ask(egress, host, collector().begin, { path }), 'refused', false)
    }
    assert.equal(seen.length, 1)
  })
})

describe('a bulkhead', () => {
  it('keeps a context that hangs from holding up another, even at the same provider', async () => {
    const host = await serve((request, response) => void (request.url === '/hang' || response.end('quick')))
    const egress = egressTo([host], { connections: 2, perPool: 4 })
    const gone = new AbortController()
    const hanging = Array.from({ length: 4 }, () =>
      ask(egress, host, collector().begin, { key: 'hangs', path: '/hang', signal: gone.signal }).catch(() => 'over'),
    )
    await fails(ask(egress, host, collector().begin, { key: 'hangs' }), 'busy', false)
    for (let round = 0; round < 20; round += 1) {
      const { begin, text } = collector()
      await ask(egress, host, begin, { key: 'works', limits: { headMs: 1_000 } })
      assert.equal(text(), 'quick')
    }
    gone.abort()
    assert.deepEqual(await Promise.all(hanging), ['over', 'over', 'over', 'over'])
    // The places are free again.
    await ask(egress, host, collector().begin, { key: 'hangs' })
  })

  it('bounds what one tenant and the process have under way', async () => {
    const host = await serve(() => {})
    const egress = egressTo([host], { perTenant: 2, perProcess: 3 })
    const gone = new AbortController()
    const hang = (tenant: string, key: string) =>
      ask(egress, host, collector().begin, { tenant, key, signal: gone.signal }).catch(() => 'over')
    const under = [hang('acme', 'a'), hang('acme', 'b')]
    await fails(ask(egress, host, collector().begin, { tenant: 'acme', key: 'c' }), 'busy')
    under.push(hang('globex', 'd'))
    await fails(ask(egress, host, collector().begin, { tenant: 'initech', key: 'e' }), 'busy')
    gone.abort()
    await Promise.all(under)
  })

  it('leaves others their connections, however many providers a tenant names', async () => {
    let connections = 0
    const host = await serve((request, response) => void (request.url === '/hang' || response.end('x')))
    servers.at(-1)?.on('connection', () => (connections += 1))
    const egress = egressTo([host], { pools: 4, poolsPerTenant: 2 })
    const once = (tenant: string, key: string) => ask(egress, host, collector().begin, { tenant, key })
    await once('globex', 'kept')
    for (let context = 0; context < 10; context += 1) await once('acme', `idle-${context}`)
    const before = connections
    await once('globex', 'kept')
    assert.equal(connections, before)

    const gone = new AbortController()
    const hanging = ['a', 'b'].map((key) =>
      ask(egress, host, collector().begin, { tenant: 'acme', key, path: '/hang', signal: gone.signal }).catch(() => 0),
    )
    await fails(once('acme', 'c'), 'busy', false)
    for (const key of ['kept', 'new']) assert.equal(await once('globex', key), 'passed')
    gone.abort()
    await Promise.all(hanging)
  })

  it('lets idle contexts make room for others', async () => {
    const host = await serve((_request, response) => void response.end('x'))
    const egress = egressTo([host], { pools: 2 })
    for (let context = 0; context < 10; context += 1) {
      assert.equal(await ask(egress, host, collector().begin, { key: `ctx-${context}` }), 'passed')
    }
  })
})
