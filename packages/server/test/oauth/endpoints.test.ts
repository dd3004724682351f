import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ProviderDefinition } from '../../src/core/provider-definition.ts'
import { fillClientId, fillLater, resolveEndpoints } from '../../src/oauth/endpoints.ts'
import { definitionAt } from './fixtures.ts'

const shop = { description: 'shop', pattern: '^[a-z0-9-]+\\.shops\\.example$' }
const region = { description: 'region', pattern: '^(?:eu|us)$', default: 'us' }

function definition(more: Partial<ProviderDefinition>): ProviderDefinition {
  return definitionAt('https://provider.example', more)
}

describe('resolveEndpoints', () => {
  it('fills every address from the given values and the defaults', () => {
    const resolved = resolveEndpoints(
      definition({
        authorization_url: 'https://{shop}/{region}/authorize',
        token_url: 'https://{shop}/token',
        issuer: 'https://{shop}',
        jwks_uri: 'https://{shop}/jwks',
        userinfo_url: 'https://{region}.provider.example/me',
        url_variables: { shop, region },
      }),
      { shop: 'a.shops.example' },
    )
    assert.deepEqual(resolved, {
      kind: 'resolved',
      endpoints: {
        authorizationUrl: 'https://a.shops.example/us/authorize',
        tokenUrl: 'https://a.shops.example/token',
        refreshUrl: 'https://a.shops.example/token',
        userinfoUrl: 'https://us.provider.example/me',
        revocationUrl: undefined,
        issuer: 'https://a.shops.example',
        jwksUri: 'https://a.shops.example/jwks',
        apiBaseUrl: undefined,
        variables: { region: 'us', shop: 'a.shops.example' },
      },
    })
  })

  it('names what is missing and what does not fit', () => {
    const tested = definition({
      authorization_url: 'https://{shop}/{region}/{other}',
      url_variables: { shop, region },
    })
    const resolved = resolveEndpoints(tested, { region: 'mars' })
    assert(resolved.kind === 'incomplete')
    assert.deepEqual([resolved.missing, resolved.invalid], [['shop', 'other'], ['region']])
    assert.equal(resolved.endpoints.authorizationUrl, 'https://{shop}/mars/{other}')
  })

  for (const value of [
    'evil.example',
    'evil.example/.shops.example',
    'a.shops.example/../x',
    'user@a.shops.example',
    'a.shops.example#',
    'a.shops.example?x',
    'a.shops.example\n',
    'a b.shops.example',
    'A.SHOPS.EXAMPLE',
    '',
  ]) {
    it(`refuses ${JSON.stringify(value)} for a host variable`, () => {
      const tested = definition({ authorization_url: 'https://{shop}/a', url_variables: { shop } })
      assert.equal(resolveEndpoints(tested, { shop: value }).kind, 'incomplete')
    })
  }

  it('refuses characters that leave their place in a URL even where the pattern lets them pass', () => {
    const careless = { description: 'anything', pattern: '^.*$' }
    const tested = definition({ authorization_url: 'https://x.example/{any}/a', url_variables: { any: careless } })
    for (const any of ['a?b', 'a#b', 'a@b', 'a\\b', '..', 'a/../b', '%2e%2e', 'a b', 'ü', '{x}']) {
      assert.equal(resolveEndpoints(tested, { any }).kind, 'incomplete', any)
    }
    assert.equal(resolveEndpoints(tested, { any: 'a.b/c_d~e:f' }).kind, 'resolved')
  })

  it('checks the list of allowed values', () => {
    const limited = { description: 'x', pattern: '^[a-z]+$', allowed: ['one', 'two'] }
    const tested = definition({ authorization_url: 'https://{x}.example/', url_variables: { x: limited } })
    assert.equal(resolveEndpoints(tested, { x: 'two' }).kind, 'resolved')
    assert.equal(resolveEndpoints(tested, { x: 'three' }).kind, 'incomplete')
  })

  it('bounds a pattern that backtracks without end', { timeout: 5000 }, () => {
    const slow = { description: 'x', pattern: '^(a+)+$' }
    const tested = definition({ authorization_url: 'https://x.example/{x}', url_variables: { x: slow } })
    const resolved = resolveEndpoints(tested, { x: `${'a'.repeat(40)}!` })
    assert.equal(resolved.kind, 'incomplete')
  })

  it('anchors all of a pattern with alternatives', () => {
    const loose = { description: 'x', pattern: '^one|two$' }
    const tested = definition({ authorization_url: 'https://{x}.example/', url_variables: { x: loose } })
    assert.equal(resolveEndpoints(tested, { x: 'one.evil' }).kind, 'incomplete')
    assert.equal(resolveEndpoints(tested, { x: 'evil.two' }).kind, 'incomplete')
  })

  it('leaves open what the callback or a reply brings, but only where it is needed later', () => {
    const tested = definition({
      authorization_url: 'https://accounts.{region}.example/authorize',
      token_url: 'https://accounts.{region}.example/token',
      api_base_url: '{api_domain}/v1',
      url_variables: { region },
      callback_params: { location: { pattern: '^[a-z]{2}$', url_variable: 'region' } },
      token_response_paths: { api_domain: 'api_domain' },
    })
    const open = resolveEndpoints(tested, {})
    assert(open.kind === 'resolved')
    assert.equal(open.endpoints.authorizationUrl, 'https://accounts.us.example/authorize')
    assert.equal(open.endpoints.tokenUrl, 'https://accounts.{region}.example/token')
    assert.equal(open.endpoints.apiBaseUrl, '{api_domain}/v1')
    const fixed = resolveEndpoints(tested, { region: 'eu' })
    assert(fixed.kind === 'resolved')
    assert.equal(fixed.endpoints.tokenUrl, 'https://accounts.eu.example/token')
  })

  it('keeps names of Object.prototype out', () => {
    const tested = definition({ authorization_url: 'https://{constructor}.example/' })
    const resolved = resolveEndpoints(tested, {})
    assert(resolved.kind === 'incomplete')
    assert.deepEqual([resolved.missing, resolved.invalid], [['constructor'], []])
  })
})

describe('fillLater', () => {
  const tested = definition({
    url_variables: { region },
    api_base_url_pattern: '^https://[a-z]+\\.api\\.example(?:/v1)?$',
  })

  it('takes kept values before defaults, and checks them', () => {
    assert.equal(fillLater('https://{region}.example/t', { region: 'eu' }, tested), 'https://eu.example/t')
    assert.equal(fillLater('https://{region}.example/t', {}, tested), 'https://us.example/t')
    assert.equal(fillLater('https://{region}.example/t', { region: 'evil' }, tested), undefined)
    assert.equal(fillLater('https://{nothing}.example/t', {}, tested), undefined)
  })

  it('takes a whole base only if the filled address fits its pattern', () => {
    const fill = (value: string) => fillLater('{api_domain}/v1', { api_domain: value }, tested)
    assert.equal(fill('https://eu.api.example'), 'https://eu.api.example/v1')
    assert.equal(fill('https://eu.api.example/'), 'https://eu.api.example/v1')
    assert.equal(fill('https://evil.example'), undefined)
    assert.equal(fill('http://eu.api.example'), undefined)
    assert.equal(fill('https://eu.api.example@evil.example'), undefined)
    assert.equal(fill('https://evil.example/?https://eu.api.example'), undefined)
    assert.equal(fillLater('{api_domain}', { api_domain: 'https://x.example' }, definition({})), undefined)
  })

  it('lets a value without a rule fill one label or segment, but name no host of its own', () => {
    assert.equal(fillLater('https://x.example/{id}', { id: 'a-1_B' }, definition({})), 'https://x.example/a-1_B')
    assert.equal(fillLater('https://{id}/x', { id: 'evil.example' }, definition({})), undefined)
    assert.equal(fillLater('https://{id}/v1', { id: 'eu.api.example' }, tested), 'https://eu.api.example/v1')
    assert.equal(fillLater('https://{id}/v1', { id: 'evil.example' }, tested), undefined)
  })

  it('leaves the names that only a request can fill', () => {
    const url = 'https://x.example/{client_id}/{access_token}'
    assert.equal(fillLater(url, {}, definition({})), url)
    assert.equal(fillClientId('https://x.example/{client_id}', 'a/b c'), 'https://x.example/a%2Fb%20c')
  })
})
