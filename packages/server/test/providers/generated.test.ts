import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { providersPage, readLeftOut, renderProvidersPage } from '../../scripts/providers-docs.ts'
import { renderProviderSchema, schemaFile } from '../../scripts/providers-schema.ts'
import { loadCatalog } from '../../src/providers/registry.ts'

describe('generated files', () => {
  it('provider.schema.json says what the schema in the code says; else run scripts/providers-schema.ts', () => {
    assert.deepEqual(JSON.parse(readFileSync(schemaFile, 'utf8')), JSON.parse(renderProviderSchema()))
  })

  it('docs/providers.md lists what the catalogue holds; else run scripts/providers-docs.ts', () => {
    assert.equal(readFileSync(providersPage, 'utf8'), renderProvidersPage(loadCatalog().list(), readLeftOut()))
  })

  it('the page has a row for every entry', () => {
    const page = renderProvidersPage(loadCatalog().list(), readLeftOut())
    for (const { slug } of loadCatalog().list()) assert.ok(page.includes(`\n| \`${slug}\` | `), slug)
  })
})
