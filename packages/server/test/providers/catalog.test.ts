import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { readLeftOut } from '../../scripts/providers-docs.ts'
import { isAllowedValue, resolveEndpoints } from '../../src/oauth/endpoints.ts'
import { checkCatalog } from '../../src/providers/check-catalog.ts'
import { checkDefinition } from '../../src/providers/check-definition.ts'
import { openVariables } from '../../src/providers/connection-variables.ts'
import { loadCatalog } from '../../src/providers/registry.ts'

const providers = join(import.meta.dirname, '../../src/providers')
const files = readdirSync(join(providers, 'catalog'))
const catalog = loadCatalog()

const checkedByHand = [
  'asana',
  'atlassian',
  'box',
  'discord',
  'dropbox',
  'github',
  'gitlab',
  'google',
  'hubspot',
  'linear',
  'microsoft',
  'notion',
  'salesforce',
  'slack',
  'zoom',
]

describe('the provider catalogue', () => {
  it('holds no entry that breaks a rule', () => {
    const problems = catalog
      .list()
      .flatMap((definition) => checkDefinition(definition).map((problem) => ({ slug: definition.slug, ...problem })))
    assert.deepEqual(problems, [])
  })

  it('holds no two entries that could be taken for each other', () => {
    const entries = catalog.list().map((definition) => ({ name: definition.slug, definition }))
    assert.deepEqual(checkCatalog(entries), [])
  })

  it('does not shrink', () => {
    assert.ok(catalog.list().length >= 319, `only ${catalog.list().length} entries are left`)
  })

  it('names the schema first in every file, so that editors check it', () => {
    for (const file of files) {
      const text = readFileSync(join(providers, 'catalog', file), 'utf8')
      assert.match(text, /^\{\n {2}"\$schema": "\.\.\/provider\.schema\.json",\n {2}"slug": /, file)
    }
  })

  it('explains every URL variable, with an example that fits and leads to addresses', () => {
    const explained = catalog.list().filter((definition) => definition.url_variables !== undefined)
    assert.ok(explained.length >= 60, `only ${explained.length} entries have variables`)
    for (const definition of explained) {
      const examples: Record<string, string> = {}
      for (const [name, variable] of Object.entries(definition.url_variables ?? {})) {
        const where = `${definition.slug}: ${name}`
        assert.match(variable.title ?? '', /^[A-Z][A-Za-z0-9 -]{1,30}$/, where)
        assert.ok(variable.example !== undefined && isAllowedValue(definition, name, variable.example), where)
        examples[name] = variable.example
      }
      const resolved = resolveEndpoints(definition, examples)
      assert(resolved.kind === 'resolved', `${definition.slug}: ${JSON.stringify(resolved)}`)
      const { authorizationUrl, tokenUrl, refreshUrl, userinfoUrl, revocationUrl } = resolved.endpoints
      for (const url of [authorizationUrl, tokenUrl, refreshUrl, userinfoUrl, revocationUrl]) {
        assert.ok(url === undefined || new URL(url).protocol === 'https:', `${definition.slug}: ${url}`)
        assert.ok(!url?.replaceAll('{client_id}', '').includes('{'), `${definition.slug}: ${url}`)
      }
    }
  })

  it('lets those who connect fill in what one client of the provider serves, and nothing else', () => {
    const open = catalog.list().flatMap((d) => openVariables(d, {}).map((name) => `${d.slug} ${name}`))
    assert.deepEqual(open, [
      'azure-blob-storage account',
      'battlenet region',
      'dynamics-365-sales org',
      'egnyte subdomain',
      'microsoft-dataverse org',
      'nationbuilder account_id',
      'netsuite account_id',
      'pardot login_host',
      'sage-people login_host',
      'salesforce login_host',
      'shopify shop',
      'zendesk subdomain',
    ])
  })

  it('leaves out what it says it leaves out, each with a reason', () => {
    const leftOut = readLeftOut()
    for (const [slug, reason] of Object.entries(leftOut)) {
      assert.equal(catalog.get(slug), undefined, slug)
      assert.match(reason, /^[A-Z].*\.$/, slug)
    }
    assert.ok(Object.keys(leftOut).length > 0)
  })

  it('never puts a token into an address', () => {
    for (const definition of catalog.list()) {
      assert.doesNotMatch(
        JSON.stringify(definition),
        /\{(?:access_token|refresh_token|client_secret)\}/,
        definition.slug,
      )
    }
  })

  it('switches PKCE off only by a word in the reviewed entry', () => {
    const without = catalog.list().filter((definition) => definition.pkce === 'none')
    assert.ok(without.length < catalog.list().length / 3, `${without.length} entries go without PKCE`)
    assert.equal(catalog.get('google')?.pkce, undefined)
  })
})

describe('the entries checked by hand', () => {
  for (const slug of checkedByHand) {
    it(`${slug} offers scopes in plain words, knows its accounts and carries its date`, () => {
      const definition = catalog.get(slug)
      assert.ok(definition)
      assert.equal(definition.checked_on, '2026-11-23')
      const scopes = definition.scopes ?? []
      assert.ok(scopes.length >= 6 && scopes.length <= 25, `${scopes.length} scopes`)
      for (const scope of scopes) assert.match(scope.description, /^[A-Z].{5,}$/, scope.name)
      assert.ok(definition.account)
      assert.ok(definition.docs_url)
    })

    it(`${slug} asks by default only for scopes it describes`, () => {
      const definition = catalog.get(slug)
      assert.ok(definition)
      const described = new Set(definition.scopes?.map((scope) => scope.name))
      assert.deepEqual(
        definition.default_scopes.filter((scope) => !described.has(scope)),
        [],
      )
    })
  }

  it('can be told apart from the rest', () => {
    const dated = catalog.list().filter((definition) => definition.checked_on !== undefined)
    assert.deepEqual(
      dated.map((definition) => definition.slug),
      checkedByHand,
    )
  })
})
