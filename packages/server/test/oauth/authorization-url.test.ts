import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ProviderDefinition } from '../../src/core/provider-definition.ts'
import {
  buildAuthorizationUrl,
  usesNonce,
  usesPkce,
  type AuthorizationRequest,
} from '../../src/oauth/authorization-url.ts'
import { clientFor, definitionAt } from './fixtures.ts'

const request: AuthorizationRequest = {
  redirectUri: 'https://app.example/hostile/callback',
  state: 'state-1',
  codeChallenge: 'challenge-1',
  scopes: ['read', 'write:all'],
  nonce: undefined,
  loginHint: undefined,
}

function urlFor(more: Partial<ProviderDefinition>, changes: Partial<AuthorizationRequest> = {}): URL {
  const client = clientFor(definitionAt('https://provider.example', more))
  return new URL(buildAuthorizationUrl(client, { ...request, ...changes }))
}

describe('an authorization URL', () => {
  it('carries exactly the parameters of RFC 6749 and RFC 7636', () => {
    const url = urlFor({})
    assert.equal(url.origin + url.pathname, 'https://provider.example/authorize')
    assert.deepEqual(Object.fromEntries(url.searchParams), {
      response_type: 'code',
      client_id: 'client-1',
      redirect_uri: 'https://app.example/hostile/callback',
      state: 'state-1',
      code_challenge: 'challenge-1',
      code_challenge_method: 'S256',
      scope: 'read write:all',
    })
  })

  it('encodes a space as %20, never as +', () => {
    assert.match(urlFor({}).search, /scope=read%20write%3Aall/)
    assert.match(urlFor({ scope_separator: '+' }).search, /scope=read%2Bwrite/)
  })

  it('holds each reserved name once, with our value, whatever the address and the extra parameters say', () => {
    const evil = new URLSearchParams({
      response_type: 'token',
      client_id: 'evil',
      redirect_uri: 'https://evil.example/',
      state: 'evil',
      code_challenge: 'evil',
      code_challenge_method: 'plain',
      scope: 'evil',
    })
    const url = urlFor({
      authorization_url: `https://provider.example/authorize?${evil.toString()}&${evil.toString()}`,
      extra_authorize_params: Object.fromEntries(evil),
    })
    assert.deepEqual([...url.searchParams.keys()].toSorted(), [...evil.keys()].toSorted())
    assert.doesNotMatch(url.search, /evil|plain|token/)
  })

  it('drops request objects, which would override all of it', () => {
    const url = urlFor({
      authorization_url: 'https://provider.example/authorize?request=x&request_uri=urn:x&prompt=none',
      extra_authorize_params: { request_uri: 'https://evil.example/' },
    })
    assert.deepEqual([url.searchParams.has('request'), url.searchParams.has('request_uri')], [false, false])
    assert.equal(url.searchParams.get('prompt'), 'none')
  })

  it('lets no challenge, nonce or state of the address through where we send none', () => {
    const address = 'https://provider.example/authorize?code_challenge=evil&code_challenge_method=plain&nonce=evil'
    const url = urlFor({ pkce: 'none', authorization_url: address }, { codeChallenge: undefined })
    assert.doesNotMatch(url.search, /challenge|nonce/)
  })

  it('sends nonce and login hint when given', () => {
    const { searchParams } = urlFor({}, { nonce: 'n-1', loginHint: 'a+b@example.com' })
    assert.deepEqual([searchParams.get('nonce'), searchParams.get('login_hint')], ['n-1', 'a+b@example.com'])
  })

  it('joins scopes the provider’s way', () => {
    assert.equal(urlFor({ scope_separator: ',' }).searchParams.get('scope'), 'read,write:all')
    assert.equal(urlFor({ scope_parameter: 'perms' }).searchParams.get('perms'), 'read write:all')
    assert.equal(urlFor({ scope_parameter: 'perms' }).searchParams.has('scope'), false)
    assert.equal(urlFor({ scope_parameter: null }).searchParams.has('scope'), false)
    assert.equal(urlFor({}, { scopes: [] }).searchParams.has('scope'), false)
  })

  it('splits off a second scope list by its prefix', () => {
    const more = { second_scope: { parameter: 'user_scope', prefix: 'user:' }, scope_separator: ',' }
    const { searchParams } = urlFor(more, { scopes: ['chat:write', 'user:search', 'user:files'] })
    assert.deepEqual([searchParams.get('scope'), searchParams.get('user_scope')], ['chat:write', 'search,files'])
    assert.equal(urlFor(more, { scopes: ['user:search'] }).searchParams.has('scope'), false)
  })

  it('uses the provider’s own parameter names', () => {
    const { searchParams } = urlFor({ client_id_parameter: 'client_key', redirect_uri_parameter: 'redirect_url' })
    assert.deepEqual(
      [searchParams.get('client_key'), searchParams.get('redirect_url'), searchParams.has('client_id')],
      ['client-1', request.redirectUri, false],
    )
  })

  it('omits response_type only where the definition says so, and then lets none in', () => {
    const url = urlFor({
      response_type_omitted: true,
      authorization_url: 'https://provider.example/authorize?response_type=token',
      extra_authorize_params: { type: 'web_server' },
    })
    assert.deepEqual([url.searchParams.has('response_type'), url.searchParams.get('type')], [false, 'web_server'])
  })

  it('ends with the fragment the provider needs, and no other', () => {
    assert.equal(urlFor({ authorization_fragment: 'wechat_redirect' }).hash, '#wechat_redirect')
    assert.equal(urlFor({ authorization_url: 'https://provider.example/a#b' }).hash, '')
  })

  it('fills the client id into the path', () => {
    assert.equal(urlFor({ authorization_url: 'https://provider.example/{client_id}/a' }).pathname, '/client-1/a')
  })
})

it('uses PKCE unless a definition switches it off', () => {
  const definition = definitionAt('https://provider.example')
  assert.equal(usesPkce(definition), true)
  assert.equal(usesPkce({ ...definition, pkce: 'S256' }), true)
  assert.equal(usesPkce({ ...definition, pkce: 'none' }), false)
})

it('uses a nonce for openid, or where the provider insists', () => {
  const definition = definitionAt('https://provider.example')
  assert.equal(usesNonce(definition, ['email']), false)
  assert.equal(usesNonce(definition, ['email', 'openid']), true)
  assert.equal(usesNonce({ ...definition, nonce: true }, []), true)
})
