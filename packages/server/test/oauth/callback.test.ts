import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import type { ProviderDefinition } from '../../src/core/provider-definition.ts'
import { readCallback } from '../../src/oauth/callback.ts'
import { clientFor, definitionAt } from './fixtures.ts'

const issuer = 'https://provider.example'

function read(more: Partial<ProviderDefinition>, parameters: Record<string, string>, variables = {}) {
  return readCallback(clientFor(definitionAt(issuer, more), { variables }), parameters)
}

function codeOf(reading: ReturnType<typeof readCallback>): string {
  return reading.kind === 'code' ? reading.code.reveal() : assert.fail(JSON.stringify(reading))
}

describe('the issuer of a callback (RFC 9207)', () => {
  const promised = { issuer, authorization_response_iss_parameter_supported: true }

  it('is accepted when it is the very string', () => {
    assert.equal(codeOf(read(promised, { code: 'c', state: 's', iss: issuer })), 'c')
    assert.equal(codeOf(read({ issuer }, { code: 'c', iss: issuer })), 'c')
  })

  for (const iss of [`${issuer}/`, 'https://PROVIDER.example', 'https://evil.example', '', `${issuer} `]) {
    it(`is refused as ${JSON.stringify(iss)}, promised or not`, () => {
      assert.deepEqual(read(promised, { code: 'c', iss }), { kind: 'invalid', reason: 'issuer' })
      assert.deepEqual(read({ issuer }, { code: 'c', iss }), { kind: 'invalid', reason: 'issuer' })
    })
  }

  it('must be there when it was promised', () => {
    assert.deepEqual(read(promised, { code: 'c' }), { kind: 'invalid', reason: 'issuer' })
    assert.equal(codeOf(read({ issuer }, { code: 'c' })), 'c')
  })

  it('must be right on a refusal too, so that a stranger cannot end an attempt', () => {
    const refused = { error: 'access_denied' }
    assert.equal(read(promised, { ...refused, iss: 'https://evil.example' }).kind, 'invalid')
    assert.equal(read(promised, refused).kind, 'invalid')
    assert.equal(read(promised, { ...refused, iss: issuer }).kind, 'refused')
  })

  it('cannot be judged without a known issuer: refused if promised, ignored if not', () => {
    const unknown = { authorization_response_iss_parameter_supported: true }
    assert.equal(read(unknown, { code: 'c', iss: 'https://any.example' }).kind, 'invalid')
    assert.equal(read({}, { code: 'c', iss: 'https://any.example' }).kind, 'code')
  })

  it('follows the pattern where one address serves many tenants', () => {
    const many = { issuer: `${issuer}/common`, issuer_pattern: '^https://provider\\.example/[0-9a-f]{4}$' }
    assert.equal(read(many, { code: 'c', iss: `${issuer}/12ab` }).kind, 'code')
    assert.equal(read(many, { code: 'c', iss: `${issuer}/common` }).kind, 'invalid')
  })
})

describe('a code', () => {
  it('comes under the provider’s own name', () => {
    assert.equal(codeOf(read({ code_parameter: 'auth_code' }, { auth_code: 'c' })), 'c')
    assert.deepEqual(read({ code_parameter: 'auth_code' }, { code: 'c' }), { kind: 'invalid', reason: 'no_code' })
  })

  for (const [name, code] of Object.entries({ empty: '', huge: 'a'.repeat(4097), split: 'a\r\nb', foreign: 'ü' })) {
    it(`that is ${name} is none`, () => {
      assert.deepEqual(read({}, { code, state: 's' }), { kind: 'invalid', reason: 'no_code' })
    })
  }

  it('never shows when the reading is printed', () => {
    assert.doesNotMatch(JSON.stringify(read({}, { code: 'hush-hush' })), /hush/)
  })
})

describe('a refusal', () => {
  it('counts even beside a code', () => {
    assert.equal(read({}, { code: 'c', error: 'access_denied' }).kind, 'refused')
  })

  it('is read under the names some providers use', () => {
    assert.deepEqual(read({}, { error_reason: 'user_denied', error_description: 'No.' }), {
      kind: 'refused',
      code: 'user_denied',
      description: 'No.',
    })
    assert.deepEqual(read({}, { error_code: '1107', sub_error: '20043' }), {
      kind: 'refused',
      code: '1107',
      description: '20043',
    })
  })

  it('is escaped and cut', () => {
    const reading = read(
      {},
      { error: '<script>alert(1)</script>'.padEnd(200, 'x'), error_description: `a\u0000\u202e${'b'.repeat(400)}` },
    )
    assert(reading.kind === 'refused')
    assert.match(reading.code, /^[A-Za-z0-9_.-]{1,64}$/)
    assert.match(reading.description ?? '', /^[\x20-\x7e]{1,300}$/)
    assert.equal(read({}, { error: '' }).kind, 'refused')
  })
})

describe('callback parameters', () => {
  const region = { description: 'r', pattern: '^(?:eu|us|com\\.au)$' }
  const zoho: Partial<ProviderDefinition> = {
    authorization_url: `${issuer}/authorize`,
    token_url: 'https://accounts.{dc}.example/token',
    url_variables: { dc: region },
    callback_params: {
      'accounts-server': { pattern: '^https://accounts\\.(eu|us|com\\.au)\\.example$', url_variable: 'dc' },
      location: { pattern: '^[a-z]{2}$' },
    },
  }

  it('are kept under the names the definition gives, captured text only, and nothing else is', () => {
    const given = {
      code: 'c',
      state: 's',
      'accounts-server': 'https://accounts.com.au.example',
      location: 'au',
      x: 'y',
    }
    const reading = read(zoho, given)
    assert(reading.kind === 'code')
    assert.deepEqual(reading.kept, { dc: 'com.au', location: 'au' })
  })

  for (const value of [
    'https://accounts.evil.example',
    'https://accounts.eu.example.evil.example',
    'https://accounts.eu.example/',
    'https://evil.example/https://accounts.eu.example',
  ]) {
    it(`refuses ${value} as the place to redeem the code`, () => {
      assert.deepEqual(read(zoho, { code: 'c', 'accounts-server': value }), {
        kind: 'invalid',
        reason: 'callback_parameter',
      })
    })
  }

  it('that the database cannot store are refused even where the pattern admits them', () => {
    const loose: Partial<ProviderDefinition> = { callback_params: { team: { pattern: '^.{1,9}$' } } }
    assert.equal(read(loose, { code: 'c', team: 'a' }).kind, 'code')
    for (const team of ['a\u0000', 'a\ud800']) {
      assert.deepEqual(read(loose, { code: 'c', team }), { kind: 'invalid', reason: 'callback_parameter' })
    }
  })

  it('may be absent, unless the token address cannot do without', () => {
    assert.deepEqual(read(zoho, { code: 'c' }), { kind: 'invalid', reason: 'callback_parameter' })
    const withDefault = { ...zoho, url_variables: { dc: { ...region, default: 'us' } } }
    const reading = read(withDefault, { code: 'c' })
    assert(reading.kind === 'code')
    assert.deepEqual(reading.kept, {})
  })

  it('must equal the URL variable they are tied to', () => {
    const shop: Partial<ProviderDefinition> = {
      token_url: 'https://{shop}/token',
      url_variables: { shop: { description: 's', pattern: '^[a-z]+\\.shops\\.example$' } },
      callback_params: { shop: { pattern: '^[a-z]+\\.shops\\.example$', equals_url_variable: 'shop' } },
    }
    const asked = { shop: 'mine.shops.example' }
    assert.equal(read(shop, { code: 'c', shop: 'mine.shops.example' }, asked).kind, 'code')
    assert.equal(read(shop, { code: 'c', shop: 'other.shops.example' }, asked).kind, 'invalid')
  })
})

describe('a signed callback', () => {
  const signed: Partial<ProviderDefinition> = { callback_signature: 'hmac-sha256-hex-sorted-query' }
  const given = { code: 'c', shop: 'a.example', state: 's', timestamp: '1', host: 'YWJj+/=' }
  const message = 'code=c&host=YWJj+/=&shop=a.example&state=s&timestamp=1'
  const hmac = createHmac('sha256', 'client-secret').update(message).digest('hex')

  it('is accepted with the right signature', () => {
    assert.equal(read(signed, { ...given, hmac }).kind, 'code')
  })

  const invalid = { kind: 'invalid', reason: 'signature' }
  it('is refused without one, with another, or with one parameter changed, added or removed', () => {
    const { timestamp: _timestamp, ...fewer } = given
    assert.deepEqual(read(signed, given), invalid)
    assert.deepEqual(read(signed, { ...given, hmac: 'a'.repeat(64) }), invalid)
    assert.deepEqual(read(signed, { ...given, hmac: 'zz' }), invalid)
    assert.deepEqual(read(signed, { ...given, hmac, code: 'd' }), invalid)
    assert.deepEqual(read(signed, { ...given, hmac, extra: '1' }), invalid)
    assert.deepEqual(read(signed, { ...fewer, hmac }), invalid)
  })

  it('is refused where there is no secret to check it with', () => {
    const client = clientFor(definitionAt(issuer, signed), { clientSecret: null })
    const empty = createHmac('sha256', '').update(message).digest('hex')
    assert.deepEqual(readCallback(client, { ...given, hmac: empty }), invalid)
  })
})
