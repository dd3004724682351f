import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { startTestService, type TestService } from '../support/service.ts'

const root = path.join(import.meta.dirname, '../../../..')
const files = readdirSync(path.join(root, 'docs')).filter((file) => file.endsWith('.md'))
const names = files.map((file) => (file === 'README.md' ? 'guides' : file.slice(0, -3)))

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service?.[Symbol.asyncDispose]())

const pageAt = async (address: string): Promise<string> => {
  const reply = await fetch(service.url + address)
  assert.equal(reply.status, 200, address)
  return reply.text()
}

describe('the guides', () => {
  it('are all served, each with the way to every other', async () => {
    assert.ok(names.length > 12)
    const contents = await pageAt('/docs/guides')
    for (const name of names) {
      const page = await pageAt(`/docs/${name}`)
      assert.match(page, /<h1 id="[^"]+">/, name)
      if (name === 'guides') continue
      assert.ok(contents.includes(`href="/docs/${name}"`), `docs/README.md does not list ${name}.md`)
      assert.ok(page.includes('aria-current="page"'), name)
    }
  })

  it('link to pages, headings and pictures that are there', async () => {
    const pages = new Map<string, string>()
    for (const name of names) pages.set(`/docs/${name}`, await pageAt(`/docs/${name}`))
    for (const [address, page] of pages) {
      for (const [, target = ''] of page.matchAll(/(?:href|src)="([^"]*)"/g)) {
        if (/^https?:|^data:/.test(target)) continue
        const { pathname, hash } = new URL(target, service.url + address)
        const there = pages.get(pathname) ?? (await pageAt(pathname))
        if (hash !== '' && hash !== '#content') assert.ok(there.includes(`id="${hash.slice(1)}"`), address + target)
        pages.set(pathname, there)
      }
    }
  })

  it('may load from this service alone, and are shown in no frame', async () => {
    const reply = await fetch(`${service.url}/docs/start`)
    const policy = reply.headers.get('content-security-policy') ?? ''
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.doesNotMatch(policy, /unsafe|https?:/)
    assert.doesNotMatch(
      await reply.text(),
      /<script(?! type="module" src="\/docs\/guides\.js"><\/script>)|<style|<!-- Gen/,
    )
  })

  it('are the files of docs/ and nothing else', async () => {
    for (const name of ['gone', '..%2f..%2fREADME', '..%2fREADME.md', 'images', 'start.md', 'images/..%2fstart.md']) {
      const reply = await fetch(`${service.url}/docs/${name}`)
      assert.equal(reply.status, 404, name)
      assert.equal(((await reply.json()) as { code: string }).code, 'not_found')
    }
  })

  it('come along in the image', () => {
    assert.match(readFileSync(path.join(root, 'Dockerfile'), 'utf8'), /^COPY docs docs$/m)
    assert.match(readFileSync(path.join(root, '.dockerignore'), 'utf8'), /^!docs$/m)
  })

  it('leave the reference where it was, one click away in both directions', async () => {
    const reference = await pageAt('/docs')
    assert.match(reference, /openapi\.json/)
    assert.match(reference, /<a href="\/docs\/guides">Guides<\/a>/)
    assert.match(await pageAt('/docs/guides'), /<a href="\/docs\/">API reference<\/a>/)
  })
})
