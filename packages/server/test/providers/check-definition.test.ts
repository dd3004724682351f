import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkDefinition, type CheckOptions } from '../../src/providers/check-definition.ts'
import type { DefinitionRule } from '../../src/providers/definition-problem.ts'

const sound = {
  slug: 'acme',
  display_name: 'Acme',
  categories: ['crm'],
  authorization_url: 'https://{subdomain}.acme.example/authorize',
  token_url: 'https://{subdomain}.acme.example/token',
  userinfo_url: 'https://api.acme.example/me',
  api_base_url: 'https://{subdomain}.acme.example/api',
  url_variables: { subdomain: { description: 'Subdomain', pattern: '^[a-z0-9][a-z0-9-]{0,62}$', example: 'shop' } },
  default_scopes: ['read'],
}

const variable = (pattern: string, more: object = {}) => ({
  url_variables: { subdomain: { description: 'Subdomain', pattern, ...more } },
})

/** The same, left to those who connect. */
const chosen = (pattern: string) => variable(pattern, { per: 'connection' })

const inApiAlone = { authorization_url: 'https://acme.example/authorize', token_url: 'https://acme.example/token' }

/** What is planted, the rule that must catch it, and the field it must point at. */
const planted: readonly (readonly [name: string, change: object, rule: DefinitionRule, path: string])[] = [
  ['a field nobody knows', { response_type: 'token' }, 'schema', ''],
  ['a missing field', { token_url: undefined }, 'schema', ''],
  ['a slug with capitals', { slug: 'Acme' }, 'schema', 'slug'],
  ['PKCE by plain challenge', { pkce: 'plain' }, 'schema', 'pkce'],
  ['a pattern without anchors', variable('[a-z]{1,9}'), 'schema', 'url_variables.subdomain.pattern'],

  ['plain http', { token_url: 'http://acme.example/token' }, 'https', 'token_url'],
  ['plain http on a listed host, other port', { token_url: 'http://localhost:9/token' }, 'https', 'token_url'],
  ['another http long-lived exchange', exchange('http://acme.example/x'), 'https', 'long_lived_exchange.url'],
  ['a user name in an address', { token_url: 'https://a:b@acme.example/token' }, 'url-shape', 'token_url'],
  ['a fragment in an address', { authorization_url: 'https://acme.example/a#b' }, 'url-shape', 'authorization_url'],
  ['a backslash in an address', { token_url: 'https://acme.example\\@evil.example/' }, 'url-shape', 'token_url'],
  ['a host hidden behind a third slash', { token_url: 'https:///{subdomain}.com/token' }, 'url-shape', 'token_url'],
  ['an address in numbers in disguise', { token_url: 'https://0x7f.1/token' }, 'url-shape', 'token_url'],
  ['a placeholder for a port', { token_url: 'https://acme.example:{subdomain}/token' }, 'url-shape', 'token_url'],
  [
    'a placeholder before an at sign',
    { token_url: 'https://{subdomain}@acme.example/token' },
    'url-shape',
    'token_url',
  ],
  ['an address that is none', { token_url: 'https://[acme/token' }, 'url-shape', 'token_url'],
  ['a nameless placeholder', { token_url: 'https://acme.example/{' }, 'url-shape', 'token_url'],

  [
    'a redirect_uri in the query',
    urlQuery('redirect_uri=https://evil.example'),
    'reserved-parameter',
    'authorization_url',
  ],
  ['a state in the query', urlQuery('a=b&STATE=x'), 'reserved-parameter', 'authorization_url'],
  [
    'a response_type among the extras',
    extra('response_type', 'token'),
    'reserved-parameter',
    'extra_authorize_params.response_type',
  ],
  ['a nonce among the extras', extra('nonce', 'x'), 'reserved-parameter', 'extra_authorize_params.nonce'],
  [
    'a request object among the extras',
    extra('request_uri', 'x'),
    'reserved-parameter',
    'extra_authorize_params.request_uri',
  ],
  [
    'an answer in the fragment',
    extra('response_mode', 'fragment'),
    'reserved-parameter',
    'extra_authorize_params.response_mode',
  ],
  ['a password grant', { extra_token_params: { password: 'x' } }, 'reserved-parameter', 'extra_token_params.password'],
  [
    'another refresh token',
    { extra_refresh_params: { refresh_token: 'x' } },
    'reserved-parameter',
    'extra_refresh_params.refresh_token',
  ],

  ...renamed({ client_id_parameter: 'request_uri' }, { client_id_parameter: 'state' }),
  ...renamed({ client_secret_parameter: 'code_verifier' }, { redirect_uri_parameter: 'state' }),
  ...renamed({ scope_parameter: 'redirect_uri' }, { scope_parameter: 'response_mode' }),
  ...renamed({ code_parameter: 'state' }, { code_parameter: 'ISS' }, { code_request_parameter: 'client_id' }),
  ...renamed({ refresh_token_parameter: 'grant_type' }, { refresh_token_parameter: 'scope' }),
  [
    'second scopes for an address',
    { second_scope: { parameter: 'redirect_uri', prefix: 'x:' } },
    'reserved-parameter',
    'second_scope.parameter',
  ],
  [
    'a callback value for an address',
    callback({ pattern: '^[a-z]{1,9}$', token_parameter: 'redirect_uri' }),
    'reserved-parameter',
    'callback_params.company.token_parameter',
  ],
  [
    'a revoked token for a secret',
    { revocation_url: 'https://acme.example/r', revocation: { style: 'rfc7009', token_parameter: 'client_secret' } },
    'reserved-parameter',
    'revocation.token_parameter',
  ],
  [
    'one name for two parameters that never meet',
    { scope_parameter: 'what', refresh_token_parameter: 'what' },
    'parameter-clash',
    'refresh_token_parameter',
  ],

  ['a header for the proxy to guard', { api_headers: { Host: 'evil.example' } }, 'reserved-header', 'api_headers.Host'],
  [
    'a header of client authentication',
    { token_request_headers: { authorization: 'x' } },
    'reserved-header',
    'token_request_headers.authorization',
  ],
  ['a proxy header', { api_headers: { 'Proxy-Foo': 'x' } }, 'reserved-header', 'api_headers.Proxy-Foo'],
  [
    'a token in the Cookie header',
    { api_token: { in: 'header', name: 'Cookie' } },
    'reserved-header',
    'api_token.name',
  ],
  ['a secret in a header', { api_headers: { 'X-Key': '{client_secret}' } }, 'placeholder', 'api_headers.X-Key'],

  ['one name for id and secret', { client_id_parameter: 'key', client_secret_parameter: 'key' }, 'parameter-clash', ''],
  ['a renamed id that is the state', { client_id_parameter: 'state' }, 'parameter-clash', ''],
  [
    'a callback value sent as the code',
    callback({ pattern: '^[a-z]{1,9}$', token_parameter: 'code' }),
    'parameter-clash',
    '',
  ],
  [
    'a callback value sent as the grant',
    callback({ pattern: '^[a-z]{1,9}$', refresh_parameter: 'grant_type' }),
    'parameter-clash',
    '',
  ],

  ['a placeholder without a pattern', { token_url: 'https://{region}.acme.example/t' }, 'placeholder', 'token_url'],
  ['a token in an address', { userinfo_url: 'https://acme.example/{access_token}' }, 'placeholder', 'userinfo_url'],
  [
    'a reply value in the token address',
    { token_url: 'https://acme.example/{host}', token_response_paths: { host: 'h' } },
    'placeholder',
    'token_url',
  ],
  [
    'a callback value before the callback',
    {
      authorization_url: 'https://acme.example/{company}',
      ...callback({ pattern: '^[a-z]{1,9}$', url_variable: 'company' }),
    },
    'placeholder',
    'authorization_url',
  ],
  ['a value in a query', { token_url: 'https://acme.example/t?x={subdomain}' }, 'placeholder', 'token_url'],
  [
    'a value in an extra parameter without a pattern',
    extra('team', '{team}'),
    'placeholder',
    'extra_authorize_params.team',
  ],

  ['a host that is a placeholder', { token_url: 'https://{subdomain}/token' }, 'fixed-domain', 'token_url'],
  ['a domain that is a placeholder', { token_url: 'https://{subdomain}.com/token' }, 'fixed-domain', 'token_url'],
  [
    'a placeholder glued to the domain',
    { token_url: 'https://{subdomain}acme.com/token' },
    'fixed-domain',
    'token_url',
  ],
  ['a domain under a public pair', { token_url: 'https://{subdomain}.co.uk/token' }, 'fixed-domain', 'token_url'],
  ['a top-level domain left open', { token_url: 'https://acme.{subdomain}/token' }, 'fixed-domain', 'token_url'],
  [
    'one open alternative',
    { token_url: 'https://{subdomain}/token', ...variable('^(?:a\\.acme\\.com|[a-z]{1,9}\\.[a-z]{2,3})$') },
    'fixed-domain',
    'token_url',
  ],
  [
    'a callback that chooses the domain',
    { token_url: 'https://{company}/t', ...callback({ pattern: '^[a-z.]{1,99}$', url_variable: 'company' }) },
    'fixed-domain',
    'token_url',
  ],
  [
    'a callback looser than the operator',
    callback(
      { pattern: '^([a-z.]{1,99})$', url_variable: 'subdomain' },
      { token_url: 'https://{subdomain}/t', ...variable('^(?:a\\.acme\\.com)$') },
    ),
    'fixed-domain',
    'token_url',
  ],
  [
    'a base from the reply without a pattern',
    { api_base_url: '{base}', token_response_paths: { base: 'base' } },
    'fixed-domain',
    'api_base_url',
  ],
  [
    'a base host from the reply without a pattern',
    { api_base_url: 'https://{host}/v1', token_response_paths: { host: 'host' } },
    'fixed-domain',
    'api_base_url',
  ],
  ['a base pattern with an open domain', base('^https://[a-z.]{1,99}$'), 'fixed-domain', 'api_base_url_pattern'],
  [
    'a base pattern that fixes only the path',
    base('^https://[a-z]{1,9}/acme\\.com$'),
    'fixed-domain',
    'api_base_url_pattern',
  ],
  [
    'a base pattern that only begins with the domain',
    base('^https://acme\\.com[a-z.]{0,20}$'),
    'fixed-domain',
    'api_base_url_pattern',
  ],
  [
    'a base pattern with a user name',
    base('^https://[a-z@]{1,9}\\.acme\\.com$'),
    'pattern-characters',
    'api_base_url_pattern',
  ],
  [
    'an issuer pattern with an open domain',
    { issuer: 'https://acme.example', issuer_pattern: '^https://[a-z]{1,9}\\.com$' },
    'fixed-domain',
    'issuer_pattern',
  ],

  ['a pattern that admits anything', variable('^.{1,9}$'), 'pattern-dialect', 'url_variables.subdomain.pattern'],
  ['a negated class', variable('^[^/]{1,9}$'), 'pattern-dialect', 'url_variables.subdomain.pattern'],
  ['an unbounded repetition', variable('^[a-z]+$'), 'pattern-dialect', 'url_variables.subdomain.pattern'],
  ['a look-ahead', variable('^(?=a)[a-z]{1,9}$'), 'pattern-dialect', 'url_variables.subdomain.pattern'],
  ['a back-reference', variable('^([a-z])\\1$'), 'pattern-dialect', 'url_variables.subdomain.pattern'],
  ['an alternative outside the anchors', variable('^a|[a-z]$'), 'pattern-dialect', 'url_variables.subdomain.pattern'],
  ['an escaped closing anchor', variable('^[a-z]{1,9}\\$'), 'pattern-dialect', 'url_variables.subdomain.pattern'],
  [
    'an escape that Unicode mode refuses',
    variable('^[a-z]{1,9}\\@$'),
    'pattern-dialect',
    'url_variables.subdomain.pattern',
  ],
  ['a pattern that does not compile', variable('^[a-z{1,9}$'), 'pattern-dialect', 'url_variables.subdomain.pattern'],
  [
    'a repetition in a repetition',
    variable('^(?:[a-z]{1,9}){1,9}$'),
    'pattern-slow',
    'url_variables.subdomain.pattern',
  ],
  ['two rival repetitions', variable('^[a-z]{0,90}[a-z0-9]{0,90}$'), 'pattern-slow', 'url_variables.subdomain.pattern'],
  [
    'a slow callback pattern',
    callback({ pattern: '^(?:a{1,9}|b){1,99}$' }),
    'pattern-slow',
    'callback_params.company.pattern',
  ],
  ['a slash in a value', variable('^[a-z/]{1,9}$'), 'pattern-characters', 'url_variables.subdomain.pattern'],
  ['an at sign in a value', variable('^[a-z@]{1,9}$'), 'pattern-characters', 'url_variables.subdomain.pattern'],
  ['a colon in a value', variable('^[a-z:]{1,9}$'), 'pattern-characters', 'url_variables.subdomain.pattern'],
  ['a hash in a value', variable('^[a-z]{1,9}#?$'), 'pattern-characters', 'url_variables.subdomain.pattern'],
  ['a question mark in a value', variable('^[a-z]{1,9}\\?$'), 'pattern-characters', 'url_variables.subdomain.pattern'],
  ['a backslash in a value', variable('^[a-z]{1,9}\\\\$'), 'pattern-characters', 'url_variables.subdomain.pattern'],
  ['a space in a value', variable('^[a-z ]{1,9}$'), 'pattern-characters', 'url_variables.subdomain.pattern'],
  ['a range that hides separators', variable('^[ -z]{1,9}$'), 'pattern-characters', 'url_variables.subdomain.pattern'],
  ['a percent sign in a value', variable('^[a-z%]{1,9}$'), 'pattern-characters', 'url_variables.subdomain.pattern'],
  ['a dot segment', variable('^[a-z.]{1,9}$'), 'pattern-characters', 'url_variables.subdomain.pattern'],
  ['an empty value', variable('^[a-z]{0,9}$'), 'pattern-characters', 'url_variables.subdomain.pattern'],
  [
    'a slash captured from a callback',
    callback({ pattern: '^x=([a-z/]{1,9})$', url_variable: 'company' }),
    'pattern-characters',
    'callback_params.company.pattern',
  ],
  [
    'a variable of which only a part is looked at',
    variable('^([a-z]{1,9})$'),
    'pattern-dialect',
    'url_variables.subdomain.pattern',
  ],
  [
    'a capture that may be missing',
    callback({ pattern: '^x(?:([a-z]{1,9})|/)$', url_variable: 'company' }),
    'pattern-dialect',
    'callback_params.company.pattern',
  ],
  ['two captures', callback({ pattern: '^([a-z])-([a-z])$' }), 'pattern-dialect', 'callback_params.company.pattern'],
  [
    'an example that does not match',
    variable('^[a-z]{1,9}$', { example: 'A' }),
    'pattern-example',
    'url_variables.subdomain.example',
  ],
  [
    'a default that does not match',
    variable('^[a-z]{1,9}$', { default: 'a1' }),
    'pattern-example',
    'url_variables.subdomain.default',
  ],
  [
    'an allowed value that does not match',
    variable('^[a-z]{1,9}$', { allowed: ['a', '1'] }),
    'pattern-example',
    'url_variables.subdomain.allowed',
  ],

  ['no secret and no PKCE', { client_auth: 'none', pkce: 'none' }, 'consistency', 'pkce'],
  ['scopes that cannot be sent', { scope_parameter: null }, 'consistency', 'default_scopes'],
  [
    'a scope with the separator in it',
    { scope_separator: ',', default_scopes: ['a,b'] },
    'consistency',
    'default_scopes',
  ],
  ['a scope with a space', { default_scopes: ['a b'] }, 'consistency', 'default_scopes'],
  ['a scope described twice', { scopes: [scope('a'), scope('a')] }, 'consistency', 'scopes'],
  ['a refresh that cannot be', { refreshable: false, refresh_rotates: true }, 'consistency', 'refreshable'],
  ['a revocation without address', { revocation: { style: 'rfc7009' } }, 'consistency', 'revocation'],
  [
    'an account without userinfo',
    { userinfo_url: undefined, account: { from: 'userinfo', id: 'id' } },
    'consistency',
    'account',
  ],
  ['an account without issuer', { account: { from: 'id_token', id: 'sub' } }, 'consistency', 'account'],
  ['an account from an unkept parameter', { account: { from: 'callback', id: 'shop' } }, 'consistency', 'account'],
  [
    'a connection that chooses between two domains',
    { token_url: 'https://{subdomain}/token', ...chosen('^(?:[a-z]{1,9}\\.acme\\.com|[a-z]{1,9}\\.acme\\.net)$') },
    'connection-variable',
    'token_url',
  ],
  [
    'a connection that chooses the country of a domain',
    { token_url: 'https://acme.{subdomain}/token', ...chosen('^(?:com|co\\.uk)$') },
    'connection-variable',
    'token_url',
  ],
  [
    'a connection’s value that a reply sets as well',
    { ...inApiAlone, ...chosen('^[a-z0-9]{1,9}$'), token_response_paths: { subdomain: 'x' } },
    'connection-variable',
    'url_variables.subdomain.per',
  ],
  ['a reply that overrides an operator', { token_response_paths: { subdomain: 'x' } }, 'consistency', 'url_variables'],
  [
    'a comparison with no variable',
    callback({ pattern: '^[a-z]{1,9}$', equals_url_variable: 'shop' }),
    'consistency',
    'callback_params',
  ],
  [
    'values from no userinfo',
    { userinfo_url: undefined, userinfo_response_paths: { a: 'a' } },
    'consistency',
    'userinfo_response_paths',
  ],
  [
    'a base pattern for a fixed base',
    { api_base_url: 'https://acme.example', api_base_url_pattern: '^https://acme\\.com$' },
    'consistency',
    'api_base_url_pattern',
  ],
  ['an issuer pattern without issuer', { issuer_pattern: '^https://acme\\.com$' }, 'consistency', 'issuer_pattern'],
  [
    'a promised iss without issuer',
    { authorization_response_iss_parameter_supported: true },
    'consistency',
    'authorization_response_iss_parameter_supported',
  ],
]

/** What the reviewed catalogue may say and a tenant may not. */
const refusedToTenants: readonly (readonly [name: string, change: object, path: string])[] = [
  ['PKCE off', { pkce: 'none' }, 'pkce'],
  ['secrets in the query', { token_request_format: 'query' }, 'token_request_format'],
  ['refresh tokens in the query', { refresh_request_format: 'query' }, 'refresh_request_format'],
  ['a second exchange', exchange('https://acme.example/x'), 'long_lived_exchange'],
  ['no response_type', { response_type_omitted: true }, 'response_type_omitted'],
  [
    'a callback that chooses the host',
    callback({ pattern: '^[a-z]{1,9}$', url_variable: 'company' }),
    'callback_params',
  ],
  [
    'a pattern of issuers',
    { issuer: 'https://acme.example', issuer_pattern: '^https://a\\.acme\\.com$' },
    'issuer_pattern',
  ],
  ['the token in the query', { api_token: { in: 'query', name: 'access_token' } }, 'api_token'],
  ['a host that those who connect choose', chosen('^[a-z0-9]{1,9}$'), 'url_variables'],
  ['no nonce', { nonce: false }, 'nonce'],
  ['a date of review', { checked_on: '2026-11-23' }, 'checked_on'],
  ['a kinship with the catalogue', { variant_of: 'google' }, 'variant_of'],
]

describe('checkDefinition', () => {
  it('finds nothing wrong with a sound definition', () => {
    assert.deepEqual(checkDefinition(sound), [])
    assert.deepEqual(checkDefinition(sound, { custom: true }), [])
  })

  for (const [name, change, rule, path] of planted) {
    it(`catches ${name}`, () => {
      const problems = problemsWith(change, { allowHttpHosts: ['localhost:4000'] })
      assert.ok(
        problems.some((problem) => problem.rule === rule && problem.path.join('.') === path),
        JSON.stringify(problems),
      )
    })
  }

  for (const [name, change, path] of refusedToTenants) {
    it(`refuses a tenant ${name}, which the catalogue may have`, () => {
      assert.deepEqual(problemsWith(change), [])
      const problems = problemsWith(change, { custom: true })
      assert.deepEqual(
        problems.map((problem) => [problem.rule, problem.path.join('.')]),
        [['custom-only', path]],
      )
    })
  }

  it('lets parameters keep their standard names, and the code have one name of its own in both places', () => {
    const standard = {
      client_id_parameter: 'client_id',
      client_secret_parameter: 'client_secret',
      redirect_uri_parameter: 'redirect_uri',
      scope_parameter: 'scope',
      code_parameter: 'code',
      code_request_parameter: 'code',
      refresh_token_parameter: 'refresh_token',
    }
    assert.deepEqual(problemsWith(standard), [])
    assert.deepEqual(problemsWith({ code_parameter: 'auth_code', code_request_parameter: 'auth_code' }), [])
  })

  it('allows plain http on exactly the hosts and ports listed', () => {
    const change = { token_url: 'http://[::1]:4000/token', userinfo_url: 'http://localhost:80/me' }
    assert.deepEqual(problemsWith(change, { custom: true, allowHttpHosts: ['[::1]:4000', 'localhost:80'] }), [])
    assert.equal(problemsWith(change, { allowHttpHosts: ['localhost'] }).length, 2)
  })

  it('takes a domain that every alternative of the pattern fixes', () => {
    const pattern = '^(?:(?:login|test)\\.acme\\.com|[a-z]{1,9}(?:\\.eu)?\\.my\\.acme\\.com)$'
    assert.deepEqual(problemsWith({ token_url: 'https://{subdomain}/token', ...variable(pattern) }), [])
    assert.deepEqual(problemsWith({ token_url: 'https://acme.{subdomain}/t', ...variable('^(?:com|co\\.uk)$') }), [])
  })

  it('says something about any JSON value instead of throwing', () => {
    for (const value of [null, 1, 'x', [], {}, { ...sound, url_variables: 1 }, { ...sound, scopes: [null] }]) {
      assert.ok(checkDefinition(value).length > 0)
    }
  })

  it('answers quickly for the slowest pattern it lets through', () => {
    const pattern = `^${'(?:a[a-z]{0,40})?'.repeat(5)}$`
    assert.ok(problemsWith(variable(pattern)).some((problem) => problem.rule === 'pattern-slow'))
  })
})

function problemsWith(change: object, options?: CheckOptions) {
  return checkDefinition(JSON.parse(JSON.stringify({ ...sound, ...change })), options)
}

/** Each of these gives a parameter the name of another. */
function renamed(...changes: readonly Record<string, string>[]): [string, object, DefinitionRule, string][] {
  return changes.flatMap((change) =>
    Object.entries(change).map(([field, name]): [string, object, DefinitionRule, string] => [
      `a ${field} called ${name}`,
      change,
      'reserved-parameter',
      field,
    ]),
  )
}

function urlQuery(query: string): object {
  return { authorization_url: `https://{subdomain}.acme.example/authorize?${query}` }
}

function extra(name: string, value: string): object {
  return { extra_authorize_params: { [name]: value } }
}

function callback(rule: object, more: object = {}): object {
  return { callback_params: { company: rule }, ...more }
}

function base(pattern: string): object {
  return { api_base_url: '{base}', token_response_paths: { base: 'base' }, api_base_url_pattern: pattern }
}

function exchange(url: string): object {
  return { long_lived_exchange: { url, grant_type: 'swap', token_parameter: 'old', format: 'form' } }
}

function scope(name: string): object {
  return { name, description: 'Read' }
}
