import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { loadCatalog } from '../../src/providers/registry.ts'

const made: string[] = []

const directoryWith = (files: Record<string, unknown>): string => {
  const directory = mkdtempSync(join(tmpdir(), 'catalog-'))
  made.push(directory)
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), JSON.stringify(content))
  return directory
}

after(() => {
  for (const directory of made) rmSync(directory, { recursive: true })
})

describe('loadCatalog', () => {
  it('finds entries by slug and lists them in order', () => {
    const directory = directoryWith({
      'b.json': { slug: 'b' },
      'a-x.json': { slug: 'a-x' },
      'a.json': { slug: 'a' },
      'readme.md': 1,
    })
    const catalog = loadCatalog(directory)
    assert.deepEqual(
      catalog.list().map((definition) => definition.slug),
      ['a', 'a-x', 'b'],
    )
    assert.equal(catalog.get('b')?.slug, 'b')
  })

  it('knows nothing of slugs that are not there, whatever they are called', () => {
    const catalog = loadCatalog(directoryWith({ 'a.json': { slug: 'a' } }))
    for (const slug of ['b', '', 'constructor', '__proto__', '../a']) assert.equal(catalog.get(slug), undefined)
  })

  it('leaves the note for editors out of the definition', () => {
    const catalog = loadCatalog(directoryWith({ 'a.json': { $schema: '../provider.schema.json', slug: 'a' } }))
    assert.deepEqual(catalog.get('a'), { slug: 'a' })
  })

  it('refuses to start with a file that holds another slug', () => {
    assert.throws(() => loadCatalog(directoryWith({ 'a.json': { slug: 'b' } })), /a\.json holds the slug b/)
  })

  it('gives entries that nobody can change for the others', () => {
    const definition = loadCatalog().get('google')
    assert.ok(definition)
    assert.throws(() => Object.assign(definition, { token_url: 'https://evil.example' }), TypeError)
    assert.throws(() => definition.default_scopes.push('x'), TypeError)
  })
})
