import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { createEgress, EgressError, type Egress, type EgressRequest } from '../../src/oauth/egress.ts'
import { startHostileProvider } from '../support/hostile-provider.ts'

async function refusalOf(work: Promise<unknown>): Promise<EgressError> {
  try {
    await work
  } catch (error) {
    assert(error instanceof EgressError, String(error))
    return error
  }
  return assert.fail('expected an EgressError')
}

const get = (url: string, more: Partial<EgressRequest> = {}): EgressRequest => ({ method: 'GET', url, ...more })

/** No request may leave: any name resolves to where the hostile server listens. */
function closedEgress(): Egress {
  return createEgress({ allowedPrivateHosts: [], lookup: async () => ['127.0.0.1'] })
}

describe('addresses that are never reached', () => {
  const literals = [
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
    '017700000001',
    '127.0.0.1.',
    '１２７.0.0.1',
    '0.0.0.0',
    '0',
    '10.0.0.1',
    '172.16.5.4',
    '192.168.1.1',
    '100.64.0.1',
    '100.100.100.200',
    '169.254.169.254',
    '169.254.170.2',
    '168.63.129.16',
    '192.0.0.192',
    '192.0.2.1',
    '192.88.99.1',
    '198.18.0.1',
    '198.51.100.7',
    '203.0.113.7',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '[::]',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[::127.0.0.1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::ffff:8.8.8.8]',
    '[::ffff:0:127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
    '[64:ff9b::8.8.8.8]',
    '[64:ff9b:1::1]',
    '[2002:7f00:1::]',
    '[2002:808:808::]',
    '[2001::1]',
    '[2001:db8::1]',
    '[3fff::1]',
    '[100::1]',
    '[fc00::1]',
    '[fd00:ec2::254]',
    '[fe80::1]',
    '[fec0::1]',
    '[ff02::1]',
    '[4000::1]',
    '[5f00::1]',
  ]
  for (const host of literals) {
    it(`refuses https://${host}/ before connecting`, async () => {
      const egress = closedEgress()
      const error = await refusalOf(egress.request(get(`https://${host}/`)))
      assert.deepEqual([error.kind, error.sent], ['refused', false])
      assert.throws(() => egress.assertAllowed(`https://${host}/`), EgressError)
      await egress.close()
    })
  }

  for (const url of [
    'http://example.com/',
    'ftp://example.com/',
    'file:///etc/passwd',
    'data:text/plain,x',
    'gopher://example.com/',
    'https://user@example.com/',
    'https://user:pass@example.com/',
    'https://',
    '//example.com/',
    'not a url',
  ]) {
    it(`refuses ${url}`, async () => {
      const egress = closedEgress()
      assert.equal((await refusalOf(egress.request(get(url)))).kind, 'refused')
      // Where the request test could be saved by the lookup, this one cannot.
      assert.throws(() => egress.assertAllowed(url), EgressError)
      await egress.close()
    })
  }

  const answers: readonly (readonly string[])[] = [
    ['127.0.0.1'],
    ['93.184.216.34', '127.0.0.1'],
    ['93.184.216.34', '10.0.0.1'],
    ['2606:2800:220:1::1', '::1'],
    ['::ffff:127.0.0.1'],
    ['64:ff9b::7f00:1'],
    ['169.254.169.254'],
    ['fd00:ec2::254'],
    ['fe80::1%eth0'],
    ['not-an-address'],
  ]
  for (const addresses of answers) {
    it(`refuses a name that resolves to ${addresses.join(' and ')}`, async () => {
      const egress = createEgress({ allowedPrivateHosts: [], lookup: async () => addresses })
      const error = await refusalOf(egress.request(get('https://provider.example/token')))
      assert.deepEqual([error.kind, error.sent], ['refused', false])
      await egress.close()
    })
  }

  it('refuses localhost by the name the system resolves', async () => {
    const egress = createEgress({ allowedPrivateHosts: [] })
    assert.equal((await refusalOf(egress.request(get('https://localhost/')))).kind, 'refused')
    await egress.close()
  })

  it('never opens a metadata address, also for a listed host', async () => {
    const metadata = [
      '169.254.169.254',
      'fd00:ec2::254',
      '::ffff:169.254.169.254',
      '64:ff9b::a9fe:a9fe',
      '2002:a9fe:a9fe::',
    ]
    for (const address of metadata) {
      const egress = createEgress({ allowedPrivateHosts: ['listed.example:80'], lookup: async () => [address] })
      assert.equal((await refusalOf(egress.request(get('http://listed.example/')))).kind, 'refused', address)
      await egress.close()
    }
    const egress = createEgress({ allowedPrivateHosts: ['169.254.169.254:80', '[fd00:ec2::254]:80'] })
    assert.throws(() => egress.assertAllowed('http://169.254.169.254/latest/meta-data/'), EgressError)
    assert.throws(() => egress.assertAllowed('http://[fd00:ec2::254]/'), EgressError)
    await egress.close()
  })
})

describe('listed private hosts', () => {
  it('are reached by http at exactly the listed host and port', async () => {
    await using listed = await startHostileProvider()
    await using other = await startHostileProvider()
    listed.answer('/x', { text: 'here' })
    const egress = createEgress({ allowedPrivateHosts: [listed.host] })
    const reply = await egress.request(get(`${listed.origin}/x?y=1`))
    assert.deepEqual([reply.status, reply.body.toString()], [200, 'here'])
    assert.equal((await refusalOf(egress.request(get(`${other.origin}/x`)))).kind, 'refused')
    assert.equal(other.seen.length, 0)
    await egress.close()
  })

  it('do not open the same address under another name', async () => {
    await using provider = await startHostileProvider()
    const port = new URL(provider.origin).port
    const egress = createEgress({ allowedPrivateHosts: [provider.host], lookup: async () => ['127.0.0.1'] })
    assert.equal((await refusalOf(egress.request(get(`https://other.example:${port}/`)))).kind, 'refused')
    assert.equal(provider.seen.length, 0)
    await egress.close()
  })

  it('match without regard to case, and in brackets for IPv6', async () => {
    await using provider = await startHostileProvider('::1')
    provider.answer('/', { text: 'six' })
    const port = new URL(provider.origin).port
    const egress = createEgress({
      allowedPrivateHosts: [provider.host, `LocalHost:${port}`],
      lookup: async () => ['::1'],
    })
    assert.equal((await egress.request(get(`${provider.origin}/`))).body.toString(), 'six')
    assert.equal((await egress.request(get(`http://LOCALHOST:${port}/`))).body.toString(), 'six')
    await egress.close()
  })

  for (const entry of ['localhost', 'http://localhost:1', 'a@b:1', 'localhost:port', '']) {
    it(`must be host:port: "${entry}" is an error at start`, () => {
      assert.throws(() => createEgress({ allowedPrivateHosts: [entry] }), TypeError)
    })
  }
})

describe('name lookups', () => {
  it('connect to the address that was checked, so a second answer changes nothing', async () => {
    await using provider = await startHostileProvider()
    provider.answer('/', { text: 'first' })
    const port = new URL(provider.origin).port
    let lookups = 0
    const egress = createEgress({
      allowedPrivateHosts: [`rebinding.example:${port}`],
      lookup: async () => (++lookups === 1 ? ['127.0.0.1'] : ['169.254.169.254']),
    })
    assert.equal((await egress.request(get(`http://rebinding.example:${port}/`))).body.toString(), 'first')
    assert.equal(lookups, 1, 'one lookup serves the check and the connection')
    await egress.close()
  })

  it('judge the second answer when a new connection needs one', async () => {
    await using provider = await startHostileProvider()
    provider.answer('/', (response) => response.writeHead(200, { connection: 'close' }).end('once'))
    const port = new URL(provider.origin).port
    let lookups = 0
    const egress = createEgress({
      allowedPrivateHosts: [`rebinding.example:${port}`],
      lookup: async () => (++lookups === 1 ? ['127.0.0.1'] : ['169.254.169.254']),
    })
    await egress.request(get(`http://rebinding.example:${port}/`))
    const error = await refusalOf(egress.request(get(`http://rebinding.example:${port}/`)))
    assert.equal(error.kind, 'refused')
    assert.equal(provider.seen.length, 1)
    await egress.close()
  })

  it('try every checked address until one answers', async () => {
    await using provider = await startHostileProvider()
    provider.answer('/', { text: 'ok' })
    const port = new URL(provider.origin).port
    const egress = createEgress({
      allowedPrivateHosts: [`two.example:${port}`],
      lookup: async () => ['::1', '127.0.0.1'],
    })
    assert.equal((await egress.request(get(`http://two.example:${port}/`))).status, 200)
    await egress.close()
  })

  it('that fail, find nothing or never end are told apart from refusals', async () => {
    const failing = createEgress({
      allowedPrivateHosts: [],
      lookup: () => Promise.reject(new Error('SERVFAIL secret')),
    })
    const error = await refusalOf(failing.request(get('https://x.example/')))
    assert.deepEqual([error.kind, error.sent], ['network', false])
    assert.doesNotMatch(error.message, /secret/)
    const empty = createEgress({ allowedPrivateHosts: [], lookup: async () => [] })
    assert.equal((await refusalOf(empty.request(get('https://x.example/')))).kind, 'network')
    const stuck = createEgress({ allowedPrivateHosts: [], lookup: () => new Promise(() => {}) })
    const late = await refusalOf(stuck.request(get('https://x.example/', { deadlineMs: 30 })))
    assert.deepEqual([late.kind, late.sent], ['timeout', false])
    await Promise.all([failing.close(), empty.close()])
  })
})

describe('replies', () => {
  async function answered(
    answer: Parameters<Awaited<ReturnType<typeof startHostileProvider>>['answer']>[1],
    more: Partial<EgressRequest> = {},
  ) {
    await using provider = await startHostileProvider()
    provider.answer('/', answer)
    const egress = createEgress({ allowedPrivateHosts: [provider.host] })
    try {
      return await egress.request(get(`${provider.origin}/?secret=hush`, more))
    } finally {
      await egress.close()
    }
  }

  for (const status of [301, 302, 303, 307, 308]) {
    it(`with status ${status} are handed over and not followed`, async () => {
      await using inner = await startHostileProvider()
      const reply = await answered((response) =>
        response.writeHead(status, { location: `${inner.origin}/steal` }).end(),
      )
      assert.equal(reply.status, status)
      assert.equal(inner.seen.length, 0)
    })
  }

  it('of 64 MiB are cut off at the limit', async () => {
    let writtenBytes = 0
    const error = await refusalOf(
      answered((response) => {
        const chunk = Buffer.alloc(65_536, 'a')
        const push = (): void => {
          while (writtenBytes < 64 * 1024 * 1024 && !response.destroyed) {
            writtenBytes += chunk.length
            if (!response.write(chunk)) return void response.once('drain', push)
          }
          response.end()
        }
        push()
      }),
    )
    assert.deepEqual([error.kind, error.sent], ['too_large', true])
    assert(writtenBytes < 16 * 1024 * 1024, `${writtenBytes} bytes were taken`)
  })

  it('that announce more than the limit are not read at all', async () => {
    const error = await refusalOf(
      answered((response) => void response.writeHead(200, { 'content-length': '65537' }).write('a')),
    )
    assert.equal(error.kind, 'too_large')
  })

  it('exactly at the limit pass', async () => {
    assert.equal((await answered({ text: 'a'.repeat(65_536) })).body.length, 65_536)
    assert.equal((await answered({ text: 'abc' }, { maxBytes: 3 })).body.length, 3)
    assert.equal((await refusalOf(answered({ text: 'abcd' }, { maxBytes: 3 }))).kind, 'too_large')
  })

  it('that drip slower than the deadline are a timeout, however often a byte comes', async () => {
    const error = await refusalOf(
      answered(
        (response) => {
          const timer = setInterval(() => response.write(' '), 5)
          response.on('close', () => clearInterval(timer))
        },
        { deadlineMs: 120 },
      ),
    )
    assert.deepEqual([error.kind, error.sent], ['timeout', true])
  })

  it('that never come are a timeout of a request that was sent', async () => {
    const error = await refusalOf(answered(() => {}, { deadlineMs: 60 }))
    assert.deepEqual([error.kind, error.sent], ['timeout', true])
  })

  it('that break off are a network error of a request that was sent', async () => {
    const error = await refusalOf(answered((response) => response.destroy()))
    assert.deepEqual([error.kind, error.sent], ['network', true])
    const halfway = await refusalOf(
      answered((response) => {
        response.writeHead(200, { 'content-length': '10' })
        response.write('abc', () => response.destroy())
      }),
    )
    assert.deepEqual([halfway.kind, halfway.sent], ['network', true])
  })

  it('with a head beyond 16 KiB are too large', async () => {
    const error = await refusalOf(
      answered((response) => response.writeHead(200, { 'x-big': 'a'.repeat(20_000) }).end()),
    )
    assert.equal(error.kind, 'too_large')
  })

  it('that are compressed unasked are unpacked within the limit, and bombs refused', async () => {
    const gzip = { 'content-encoding': 'gzip' }
    assert.equal((await answered({ headers: gzip, text: gzipSync('hello') })).body.toString(), 'hello')
    const brotli = { 'content-encoding': 'br' }
    assert.equal((await answered({ headers: brotli, text: brotliCompressSync('hello') })).body.toString(), 'hello')
    const bomb = gzipSync(Buffer.alloc(32 * 1024 * 1024))
    assert.equal(bomb.length < 65_536, true)
    assert.equal((await refusalOf(answered({ headers: gzip, text: bomb }))).kind, 'too_large')
    const nested = { 'content-encoding': 'gzip, gzip' }
    assert.equal((await refusalOf(answered({ headers: nested, text: gzipSync(gzipSync('x')) }))).kind, 'too_large')
  })

  it('that are no HTTP are a network error', async () => {
    const server = createServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n\r\n'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    assert(typeof address === 'object' && address !== null)
    const egress = createEgress({ allowedPrivateHosts: [`127.0.0.1:${address.port}`] })
    const error = await refusalOf(egress.request(get(`http://127.0.0.1:${address.port}/`)))
    assert.deepEqual([error.kind, error.sent], ['network', true])
    await egress.close()
    server.close()
  })

  it('that fail leave no path, query or header in the error', async () => {
    const errors = [
      await refusalOf(answered((response) => response.destroy())),
      await refusalOf(answered(() => {}, { deadlineMs: 20 })),
      await refusalOf(answered({ text: 'abcd' }, { maxBytes: 3 })),
      await refusalOf(answered({ text: '' }, { headers: { authorization: 'hush\r\nx: y' } })),
      await refusalOf(closedEgress().request(get('https://127.0.0.1/p?secret=hush'))),
    ]
    for (const error of errors) {
      assert.doesNotMatch(`${error.message} ${error.stack ?? ''}`, /hush|secret/)
      assert.equal(error.cause, undefined)
    }
  })
})

describe('requests', () => {
  it('say who asks, ask for no compression, and keep framing headers to themselves', async () => {
    await using provider = await startHostileProvider()
    provider.answer('/', { text: '' })
    const egress = createEgress({ allowedPrivateHosts: [provider.host] })
    const headers = {
      Host: 'internal.example',
      'Transfer-Encoding': 'chunked',
      'Content-Length': '0',
      Connection: 'upgrade',
      Upgrade: 'websocket',
      'Proxy-Authorization': 'x',
      'Accept-Encoding': 'gzip',
      'X-Own': 'kept',
    }
    await egress.request({ method: 'POST', url: `${provider.origin}/`, headers, body: 'a=b' })
    const [seen] = provider.seen
    assert.equal(seen?.headers.host, provider.host)
    assert.equal(seen.headers['accept-encoding'], 'identity')
    assert.equal(seen.headers['user-agent'], 'connector-oauth')
    assert.equal(seen.headers['x-own'], 'kept')
    assert.equal(seen.headers['proxy-authorization'], undefined)
    assert.equal(seen.headers.upgrade, undefined)
    assert.equal(seen.body, 'a=b')
    await egress.close()
  })

  it('to a closed port were not sent', async () => {
    const provider = await startHostileProvider()
    await provider.close()
    const egress = createEgress({ allowedPrivateHosts: [provider.host] })
    const error = await refusalOf(egress.request({ method: 'POST', url: `${provider.origin}/`, body: 'x' }))
    assert.deepEqual([error.kind, error.sent], ['network', false])
    await egress.close()
  })

  it('whose deadline passes while they wait for a connection are never sent', async () => {
    await using provider = await startHostileProvider()
    let release = (_addresses: string[]): void => {}
    const egress = createEgress({
      allowedPrivateHosts: [`slow.example:${new URL(provider.origin).port}`],
      lookup: () => new Promise((resolve) => (release = resolve)),
    })
    const url = `http://slow.example:${new URL(provider.origin).port}/`
    const error = await refusalOf(egress.request({ method: 'POST', url, body: 'code', deadlineMs: 30 }))
    assert.deepEqual([error.kind, error.sent], ['timeout', false])
    release(['127.0.0.1'])
    await egress.close()
    assert.equal(provider.seen.length, 0)
  })
})

describe('the fetch adapter', () => {
  it('carries method, headers and body, and gives a Response', async () => {
    await using provider = await startHostileProvider()
    provider.answer('/', { status: 201, json: { ok: true } })
    provider.answer('/gone', { status: 204, text: '' })
    const egress = createEgress({ allowedPrivateHosts: [provider.host] })
    const reply = await egress.fetch(new URL(`${provider.origin}/`), {
      method: 'POST',
      headers: { 'content-type': 'text/x' },
      body: 'hello',
    })
    assert.deepEqual([reply.status, await reply.json()], [201, { ok: true }])
    assert.deepEqual([provider.seen[0]?.body, provider.seen[0]?.headers['content-type']], ['hello', 'text/x'])
    assert.equal((await egress.fetch(`${provider.origin}/gone`)).status, 204)
    await egress.close()
  })

  it('has the same guards', async () => {
    await using provider = await startHostileProvider()
    const egress = createEgress({ allowedPrivateHosts: [] })
    assert.equal((await refusalOf(egress.fetch(`${provider.origin}/`))).kind, 'refused')
    assert.equal((await refusalOf(egress.fetch('https://[::1]/'))).kind, 'refused')
    assert.equal(provider.seen.length, 0)
    await egress.close()
  })

  it('does not follow a redirect whatever it is told', async () => {
    await using provider = await startHostileProvider()
    provider.answer('/', (response) => response.writeHead(307, { location: '/steal' }).end())
    const egress = createEgress({ allowedPrivateHosts: [provider.host] })
    assert.equal((await egress.fetch(`${provider.origin}/`, { redirect: 'follow' })).status, 307)
    assert.equal(provider.seenAt('/steal').length, 0)
    await egress.close()
  })

  it('ends when its signal does', async () => {
    await using provider = await startHostileProvider()
    provider.answer('/', () => {})
    const egress = createEgress({ allowedPrivateHosts: [provider.host] })
    await assert.rejects(egress.fetch(`${provider.origin}/`, { signal: AbortSignal.timeout(20) }), /timeout/i)
  })
})
