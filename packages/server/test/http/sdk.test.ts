import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startTestService, type TestService } from '../support/service.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service?.[Symbol.asyncDispose]())

describe('GET /sdk/connector-oauth.js', () => {
  it('hands the browser package to a page of any origin, as one module, without a token', async () => {
    const reply = await fetch(`${service.url}/sdk/connector-oauth.js`, {
      headers: { origin: 'https://app.example.com' },
    })
    assert.equal(reply.status, 200)
    assert.equal(reply.headers.get('content-type'), 'text/javascript; charset=utf-8')
    assert.equal(reply.headers.get('access-control-allow-origin'), '*')
    assert.equal(reply.headers.get('access-control-allow-credentials'), null)
    assert.equal(reply.headers.get('cross-origin-resource-policy'), 'cross-origin')
    assert.equal(reply.headers.get('x-content-type-options'), 'nosniff')
    const code = await reply.text()
    assert.doesNotMatch(code, /\bimport\b/)
    const module = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as object
    assert.deepEqual(Object.keys(module).toSorted(), [
      'ConnectError',
      'connect',
      'connectByRedirect',
      'createConnectLink',
      'finishConnect',
      'resumeConnect',
    ])
  })

  it('says that it is the same to a browser that has it', async () => {
    const first = await fetch(`${service.url}/sdk/connector-oauth.js`)
    await first.body?.cancel()
    const etag = first.headers.get('etag') ?? ''
    assert.match(etag, /^"[\w-]{43}"$/)
    assert.equal(first.headers.get('cache-control'), 'public, max-age=300')
    const again = await fetch(`${service.url}/sdk/connector-oauth.js`, { headers: { 'if-none-match': etag } })
    assert.deepEqual([again.status, await again.text()], [304, ''])
  })
})
