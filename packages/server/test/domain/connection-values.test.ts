import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Problem } from '../../src/core/problem.ts'
import { tenantId } from '../../src/core/ids.ts'
import type { ProviderDefinition } from '../../src/core/provider-definition.ts'
import { secretAudience } from '../../src/domain/client-secret.ts'
import { connectionValues } from '../../src/domain/connection-values.ts'
import { InvalidFields } from '../../src/domain/invalid-fields.ts'
import { forConnection } from '../../src/domain/provider-client.ts'
import { understandValue } from '../../src/domain/understand-value.ts'
import { openVariables } from '../../src/providers/connection-variables.ts'
import { loadCatalog } from '../../src/providers/registry.ts'

const catalog = loadCatalog()
const open = catalog.list().flatMap((definition) => openVariables(definition, {}).map((name) => ({ definition, name })))

/** Written by hand: what a value may change is what stands before these, and nothing else. */
const domains: Readonly<Record<string, string>> = {
  'azure-blob-storage': 'blob.core.windows.net',
  battlenet: 'api.blizzard.com',
  'dynamics-365-sales': 'dynamics.com',
  egnyte: 'egnyte.com',
  'microsoft-dataverse': 'dynamics.com',
  nationbuilder: 'nationbuilder.com',
  netsuite: 'netsuite.com',
  pardot: 'salesforce.com',
  'sage-people': 'salesforce.com',
  salesforce: 'salesforce.com',
  shopify: 'myshopify.com',
  zendesk: 'zendesk.com',
}

const definitionOf = (slug: string): ProviderDefinition => {
  const definition = catalog.get(slug)
  assert.ok(definition !== undefined, slug)
  return definition
}

/** The connection's addresses, or `undefined` when the values are refused. */
function endpointsFor(definition: ProviderDefinition, given: Readonly<Record<string, string>>) {
  const app = {
    tenantId: tenantId('acme'),
    definition,
    clientId: 'client',
    clientSecret: undefined,
    audience: undefined,
    variables: {},
    scopes: undefined,
  }
  try {
    return forConnection(app, connectionValues(app, given, {})).client.endpoints
  } catch (error) {
    if (error instanceof InvalidFields || error instanceof Problem) return undefined
    throw error
  }
}

const piece = fc.oneof(
  fc.constantFrom(
    '.',
    '..',
    '/',
    '\\',
    '@',
    '#',
    '?',
    ':',
    '%2e',
    '%00',
    '%2f',
    '\u3002',
    '\u212a',
    'ｅ',
    '\u0000',
    '\n',
    ' ',
  ),
  fc.constantFrom(
    'evil.com',
    'evil',
    'acme',
    'ACME',
    'https://',
    'http://',
    '//',
    'javascript:',
    'localhost',
    '127.0.0.1',
  ),
  fc.constantFrom(...Object.values(domains), 'my.salesforce.com', 'login.salesforce.com', 'crm4', 'api'),
  fc.string({ maxLength: 8 }),
  fc.string({ unit: 'grapheme', maxLength: 4 }),
)
const text = fc.oneof(
  fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('')),
  fc.string({ maxLength: 310 }),
  fc.constantFrom('x'.repeat(63), 'x'.repeat(300), 'a-', '-a', 'xn--a', '{shop}', '__proto__'),
)

describe('whatever somebody enters', () => {
  it('leads no address out of the provider’s domain, in any entry of the catalogue', () => {
    let accepted = 0
    fc.assert(
      fc.property(fc.constantFrom(...open), text, ({ definition, name }, value) => {
        const endpoints = endpointsFor(definition, { [name]: value })
        if (endpoints === undefined) return
        accepted += 1
        const plain = endpointsFor(definition, { [name]: definition.url_variables?.[name]?.example ?? '' })
        assert.ok(plain !== undefined)
        const { authorizationUrl, tokenUrl, refreshUrl, userinfoUrl, revocationUrl, issuer, jwksUri } = endpoints
        for (const url of [authorizationUrl, tokenUrl, refreshUrl, userinfoUrl, revocationUrl, issuer, jwksUri]) {
          if (url !== undefined) assertAtProvider(definition, url)
        }
        if (!endpoints.apiBaseUrl?.includes('{') && endpoints.apiBaseUrl !== undefined) {
          assertAtProvider(definition, endpoints.apiBaseUrl)
        }
        // The path is the definition's own.
        assert.equal(new URL(tokenUrl).pathname, new URL(plain.tokenUrl).pathname)
      }),
      { numRuns: 5_000 },
    )
    assert.ok(accepted > 100, `only ${accepted} values were accepted, so little was tried`)
  })

  it('is understood as something that fits, or not at all', () => {
    fc.assert(
      fc.property(fc.constantFrom(...open), text, ({ definition, name }, value) => {
        const meant = understandValue(definition, name, value)
        if (meant === undefined) return
        assert.match(meant, new RegExp(definition.url_variables?.[name]?.pattern ?? ''))
        assert.equal(understandValue(definition, name, meant), meant)
      }),
      { numRuns: 2_000 },
    )
  })
})

/** The entries' addresses at fixed hosts, beside those with a variable. */
const fixedHosts = ['login.microsoftonline.com', 'graph.microsoft.com', 'oauth.battle.net', 'pi.pardot.com']

function assertAtProvider(definition: ProviderDefinition, address: string): void {
  const url = new URL(address)
  const domain = domains[definition.slug] ?? ''
  assert.equal(url.protocol, 'https:')
  assert.deepEqual([url.username, url.password, url.port, url.hash, url.search], ['', '', '', '', ''])
  assert.ok(url.hostname.endsWith(`.${domain}`) || fixedHosts.includes(url.hostname), address)
  assert.ok(address.startsWith(`https://${url.hostname}`), `${address} is not read as it is written`)
}

describe('a client secret', () => {
  it('is sealed for the one domain that all values keep, where the token endpoint has one', () => {
    const audiences = Object.keys(domains).map((slug) => [slug, secretAudience(definitionOf(slug), {})])
    assert.deepEqual(Object.fromEntries(audiences), {
      // The directory is part of the path, and what users name is the host of the API.
      'azure-blob-storage': 'https://login.microsoftonline.com',
      battlenet: 'https://oauth.battle.net',
      'dynamics-365-sales': 'https://login.microsoftonline.com',
      egnyte: 'https://*.egnyte.com',
      'microsoft-dataverse': 'https://login.microsoftonline.com',
      nationbuilder: 'https://*.nationbuilder.com',
      netsuite: 'https://*.suitetalk.api.netsuite.com',
      pardot: 'https://*.salesforce.com',
      'sage-people': 'https://*.salesforce.com',
      salesforce: 'https://*.salesforce.com',
      shopify: 'https://*.myshopify.com',
      zendesk: 'https://*.zendesk.com',
    })
  })

  it('of a fixed value, and of every other entry, is sealed for the same origin as before', () => {
    assert.equal(secretAudience(definitionOf('zendesk'), { subdomain: 'acme' }), 'https://acme.zendesk.com')
    assert.equal(secretAudience(definitionOf('okta'), { domain: 'acme.okta.com' }), 'https://acme.okta.com')
    assert.equal(secretAudience(definitionOf('okta'), {}), undefined)
    assert.equal(secretAudience(definitionOf('zoho'), {}), 'https://accounts.zoho.{dc}')
    assert.equal(secretAudience(definitionOf('clio'), {}), 'https://app.clio.com')
    assert.equal(secretAudience(definitionOf('github'), {}), 'https://github.com')
  })
})

describe('what was pasted', () => {
  for (const [slug, typed, meant] of [
    ['shopify', 'my-store', 'my-store.myshopify.com'],
    ['shopify', 'https://My-Store.myshopify.com/admin/products?x=1', 'my-store.myshopify.com'],
    ['shopify', 'my-store.myshopify.com/', 'my-store.myshopify.com'],
    ['shopify', 'evil.com', undefined],
    ['shopify', 'my-store.myshopify.com.evil.com', undefined],
    ['zendesk', 'https://acme.zendesk.com/agent/dashboard', 'acme'],
    ['zendesk', 'acme.zendesk.com', 'acme'],
    ['zendesk', 'zendesk.com', undefined],
    ['salesforce', 'https://Acme.my.salesforce.com', 'acme.my.salesforce.com'],
    // Production, sandbox, developer org: nobody can tell.
    ['salesforce', 'acme', undefined],
    ['netsuite', 'https://1234567-sb1.app.netsuite.com/app/center', '1234567-sb1'],
    ['dynamics-365-sales', 'https://acme.crm4.dynamics.com/main.aspx', 'acme.crm4'],
    ['egnyte', 'ACME', 'acme'],
    ['egnyte', 'one/two', undefined],
    ['egnyte', 'acme.egnyte.com:8443', undefined],
    ['egnyte', '\u212aelvin', undefined],
  ] as const) {
    it(`at ${slug}: ${JSON.stringify(typed)} means ${meant ?? 'nothing'}`, () => {
      const definition = definitionOf(slug)
      const name = openVariables(definition, {}).at(0) ?? ''
      assert.equal(understandValue(definition, name, typed), meant)
    })
  }
})
