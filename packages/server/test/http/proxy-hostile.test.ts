import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { bypasses } from '../oauth/bypasses.ts'
import { wptInputs } from '../oauth/wpt/inputs.ts'
import { proxiedConnector, proxiedToken, proxyPath } from '../support/proxied.ts'
import { startRawProvider, type RawProvider } from '../support/raw-provider.ts'
import { startTestService, type TestService } from '../support/service.ts'

let provider: RawProvider
/** A server that nothing leads to but the hostile provider's answers. */
let trap: RawProvider
let service: TestService
let id: string
before(async () => {
  provider = await startRawProvider()
  trap = await startRawProvider()
  service = await startTestService({ env: { ALLOWED_PRIVATE_HOSTS: `${provider.host},${trap.host}` } })
  id = await proxiedConnector(service, provider.origin)
})
after(async () => {
  await service[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
  await trap[Symbol.asyncDispose]()
})

const get = (path: string) => service.call('GET', proxyPath(id, path))
/** `POST` is never repeated, so one question is one request. */
const post = (path: string) => service.call('POST', proxyPath(id, path), { body: {} })
const says = (path: string, head: readonly string[], body: string | Buffer = '') =>
  provider.answer(
    `/api/v1${path}`,
    Buffer.concat([
      Buffer.from(['HTTP/1.1 200 OK', 'connection: close', ...head, '', ''].join('\r\n'), 'latin1'),
      Buffer.from(body),
    ]),
  )

/** Sends bytes as they are and answers what came back. */
function raw(text: string): Promise<string> {
  const { hostname, port } = new URL(service.url)
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect(Number(port), hostname, () => socket.write(text, 'latin1'))
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')))
    socket.on('error', () => resolve(answer)).on('close', () => resolve(answer))
  })
}

describe('a path that would leave the provider’s API', () => {
  it('reaches nothing at all, by whatever spelling', async () => {
    const token = await service.token()
    provider.answer('/api/v1/control', 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok')
    const ask = (path: string) =>
      raw(
        `GET ${proxyPath(id, path)} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\nconnection: close\r\n\r\n`,
      )
    assert.match(await ask('/control'), /^HTTP\/1\.1 200 /)
    const soFar = provider.asked.length
    // On the wire a line break ends the line and a question mark the path: another path, and a good one.
    for (const path of bypasses.filter((text) => !/[\r\n?]/.test(text))) {
      const answer = await ask(path)
      // Some are no request any more by the time they are on the wire; none is a success.
      assert.doesNotMatch(answer, /^HTTP\/1\.1 2/, JSON.stringify(path))
    }
    assert.deepEqual(provider.asked.slice(soFar), [])
    assert.deepEqual(trap.asked, [])
  })

  it('reaches nothing outside the API by any text of the web platform’s URL test data', async () => {
    const token = await service.token()
    const soFar = provider.asked.length
    // As bytes of the request line; a line break would end it.
    const paths = wptInputs.map((input) =>
      Buffer.from(`/${input.replaceAll(/[\r\n]/g, '')}`, 'utf8').toString('latin1'),
    )
    for (let next = 0; next < paths.length; next += 16) {
      await Promise.all(
        paths
          .slice(next, next + 16)
          .map((path) =>
            raw(
              `GET ${proxyPath(id, path)} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\nconnection: close\r\n\r\n`,
            ),
          ),
      )
    }
    const reached = provider.asked.slice(soFar)
    assert.ok(reached.length > 100, `${reached.length} reached the provider, too few to show anything`)
    for (const line of reached) {
      const [, target = ''] = /^GET (\S+) HTTP\/1\.1$/.exec(line) ?? []
      const url = new URL(target, provider.origin)
      assert.equal(url.origin, provider.origin, line)
      assert.ok(url.pathname.startsWith('/api/v1/'), line)
    }
    assert.deepEqual(trap.asked, [])
  })

  it('is not found in the request line’s host, the Host header or forwarding headers', async () => {
    const token = await service.token()
    const soFar = provider.asked.length
    const rest = `host: ${trap.host}\r\nx-forwarded-host: ${trap.host}\r\nforwarded: host=${trap.host}\r\nx-original-url: /admin\r\nauthorization: Bearer ${token}\r\nconnection: close\r\n\r\n`
    await raw(`GET ${trap.origin}${proxyPath(id, '/control')} HTTP/1.1\r\n${rest}`)
    await raw(`GET ${proxyPath(id, '/control')} HTTP/1.1\r\n${rest}`)
    for (const line of provider.asked.slice(soFar)) assert.equal(line, 'GET /api/v1/control HTTP/1.1')
    assert.deepEqual(trap.asked, [])
  })
})

describe('a hostile provider', () => {
  it('sends nobody anywhere by a redirect', async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      const location = `${trap.origin}/steal`
      provider.answer(
        '/api/v1/away',
        `HTTP/1.1 ${status} Away\r\nlocation: ${location}\r\nrefresh: 0; url=${location}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`,
      )
      const reply = await get('/away')
      assert.equal(reply.status, status)
      assert.equal(reply.headers.get('location'), location)
      assert.equal(reply.headers.get('refresh'), null)
    }
    assert.deepEqual(trap.asked, [])
  })

  it('gets no token out by echoing it', async () => {
    const text = `before ${proxiedToken} after ${proxiedToken}${proxiedToken} ${proxiedToken.slice(0, -1)}`
    const head = [`location: /x?t=${proxiedToken}`, `x-echo: Bearer ${proxiedToken}`, 'x-other: kept']
    says('/echo', [...head, `content-length: ${text.length}`], text)
    const reply = await get('/echo')
    const body = await reply.text()
    assert.equal(body, text.replaceAll(proxiedToken, '*'.repeat(proxiedToken.length)))
    assert.equal(reply.headers.get('x-other'), 'kept')
    assert.ok(!JSON.stringify([...reply.headers]).includes(proxiedToken))
  })

  it('gets no token out in pieces', async () => {
    provider.answer('/api/v1/pieces', (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n')
      const pieces = Array.from(`x${proxiedToken}y`)
      const next = (): void => {
        const piece = pieces.shift()
        if (piece === undefined) return void socket.end('0\r\n\r\n')
        socket.write(`1\r\n${piece}\r\n`, () => setImmediate(next))
      }
      next()
    })
    assert.equal(await (await get('/pieces')).text(), `x${'*'.repeat(proxiedToken.length)}y`)
  })

  it('speaks for itself, not for our origin', async () => {
    const head = [
      'set-cookie: session=evil; Path=/',
      'strict-transport-security: max-age=0',
      "content-security-policy: default-src *; script-src 'unsafe-inline'",
      'access-control-allow-origin: *',
      'access-control-allow-credentials: true',
      'clear-site-data: "*"',
      'alt-svc: h3=":443"',
      'service-worker-allowed: /',
      'www-authenticate: Basic realm="Sign in"',
      'x-connector-error: provider_unavailable',
      'x-request-id: theirs',
      'cache-control: public, max-age=31536000',
      'connection: x-hop',
      'x-hop: 1',
      'proxy-authenticate: Basic',
      'content-type: text/html; charset=utf-8',
      'content-disposition: inline; filename="a.html"',
      'content-length: 25',
    ]
    says('/page', head, '<script>alert(1)</script>')
    const { headers } = await get('/page')
    for (const name of [
      'set-cookie',
      'access-control-allow-credentials',
      'access-control-allow-origin',
      'clear-site-data',
      'alt-svc',
      'service-worker-allowed',
      'www-authenticate',
      'x-connector-error',
      'x-hop',
      'proxy-authenticate',
      'strict-transport-security',
    ]) {
      assert.equal(headers.get(name), null, name)
    }
    assert.equal(headers.get('content-type'), 'application/octet-stream')
    assert.equal(headers.get('x-provider-content-type'), 'text/html; charset=utf-8')
    assert.equal(headers.get('content-disposition'), 'attachment; filename="a.html"')
    assert.equal(headers.get('content-security-policy'), "sandbox; default-src 'none'; frame-ancestors 'none'")
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.notEqual(headers.get('x-request-id'), 'theirs')
  })

  it('cannot have its content taken for a page by naming several types', async () => {
    for (const types of [
      ['content-type: text/plain', 'content-type: text/html'],
      ['content-type: text/plain, text/html'],
    ]) {
      says('/types', [...types, 'content-length: 2'], 'ok')
      const answer = await raw(
        `GET ${proxyPath(id, '/types')} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${await service.token()}\r\nconnection: close\r\n\r\n`,
      )
      assert.deepEqual(answer.match(/^content-type:.*$/gim), ['content-type: application/octet-stream'])
      assert.match(answer, /^x-provider-content-type: text\/plain, text\/html\r$/im)
    }
    says('/types', ['content-type: text/plain', 'content-type: text/plain', 'content-length: 2'], 'ok')
    assert.equal((await get('/types')).headers.get('content-type'), 'text/plain')
  })

  it('is shown nothing of the caller but what the call is about', async () => {
    let head = ''
    provider.answer('/api/v1/look', (socket, given) => {
      head = given.toLowerCase()
      socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
    })
    const token = await service.token()
    const answer = await raw(
      [
        `GET ${proxyPath(id, '/look')} HTTP/1.1`,
        'host: localhost',
        `authorization: Bearer ${token}`,
        'cookie: session=mine',
        'origin: https://app.example',
        'referer: https://app.example/secret',
        'sec-fetch-mode: cors',
        'x-forwarded-for: 192.0.2.1',
        'x_forwarded_for: 192.0.2.1',
        'forwarded: for=192.0.2.1',
        'via: 1.1 x',
        'x-real-ip: 192.0.2.1',
        'te: trailers',
        'proxy-authorization: Basic eDp5',
        'connection: close, x-named',
        'x-named: 1',
        'x-github-api-version: 2022-11-28',
        'accept: application/json',
        '',
        '',
      ].join('\r\n'),
    )
    assert.match(answer, /^HTTP\/1\.1 200 /)
    const names = head
      .split('\r\n')
      .slice(1)
      .map((line) => line.split(':', 1)[0] ?? '')
      .toSorted()
    assert.deepEqual(names, [
      'accept',
      'accept-encoding',
      'authorization',
      'connection',
      'host',
      'user-agent',
      'x-github-api-version',
    ])
    assert.ok(head.includes(`authorization: bearer ${proxiedToken.toLowerCase()}`))
    assert.ok(!head.includes(token.toLowerCase()))
  })

  it('makes nothing of a gzip bomb but the bytes it sent', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
    says('/bomb', ['content-encoding: gzip', `content-length: ${bomb.length}`], bomb)
    const answer = await raw(
      `GET ${proxyPath(id, '/bomb')} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${await service.token()}\r\nconnection: close\r\n\r\n`,
    )
    assert.match(answer, /content-encoding: gzip/i)
    assert.ok(answer.length < bomb.length + 2_000)
  })

  const broken: readonly (readonly [what: string, answer: string, code: string])[] = [
    ['no HTTP', 'SSH-2.0-OpenSSH_9.9\r\n', 'provider_unavailable'],
    ['nothing', '', 'provider_unavailable'],
    ['a huge head', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}\r\n\r\n`, 'provider_error'],
    ['endless small headers', `HTTP/1.1 200 OK\r\n${'x: yyyyyyyy\r\n'.repeat(9_000)}\r\n`, 'provider_error'],
    ['a flood of interim replies', 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'.repeat(50), 'provider_unavailable'],
    [
      'a switch of protocols',
      'HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
      'provider_unavailable',
    ],
    [
      'length and chunks at once',
      'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      'provider_unavailable',
    ],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!', 'provider_unavailable'],
    ['a NUL in a header', 'HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 0\r\n\r\n', 'provider_unavailable'],
    ['a header without a colon', 'HTTP/1.1 200 OK\r\nnonsense\r\ncontent-length: 0\r\n\r\n', 'provider_unavailable'],
  ]
  for (const [what, answer, code] of broken) {
    it(`breaks nothing by ${what}`, async () => {
      provider.answer('/api/v1/broken', answer)
      const reply = await post('/broken')
      assert.equal(reply.headers.get('x-connector-error'), code, await reply.text())
      assert.ok(reply.status >= 500)
    })
  }

  it('cannot pass a broken body off as a whole one', async () => {
    says('/short', ['content-length: 100'], 'ten bytes.')
    await assert.rejects(async () => (await post('/short')).text())
    provider.answer('/api/v1/short', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n')
    await assert.rejects(async () => (await post('/short')).text())
  })

  it('gets no second answer in behind the first', async () => {
    const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n'
    provider.answer(
      '/api/v1/twice',
      (socket) => void socket.write(`${answer}okHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil`),
    )
    provider.answer('/api/v1/once', (socket) => void socket.write(`${answer}me`))
    assert.equal(await (await get('/twice')).text(), 'ok')
    for (let round = 0; round < 5; round += 1) assert.equal(await (await get('/once')).text(), 'me')
  })

  it('leaves the service as it was', async () => {
    assert.equal((await get('/control')).status, 200)
    assert.ok(!service.logs.some((line) => line.includes(proxiedToken)))
  })
})
