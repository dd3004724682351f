import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { startTestService, type TestService } from '../support/service.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service?.[Symbol.asyncDispose]())

/** As it comes over the wire; `fetch` unpacks by itself. */
function get(path: string, headers: Record<string, string> = {}) {
  return new Promise<{ status: number | undefined; headers: NodeJS.Dict<string | string[]>; body: Buffer }>(
    (resolve, reject) => {
      request(service.url + path, { headers }, (reply) => {
        buffer(reply).then((body) => resolve({ status: reply.statusCode, headers: reply.headers, body }), reject)
      })
        .on('error', reject)
        .end()
    },
  )
}

describe('the API reference', () => {
  it('is a page that runs its own scripts alone', async () => {
    const bare = await get('/docs')
    assert.deepEqual([bare.status, bare.headers['location']], [301, '/docs/'])
    const { status, headers, body } = await get('/docs/')
    assert.equal(status, 200)
    assert.equal(headers['content-type'], 'text/html; charset=utf-8')
    const policy = String(headers['content-security-policy'])
    const inline = [...body.toString().matchAll(/<script[^>]*>([^]*?)<\/script>/g)].flatMap(([, text = '']) =>
      text.trim() === '' ? [] : [`'sha256-${createHash('sha256').update(text).digest('base64')}'`],
    )
    assert.ok(inline.length > 0)
    const scripts = /script-src ([^;]*);/.exec(policy)?.[1]
    assert.equal(scripts, ["'self'", ...inline].join(' '))
    assert.match(body.toString(), /<script[^>]* src="js\/scalar\.js"/)
    assert.match(body.toString(), /aria-label="Guides"/)
  })

  it('sends its script packed to those who take it so, and the same as it is to others', async () => {
    const packed = await get('/docs/js/scalar.js', { 'accept-encoding': 'br, gzip' })
    const plain = await get('/docs/js/scalar.js')
    for (const { status, headers } of [packed, plain]) {
      assert.equal(status, 200)
      assert.equal(headers['content-type'], 'application/javascript; charset=utf-8')
      assert.equal(headers['vary'], 'accept-encoding')
    }
    assert.equal(packed.headers['content-encoding'], 'gzip')
    assert.equal(plain.headers['content-encoding'], undefined)
    assert.ok(plain.body.length > 1_000_000)
    assert.ok(packed.body.length < plain.body.length / 2)
    assert.ok(gunzipSync(packed.body).equals(plain.body))
  })
})
