import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { startTestService, type TestService } from '../../server/test/support/service.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service?.[Symbol.asyncDispose]())

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(service.url + path, { headers, redirect: 'manual' })

it('answers each page of the dashboard with the one document, under a policy without inline code', async () => {
  const document = await (await get('/')).text()
  for (const path of [
    '/',
    '/connectors',
    '/connectors/a/b/c',
    '/providers/google',
    '/webhooks/whk_1',
    '/audit?actor_id=ada',
  ]) {
    const reply = await get(path)
    assert.equal(reply.status, 200, path)
    assert.equal(await reply.text(), document)
    const policy = reply.headers.get('content-security-policy') ?? ''
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'; /)
    assert.doesNotMatch(policy, /unsafe|data:|\*/)
    assert.match(policy, /connect-src 'self'; .*frame-ancestors 'none'/)
    assert.equal(reply.headers.get('cross-origin-opener-policy'), 'same-origin-allow-popups')
    assert.equal(reply.headers.get('cache-control'), 'no-store')
  }
  assert.doesNotMatch(document, /<script(?! type="module" crossorigin src="\/assets\/)|<style|style=/)
})

it('serves hashed files for a year, and smaller to whoever takes gzip', async () => {
  const document = await (await get('/')).text()
  const files = [...document.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((match) => match[1] ?? '')
  assert.ok(files.length >= 3)
  for (const file of files) {
    const reply = await get(file, { 'accept-encoding': 'identity' })
    assert.equal(reply.status, 200, file)
    assert.match(reply.headers.get('cache-control') ?? '', /max-age=31536000, immutable/)
    const plain = await reply.text()
    const zipped = await get(file, { 'accept-encoding': 'gzip' })
    assert.equal(zipped.headers.get('content-encoding'), 'gzip')
    assert.equal(await zipped.text(), plain)
    assert.doesNotMatch(plain, /sourceMappingURL/)
  }
})

it('leaves what is no page of the dashboard to the API', async () => {
  for (const path of ['/v1/nothing', '/assets/nothing.js', '/nothing', '/api-proxy/v1/nothing', '/connect']) {
    const reply = await get(path, { accept: 'text/html' })
    assert.equal(reply.status, 404, path)
    assert.match(reply.headers.get('content-type') ?? '', /^application\/json/)
  }
})
