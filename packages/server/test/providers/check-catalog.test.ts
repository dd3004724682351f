import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ProviderDefinition } from '../../src/core/provider-definition.ts'
import { checkCatalog, type CatalogFile } from '../../src/providers/check-catalog.ts'

const entry = (slug: string, more: Partial<ProviderDefinition> = {}): CatalogFile => ({
  name: slug,
  definition: {
    slug,
    display_name: slug,
    categories: [],
    authorization_url: 'https://acme.example/authorize',
    token_url: 'https://acme.example/token',
    default_scopes: [],
    ...more,
  },
})

const paths = (files: readonly CatalogFile[]) => checkCatalog(files).map(({ slug, path }) => [slug, ...path])

describe('checkCatalog', () => {
  it('finds nothing wrong with entries that stand apart', () => {
    assert.deepEqual(checkCatalog([entry('one'), entry('two', { variant_of: 'one' })]), [])
  })

  it('catches a file named for another slug', () => {
    assert.deepEqual(paths([{ ...entry('one'), name: 'two' }]), [['one', 'slug']])
  })

  it('catches a slug used twice', () => {
    const twin = entry('one', { display_name: 'Twin' })
    assert.deepEqual(paths([entry('one'), twin]), [['one', 'slug']])
  })

  it('catches names that look alike', () => {
    const files = [entry('one', { display_name: 'Acme CRM' }), entry('two', { display_name: 'acme-crm' })]
    assert.deepEqual(paths(files), [['two', 'display_name']])
  })

  it('catches a variant of nothing', () => {
    assert.deepEqual(paths([entry('one', { variant_of: 'none' })]), [['one', 'variant_of']])
  })

  it('catches a variant of a variant', () => {
    const files = [entry('one'), entry('two', { variant_of: 'one' }), entry('three', { variant_of: 'two' })]
    assert.deepEqual(paths(files), [['three', 'variant_of']])
  })

  it('catches an issuer without keys', () => {
    assert.deepEqual(paths([entry('one', { issuer: 'https://acme.example' })]), [['one', 'jwks_uri']])
  })
})
