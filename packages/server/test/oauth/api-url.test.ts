import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { joinApiUrl } from '../../src/oauth/api-url.ts'
import { bypasses } from './bypasses.ts'
import { wptInputs } from './wpt/inputs.ts'

const base = 'https://api.provider.example/rest/v2'
const join = (path: string, query?: string, own: Readonly<Record<string, string>> = {}) =>
  joinApiUrl(base, { path, query }, own)

describe('an API address', () => {
  const joined: readonly (readonly [path: string, query: string | undefined, url: string])[] = [
    ['/', undefined, `${base}/`],
    ['/items', undefined, `${base}/items`],
    ['/items/', '', `${base}/items/`],
    ['/items/7', 'a=1&a=2&b', `${base}/items/7?a=1&a=2&b`],
    ['/items', "$filter=Name eq 'x'".replaceAll(' ', '%20'), `${base}/items?$filter=Name%20eq%20'x'`],
    ['/items', 'u=https://evil.example/../x', `${base}/items?u=https://evil.example/../x`],
    ['/a%20b/%E2%82%AC', undefined, `${base}/a%20b/%E2%82%AC`],
    ['/sites/https%3A%2F%2Fexample.com%2F/query', undefined, `${base}/sites/https%3A%2F%2Fexample.com%2F/query`],
    ['/projects/group%2Fname', undefined, `${base}/projects/group%2Fname`],
    ['/Users(1)/x;v=1,2', undefined, `${base}/Users(1)/x;v=1,2`],
    ["/v4/sheets/Sheet1!A1:B2'", undefined, `${base}/v4/sheets/Sheet1!A1:B2'`],
    ['/me@example.com/messages', undefined, `${base}/me@example.com/messages`],
    ['/~ada/...', undefined, `${base}/~ada/...`],
    ['/.well-known/x', undefined, `${base}/.well-known/x`],
    ['/a..b/..c/d..', undefined, `${base}/a..b/..c/d..`],
    ['/100%25', undefined, `${base}/100%25`],
    ['/v1/models/x:run', undefined, `${base}/v1/models/x:run`],
  ]
  for (const [path, query, url] of joined) {
    it(`takes ${path}${query === undefined ? '' : `?${query}`} as it is`, () => {
      assert.deepEqual(join(path, query), { kind: 'joined', url })
    })
  }

  for (const path of bypasses) {
    it(`refuses ${JSON.stringify(path)}`, () => assert.deepEqual(join(path), { kind: 'refused', reason: 'path' }))
  }

  it('stays at its origin and below its path whatever the web platform’s URL test data puts there', () => {
    assert.ok(wptInputs.length > 700)
    let taken = 0
    for (const input of wptInputs) {
      for (const path of [input, `/${input}`, `/items/${input}`]) {
        const [before = '', ...after] = path.split('?')
        for (const found of [join(path), join(before, after.length === 0 ? undefined : after.join('?'))]) {
          if (found.kind === 'refused') continue
          taken += 1
          // Judged by the platform's own parser, not by the text.
          const { origin, username, password, pathname, hash } = new URL(found.url)
          assert.deepEqual([origin, username, password, hash], ['https://api.provider.example', '', '', ''], path)
          assert.ok(pathname.startsWith('/rest/v2/'), path)
        }
      }
    }
    assert.ok(taken > 300, `${taken} were taken, too few to show anything`)
  })

  it('keeps a base with and without a slash at its end apart from its neighbours', () => {
    for (const prefix of ['/rest', '/rest/', '/rest//']) {
      const found = joinApiUrl(`https://a.example${prefix}`, { path: '/x', query: undefined }, {})
      assert.deepEqual(found, { kind: 'joined', url: 'https://a.example/rest/x' })
    }
    assert.deepEqual(joinApiUrl('https://a.example', { path: '/x', query: undefined }, {}), {
      kind: 'joined',
      url: 'https://a.example/x',
    })
  })

  it('refuses a base that is no place to call', () => {
    for (const odd of [
      '',
      'nonsense',
      'https://u:p@a.example/',
      'https://a.example/#x',
      'data:text/plain,x',
      '{api_domain}',
    ]) {
      assert.deepEqual(joinApiUrl(odd, { path: '/x', query: undefined }, {}), { kind: 'refused', reason: 'base' }, odd)
    }
  })

  it('adds the provider’s own parameters, which no caller can set', () => {
    const own = { access_token: 'a b&c' }
    assert.deepEqual(join('/x', 'q=1', own), { kind: 'joined', url: `${base}/x?q=1&access_token=a%20b%26c` })
    const withConstant = joinApiUrl('https://a.example/rest?format=json', { path: '/x', query: 'q=1' }, {})
    assert.deepEqual(withConstant, { kind: 'joined', url: 'https://a.example/rest/x?format=json&q=1' })
    const named = joinApiUrl('https://a.example/?format=json', { path: '/x', query: 'format=xml' }, {})
    assert.deepEqual(named, { kind: 'refused', reason: 'query' })
    for (const query of [
      'access_token=x',
      'q=1&access_token=x',
      'q=1;access_token=x',
      'ACCESS_TOKEN=x',
      'access%5Ftoken=x',
      '%61ccess_token=x',
      'access%255Ftoken=x',
      'access_token[]=x',
      'access_token%5B%5D=x',
      'access.token=x',
      'access+token=x',
      'access_token%00=x',
      '+access_token=x',
      'access_token',
    ]) {
      assert.deepEqual(join('/x', query, own), { kind: 'refused', reason: 'query' }, query)
    }
    assert.equal(join('/x', 'access_tokens=x&my_access_token=y', own).kind, 'joined')
  })

  it('refuses a query that is no query', () => {
    for (const query of ['a#b', 'a b', 'a\r\nb', 'a\u0000', 'ä']) {
      assert.deepEqual(join('/x', query), { kind: 'refused', reason: 'query' }, JSON.stringify(query))
    }
  })
})

describe('whatever a caller writes', () => {
  /** Pieces that URL parsers, proxies and servers have tripped over. */
  const piece = fc.constantFrom(
    ...String.raw`. .. / // \ %2e %2E %2f %5c %255c %252e %25 %00 %0d%0a @ : ; ? # http: https://evil.example`.split(
      ' ',
    ),
    ...String.raw`evil.example [::1] %20 ..; .%09. a items 7 %zz %c0%ae %u002e | ^ " < {`.split(' '),
    '\t',
    '\n',
    '\r',
    ' ',
    '\u3002',
    '\uff0e',
  )
  const text = fc.oneof(
    fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join('')}`),
    fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
    fc.string({ unit: 'binary', maxLength: 40 }).map((any) => `/${any}`),
    fc.webUrl({ withFragments: true, withQueryParameters: true }),
  )

  it('goes below the base of this origin or nowhere, however often it is decoded', () => {
    fc.assert(
      fc.property(text, fc.option(text, { nil: undefined }), (path, query) => {
        const found = join(path, query)
        if (found.kind === 'refused') return
        const url = new URL(found.url)
        assert.equal(url.origin, 'https://api.provider.example')
        assert.equal(url.username + url.password + url.hash, '')
        assert.ok(url.pathname.startsWith('/rest/v2/'))
        assert.equal(found.url, `${base}${path}${query === undefined || query === '' ? '' : `?${query}`}`)
        let decoded = path
        for (let depth = 0; depth < 8; depth += 1) {
          // What a server that decodes so often, takes either slash and cuts parameters would make of it.
          const segments = decoded.split(/[/\\]/).map((segment) => segment.split(/[;?#]/, 1)[0])
          assert.ok(!segments.includes('..') && !segments.includes('.'), decoded)
          assert.ok(!/[\r\n\0\\]/.test(decoded))
          decoded = decoded.replaceAll(/%([0-9a-f]{2})/gi, (_all, hex: string) =>
            String.fromCharCode(Number.parseInt(hex, 16)),
          )
        }
      }),
      { numRuns: 20_000 },
    )
  })
})
