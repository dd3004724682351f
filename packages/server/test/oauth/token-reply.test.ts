import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { describe, it } from 'node:test'
import type { ProviderDefinition } from '../../src/core/provider-definition.ts'
import type { TokenGrant } from '../../src/core/token.ts'
import { readTokenReply, type TokenReply } from '../../src/oauth/token-reply.ts'
import type { GrantPurpose } from '../../src/oauth/token-refusal.ts'
import { definitionAt, noon, noonSeconds } from './fixtures.ts'

interface Sample {
  readonly status?: number
  readonly headers?: Record<string, string>
  readonly purpose?: GrantPurpose
  readonly definition?: Partial<ProviderDefinition>
}

function read(body: unknown, sample: Sample = {}): TokenReply {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return readTokenReply(
    definitionAt('https://provider.example', sample.definition),
    { status: sample.status ?? 200, headers: sample.headers ?? {}, body: Buffer.from(text) },
    noon,
    sample.purpose ?? 'refresh',
  )
}

function granted(body: unknown, sample: Sample = {}): TokenGrant {
  const reply = read(body, sample)
  return reply.kind === 'read' ? reply.grant : assert.fail(JSON.stringify(reply))
}

const nonsense = { kind: 'unavailable', reason: 'nonsense', sent: true, retryAfterSeconds: undefined }
const later = { ...nonsense, reason: 'status' }
const token = { access_token: 'at-1', token_type: 'Bearer' }

describe('a token reply', () => {
  it('of the standard shape is read in full', () => {
    const grant = granted({ ...token, refresh_token: 'rt-1', expires_in: 3600, scope: 'a b' })
    assert.equal(grant.accessToken.reveal(), 'at-1')
    assert.equal(grant.refreshToken?.reveal(), 'rt-1')
    assert.deepEqual(
      [grant.tokenType, grant.expiresAt, grant.scopes, grant.kept, grant.idTokenClaims],
      ['Bearer', new Date('2026-06-01T13:00:00Z'), ['a', 'b'], {}, undefined],
    )
  })

  it('may come with status 201, and as text/html', () => {
    assert.equal(granted(token, { status: 201 }).accessToken.reveal(), 'at-1')
    assert.equal(granted(token, { headers: { 'content-type': 'text/html' } }).accessToken.reveal(), 'at-1')
  })

  for (const status of [202, 204, 206, 301, 302, 307]) {
    it(`with status ${status} grants nothing`, () => {
      assert.deepEqual(read(token, { status }), later)
    })
  }

  for (const [name, body] of Object.entries({
    'an array': [token],
    'a string': '"at-1"',
    null: 'null',
    'a number': '1',
    empty: '',
    HTML: '<html></html>',
    'a form nobody announced': 'access_token=at-1&token_type=bearer',
    'cut off': '{"access_token":"at-1"',
  })) {
    it(`that is ${name} is nonsense`, () => assert.deepEqual(read(body), nonsense))
  }

  it('never shows its tokens when printed', () => {
    const reply = read({ access_token: 'hush-1', refresh_token: 'hush-2', id_token: 'hush-3' })
    assert.equal(reply.kind, 'read')
    assert.doesNotMatch(inspect(reply, { depth: 9 }) + JSON.stringify(reply), /hush/)
  })
})

describe('the access token', () => {
  for (const [name, access_token] of Object.entries({
    missing: undefined,
    null: null,
    empty: '',
    'a number': 1,
    'an object': {},
    'with a line break': 'a\r\nX-Evil: 1',
    'with a space': 'a b',
    'not ASCII': 'ü',
    'beyond 16 KiB': 'a'.repeat(16_385),
  })) {
    it(`${name} makes the reply nonsense`, () => assert.deepEqual(read({ ...token, access_token }), nonsense))
  }
  it('of 16 KiB passes', () => assert.equal(read({ access_token: 'a'.repeat(16_384) }).kind, 'read'))
})

describe('the token type', () => {
  it('is Bearer in any case, and Bearer when absent', () => {
    assert.equal(granted({ ...token, token_type: 'bEaReR' }).tokenType, 'bEaReR')
    assert.equal(granted({ access_token: 'a' }).tokenType, 'Bearer')
    assert.equal(granted({ access_token: 'a', token_type: null }).tokenType, 'Bearer')
  })

  for (const token_type of ['DPoP', 'mac', 'N_A', 1, {}]) {
    it(`${JSON.stringify(token_type)} is nonsense`, () => assert.deepEqual(read({ ...token, token_type }), nonsense))
  }

  it('may be another where the definition lists it', () => {
    const definition = { token_types: ['user access token'] }
    assert.equal(granted({ ...token, token_type: 'User Access Token' }, { definition }).tokenType, 'User Access Token')
    assert.deepEqual(read({ ...token, token_type: 'mac' }, { definition }), nonsense)
  })
})

describe('the refresh token', () => {
  for (const refresh_token of [undefined, null, '', false]) {
    it(`as ${JSON.stringify(refresh_token)} means: keep the one you have`, () => {
      assert.equal(granted({ ...token, refresh_token }).refreshToken, undefined)
    })
  }
  for (const refresh_token of [1, {}, 'a\nb', 'a'.repeat(16_385)]) {
    it(`as ${JSON.stringify(refresh_token).slice(0, 20)} makes the reply nonsense`, () => {
      assert.deepEqual(read({ ...token, refresh_token }), nonsense)
    })
  }
})

describe('the lifetime', () => {
  const hour = new Date('2026-06-01T13:00:00Z')
  const cases: readonly (readonly [unknown, Date | undefined])[] = [
    [3600, hour],
    ['3600', hour],
    [3600.9, hour],
    ['3600.9', hour],
    [undefined, undefined],
    [null, undefined],
    ['', undefined],
    ['soon', undefined],
    [true, undefined],
    [{}, undefined],
    [0, noon],
    ['0', noon],
    [-5, noon],
    [1e9, undefined],
    [1e300, undefined],
    ['99999999999999999999', undefined],
  ]
  for (const [expires_in, expected] of cases) {
    it(`of ${JSON.stringify(expires_in)} is ${expected?.toISOString() ?? 'unlimited'}`, () => {
      assert.deepEqual(granted({ ...token, expires_in }).expiresAt, expected)
    })
  }

  it('of zero is unlimited where the definition says so', () => {
    const definition = { expires_in_zero_is_never: true }
    assert.equal(granted({ ...token, expires_in: 0 }, { definition }).expiresAt, undefined)
  })

  it('is assumed where the definition knows it and the reply is silent or unreadable', () => {
    const definition = { assumed_lifetime_seconds: 7200 }
    const assumed = new Date('2026-06-01T14:00:00Z')
    assert.deepEqual(granted(token, { definition }).expiresAt, assumed)
    assert.deepEqual(granted({ ...token, expires_in: null }, { definition }).expiresAt, assumed)
    assert.deepEqual(granted({ ...token, expires_in: 3600 }, { definition }).expiresAt, hour)
  })

  const absolute: readonly (readonly [
    'rfc3339' | 'epoch_seconds' | 'epoch_milliseconds',
    unknown,
    Date | undefined,
  ])[] = [
    ['rfc3339', '2026-06-01T13:00:00Z', hour],
    ['rfc3339', '2026-06-01T15:00:00+02:00', hour],
    ['rfc3339', '2026-06-01T13:00:00', hour],
    ['rfc3339', 'tomorrow', undefined],
    ['rfc3339', '2026-06-01T99:00:00Z', undefined],
    ['epoch_seconds', noonSeconds + 3600, hour],
    ['epoch_seconds', String(noonSeconds + 3600), hour],
    ['epoch_seconds', 0, undefined],
    ['epoch_milliseconds', (noonSeconds + 3600) * 1000, hour],
    ['epoch_milliseconds', 1e300, undefined],
  ]
  for (const [unit, at, expected] of absolute) {
    it(`by ${unit} ${JSON.stringify(at)} is ${expected?.toISOString() ?? 'unlimited'}`, () => {
      const definition = { expires_at: { path: 'data.at', unit } }
      assert.deepEqual(granted({ ...token, data: { at } }, { definition }).expiresAt, expected)
    })
  }

  it('falls back to expires_in when the absolute time is unreadable', () => {
    const definition = { expires_at: { path: 'at', unit: 'rfc3339' as const } }
    assert.deepEqual(granted({ ...token, at: 'x', expires_in: 3600 }, { definition }).expiresAt, hour)
  })
})

describe('the granted scopes', () => {
  const cases: readonly (readonly [unknown, readonly string[] | undefined, Partial<ProviderDefinition>?])[] = [
    ['a b', ['a', 'b']],
    ['a,b', ['a', 'b']],
    ['a, b  a', ['a', 'b']],
    ['', []],
    [undefined, undefined],
    [null, undefined],
    [7, undefined],
    [
      ['a', 'b', 1, 'ü'],
      ['a', 'b'],
    ],
    ['a;b', ['a', 'b'], { scope_separator: ';' }],
    ['https://www.googleapis.com/auth/drive openid', ['https://www.googleapis.com/auth/drive', 'openid']],
  ]
  for (const [scope, expected, definition] of cases) {
    it(`of ${JSON.stringify(scope)} are ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(granted({ ...token, scope }, definition && { definition }).scopes, expected)
    })
  }
  it('are read where the definition says', () => {
    const definition = { granted_scope_path: 'authed_user.scope' }
    assert.deepEqual(granted({ ...token, authed_user: { scope: 'x,y' } }, { definition }).scopes, ['x', 'y'])
  })
})

describe('quirks', () => {
  it('nested and renamed fields are found by their paths', () => {
    const definition = {
      token_response_paths: {
        access_token: 'data.0.accessToken',
        refresh_token: 'data.0.refreshToken',
        expires_in: 'data.0.expiresIn',
        token_type: 'data.0.type',
        id_token: 'data.0.idToken',
        team_id: 'data.0.team.id',
      },
    }
    const reply = read(
      { data: [{ accessToken: 'a', refreshToken: 'r', expiresIn: 60, type: 'bearer', idToken: 'i', team: { id: 7 } }] },
      { definition },
    )
    assert(reply.kind === 'read')
    assert.deepEqual(
      [reply.grant.accessToken.reveal(), reply.grant.refreshToken?.reveal(), reply.idToken?.reveal(), reply.grant.kept],
      ['a', 'r', 'i', { team_id: '7' }],
    )
    assert.deepEqual(reply.grant.expiresAt, new Date('2026-06-01T12:01:00Z'))
  })

  it('a path reaches no prototype', () => {
    const definition = { token_response_paths: { access_token: 'constructor.name' } }
    assert.deepEqual(read({ a: 1 }, { definition }), nonsense)
  })

  it('the access token may be its own refresh token', () => {
    const definition = { token_response_paths: { refresh_token: 'access_token' } }
    assert.equal(granted(token, { definition }).refreshToken?.reveal(), 'at-1')
  })

  it('a form-encoded reply is read where the definition says form or auto', () => {
    for (const token_reply_format of ['form', 'auto'] as const) {
      const grant = granted('access_token=a%2Bb&expires_in=60&scope=x%2Cy', { definition: { token_reply_format } })
      assert.deepEqual([grant.accessToken.reveal(), grant.scopes], ['a+b', ['x', 'y']])
    }
    assert.equal(granted(token, { definition: { token_reply_format: 'auto' } }).accessToken.reveal(), 'at-1')
    assert.deepEqual(read('<a href="x=y">', { definition: { token_reply_format: 'form' } }), nonsense)
  })

  it('kept values are texts and numbers the definition names, never a token', () => {
    const definition = {
      token_response_paths: { site: 'site', count: 'count', sneaky: 'access_token', gone: 'gone', object: 'object' },
    }
    const { kept } = granted({ ...token, site: 's', count: 3, object: {} }, { definition })
    assert.deepEqual(kept, { site: 's', count: '3' })
  })

  it('a kept value or account that the database cannot store is left out', () => {
    const definition: Partial<ProviderDefinition> = {
      token_response_paths: { site: 'site', region: 'region' },
      account: { from: 'token_reply', id: 'team.id', name: 'team.name' },
    }
    const team = { id: 'T\u0000', name: '\udc00' }
    assert.deepEqual(granted({ ...token, site: 'a\u0000', region: 'eu', team }, { definition }).kept, { region: 'eu' })
  })

  it('a kept value that stands for a URL variable must fit it', () => {
    const definition = {
      url_variables: { host: { description: 'h', pattern: '^[a-z]+\\.provider\\.example$' } },
      token_response_paths: { host: 'host' },
    }
    assert.deepEqual(granted({ ...token, host: 'eu.provider.example' }, { definition }).kept, {
      host: 'eu.provider.example',
    })
    assert.deepEqual(granted({ ...token, host: 'evil.example' }, { definition }).kept, {})
  })

  it('the account in a token reply is kept', () => {
    const definition = { account: { from: 'token_reply' as const, id: 'team.id', name: 'team.name' } }
    assert.deepEqual(granted({ ...token, team: { id: 'T1', name: 'Team' } }, { definition }).kept, {
      'account.id': 'T1',
      'account.name': 'Team',
    })
  })

  it('an id_token that is not a text is none', () => {
    const reply = read({ ...token, id_token: false })
    assert(reply.kind === 'read')
    assert.equal(reply.idToken, undefined)
  })
})

describe('an error', () => {
  const lost = (code: string) => ({ kind: 'grant-lost', code })
  const rejected = (code: string) => ({ kind: 'client-rejected', code })
  const cases: readonly (readonly [string, unknown, Sample, unknown])[] = [
    ['invalid_grant', { error: 'invalid_grant' }, { status: 400 }, lost('invalid_grant')],
    ['invalid_grant with 401', { error: 'invalid_grant' }, { status: 401 }, lost('invalid_grant')],
    ['invalid_grant with 200', { error: 'invalid_grant' }, { status: 200 }, lost('invalid_grant')],
    ['invalid_grant with 503', { error: 'invalid_grant' }, { status: 503 }, later],
    ['invalid_grant with 429', { error: 'invalid_grant' }, { status: 429 }, later],
    ['GitHub’s bad_refresh_token', { error: 'bad_refresh_token' }, { status: 200 }, lost('bad_refresh_token')],
    ['invalid_client', { error: 'invalid_client' }, { status: 401 }, rejected('invalid_client')],
    ['invalid_client with 400', { error: 'invalid_client' }, { status: 400 }, rejected('invalid_client')],
    ['unauthorized_client', { error: 'unauthorized_client' }, { status: 400 }, rejected('unauthorized_client')],
    [
      'unsupported_grant_type',
      { error: 'unsupported_grant_type' },
      { status: 400 },
      rejected('unsupported_grant_type'),
    ],
    ['a bare 401', '', { status: 401 }, rejected('http_401')],
    ['temporarily_unavailable', { error: 'temporarily_unavailable' }, { status: 400 }, later],
    ['invalid_request at a refresh', { error: 'invalid_request' }, { status: 400 }, later],
    ['invalid_scope at a refresh', { error: 'invalid_scope' }, { status: 400 }, later],
    ['something new at a refresh', { error: 'no_luck' }, { status: 400 }, later],
    [
      'invalid_request for a code',
      { error: 'invalid_request' },
      { status: 400, purpose: 'code' },
      lost('invalid_request'),
    ],
    ['something new for a code', { error: 'no_luck' }, { status: 403, purpose: 'code' }, lost('no_luck')],
    ['a bare 400 for a code', '<html>', { status: 400, purpose: 'code' }, later],
    ['a bare 403 at a refresh', '<html>', { status: 403 }, later],
    ['a bare 404', '', { status: 404 }, later],
    ['a 500', '<html>', { status: 500 }, later],
    [
      'JSON served as text',
      { error: 'invalid_grant' },
      { status: 400, headers: { 'content-type': 'text/plain' } },
      lost('invalid_grant'),
    ],
    ['a form', 'error=invalid_grant&error_description=x', { status: 400 }, lost('invalid_grant')],
    [
      'a form with 200 where forms are usual',
      'error=bad_verification_code',
      { definition: { token_reply_format: 'auto' } },
      lost('bad_verification_code'),
    ],
    ['an error object', { error: { code: 190, message: 'm' } }, { status: 400, purpose: 'code' }, lost('190')],
    ['ok: false', { ok: false, error: 'invalid_refresh_token' }, {}, lost('invalid_refresh_token')],
    ['ok: false beside a token', { ...token, ok: false, error: 'ratelimited' }, {}, later],
    ['an error beside a token', { ...token, error: 'invalid_grant' }, {}, lost('invalid_grant')],
    ['markup', { error: '<b>bad</b>' }, { status: 400, purpose: 'code' }, lost('_b_bad_b_')],
  ]
  for (const [name, body, sample, expected] of cases) {
    it(`as ${name} is ${JSON.stringify(expected)}`, () => assert.deepEqual(read(body, sample), expected))
  }

  it('left empty beside a token is none', () => {
    for (const error of ['', null, 0]) assert.equal(read({ ...token, error, ok: true }).kind, 'read')
  })

  it('is found by the definition’s own rule', () => {
    const definition: Partial<ProviderDefinition> = {
      token_response_paths: { access_token: 'body.access_token' },
      token_reply_error: {
        path: 'status',
        success_values: [0],
        absent_is_success: false,
        code_path: 'status',
        grant_lost_codes: [601, 'gone'],
        client_rejected_codes: [102],
      },
    }
    const body = { access_token: 'a' }
    assert.equal(read({ status: 0, body }, { definition }).kind, 'read')
    assert.deepEqual(read({ status: 601, body }, { definition }), lost('601'))
    assert.deepEqual(read({ status: '601', body }, { definition }), lost('601'))
    assert.deepEqual(read({ status: 102, body }, { definition }), rejected('102'))
    assert.deepEqual(read({ status: 9, body }, { definition }), later)
    assert.deepEqual(read({ body }, { definition, purpose: 'code' }), lost('unknown_error'))
  })

  it('says how long to wait, in seconds or by a date, within a day', () => {
    const wait = (value: string) => {
      const reply = read('', { status: 429, headers: { 'retry-after': value } })
      return reply.kind === 'unavailable' ? reply.retryAfterSeconds : assert.fail()
    }
    assert.equal(wait('120'), 120)
    assert.equal(wait('Mon, 01 Jun 2026 12:02:00 GMT'), 120)
    assert.equal(wait('Mon, 01 Jun 2026 11:00:00 GMT'), 0)
    assert.equal(wait('999999999'), 86_400)
    assert.equal(wait('soon'), undefined)
    assert.equal(wait('-5'), undefined)
  })
})
