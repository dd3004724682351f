import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it, type TestContext } from 'node:test'
import { inspect } from 'node:util'
import type { ProviderDefinition } from '../../src/core/provider-definition.ts'
import { Secret } from '../../src/core/secret.ts'
import type { ProviderClient, TokenOutcome } from '../../src/core/token.ts'
import type { KeySets } from '../../src/oauth/key-sets.ts'
import type { ProtocolContext } from '../../src/oauth/protocol-context.ts'
import { exchangeCode, refreshGrant } from '../../src/oauth/token-request.ts'
import { startHostileProvider, type HostileProvider } from '../support/hostile-provider.ts'
import {
  clientFor,
  contextFor,
  definitionAt,
  movableClock,
  noonSeconds,
  signerWith,
  type MovableClock,
} from './fixtures.ts'

// One pair of keys serves all tests; making RSA keys is slow.
const good = signerWith('key-1')
const other = signerWith('key-2')
const nonce = 'nonce-1'
const nonsense = { kind: 'unavailable', reason: 'nonsense', sent: true, retryAfterSeconds: undefined }

interface Stage {
  readonly provider: HostileProvider
  readonly clock: MovableClock
  readonly claims: Record<string, unknown>
  /** Exchanges a code; the token endpoint answers with this ID token. */
  exchange(idToken: unknown, sentNonce?: string): Promise<TokenOutcome>
  refresh(idToken: unknown, subject?: string): Promise<TokenOutcome>
}

interface StageSetting extends Partial<ProviderDefinition> {
  /** Leaves `jwks_uri` out of the definition. */
  readonly hasNoKeyAddress?: true
}

async function onStage(
  work: (stage: Stage) => Promise<void>,
  { hasNoKeyAddress, ...more }: StageSetting = {},
): Promise<void> {
  await using provider = await startHostileProvider()
  provider.answer('/jwks', { json: { keys: [good.jwk] } })
  const clock = movableClock()
  const context = contextFor(provider, clock)
  const issuer = provider.origin
  const client = clientFor(
    definitionAt(issuer, { issuer, ...(hasNoKeyAddress ? {} : { jwks_uri: `${issuer}/jwks` }), ...more }),
  )
  const answer = (id_token: unknown): void =>
    provider.answer('/token', { json: { access_token: 'at-1', refresh_token: 'rt-1', id_token } })
  const secret = (text: string): Secret => new Secret(text)
  try {
    await work({
      provider,
      clock,
      claims: { iss: issuer, sub: 'user-1', aud: 'client-1', exp: noonSeconds + 600, iat: noonSeconds, nonce },
      exchange(idToken, sentNonce = nonce) {
        answer(idToken)
        const redirectUri = 'https://app.example/cb'
        const request = { code: secret('c'), redirectUri, verifier: undefined, nonce: sentNonce || undefined, kept: {} }
        return exchangeCode(context, client, request)
      },
      refresh(idToken, subject) {
        answer(idToken)
        const request = { refreshToken: secret('r'), accessToken: undefined, kept: {}, idTokenSubject: subject }
        return refreshGrant(context, client, request)
      },
    })
  } finally {
    await context.egress.close()
  }
}

async function assertRefused(stage: Stage, idToken: string): Promise<void> {
  assert.deepEqual(await stage.exchange(idToken), nonsense)
  const furtherPaths = stage.provider.seen
    .map((seen) => seen.path)
    .filter((path) => !['/token', '/jwks'].includes(path))
  assert.deepEqual(furtherPaths, [], 'nothing further is received')
}

function claimsOf(outcome: TokenOutcome): Readonly<Record<string, unknown>> | undefined {
  return outcome.kind === 'granted' ? outcome.idTokenClaims : assert.fail(JSON.stringify(outcome))
}

describe('the Basic RP conformance cases', () => {
  it('oidcc-client-test, idtoken-sig-rs256: a good ID token gives its claims', () =>
    onStage(async (stage) => {
      assert.equal(claimsOf(await stage.exchange(good.sign(stage.claims)))?.sub, 'user-1')
    }))

  const faults: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    'invalid-iss': { iss: 'https://evil.example' },
    'invalid-iss by a trailing slash': { iss: 'SLASH' },
    'missing-iss': { iss: undefined },
    'missing-sub': { sub: undefined },
    'empty sub': { sub: '' },
    'sub that is no text': { sub: 7 },
    'sub that the database cannot store': { sub: 'user\u0000' },
    'invalid-aud': { aud: 'client-2' },
    'missing-aud': { aud: undefined },
    'invalid-secondary-aud': { aud: ['client-1', 'client-2'] },
    'azp of another client': { azp: 'client-2' },
    'several audiences, azp of another': { aud: ['client-1', 'client-2'], azp: 'client-2' },
    'missing-iat': { iat: undefined },
    'iat in the future': { iat: noonSeconds + 3600 },
    'iat as text': { iat: String(noonSeconds) },
    'expired-exp': { exp: noonSeconds - 61 },
    'missing-exp': { exp: undefined },
    'nbf in the future': { nbf: noonSeconds + 3600 },
    'nonce-invalid': { nonce: 'nonce-2' },
    'missing-nonce': { nonce: undefined },
  }
  for (const [name, change] of Object.entries(faults)) {
    it(`${name}: the token reply is nonsense`, () =>
      onStage(async (stage) => {
        const iss = change.iss === 'SLASH' ? { iss: `${stage.provider.origin}/` } : {}
        await assertRefused(stage, good.sign({ ...stage.claims, ...change, ...iss }))
      }))
  }

  it('valid-aud-as-array, and several audiences with the right azp, pass', () =>
    onStage(async (stage) => {
      claimsOf(await stage.exchange(good.sign({ ...stage.claims, aud: ['client-1'] })))
      claimsOf(await stage.exchange(good.sign({ ...stage.claims, aud: ['client-1', 'x'], azp: 'client-1' })))
    }))

  it('a nonce nobody asked for is refused', () =>
    onStage(async (stage) => {
      assert.deepEqual(await stage.exchange(good.sign(stage.claims), ''), nonsense)
    }))

  it('kid-absent-single-jwks: the only key is used', () =>
    onStage(async (stage) => {
      assert.ok(claimsOf(await stage.exchange(good.sign(stage.claims, { kid: undefined }))))
    }))

  it('kid-absent-multiple-jwks: every fitting key is tried, and a foreign one still refused', () =>
    onStage(async (stage) => {
      stage.provider.answer('/jwks', { json: { keys: [other.jwk, good.jwk] } })
      assert.ok(claimsOf(await stage.exchange(good.sign(stage.claims, { kid: undefined }))))
      const stranger = signerWith('x')
      await assertRefused(stage, stranger.sign(stage.claims, { kid: undefined }))
    }))

  it('idtoken-sig-none: refused with and without a signature', () =>
    onStage(async (stage) => {
      const token = good.sign(stage.claims, { alg: 'none' })
      await assertRefused(stage, token)
      await assertRefused(stage, `${token.split('.').slice(0, 2).join('.')}.`)
      await assertRefused(stage, good.sign(stage.claims, { alg: 'NONE' }))
    }))

  it('invalid-sig-rs256: a foreign or changed signature is refused', () =>
    onStage(async (stage) => {
      await assertRefused(stage, other.sign(stage.claims, { kid: 'key-1' }))
      const [head, , tail] = good.sign(stage.claims).split('.')
      const changed = Buffer.from(JSON.stringify({ ...stage.claims, sub: 'user-2' })).toString('base64url')
      await assertRefused(stage, `${head}.${changed}.${tail}`)
    }))

  it('invalid-alternate-alg: HS256 with the secret or the public key is refused', () =>
    onStage(async (stage) => {
      for (const key of ['client-secret', JSON.stringify(good.jwk)]) {
        const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
        const input = `${part({ alg: 'HS256', kid: 'key-1' })}.${part(stage.claims)}`
        await assertRefused(stage, `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`)
      }
      assert.equal(stage.provider.seenAt('/jwks').length, 0)
    }))

  it('an algorithm outside the provider’s own list is refused', () =>
    onStage(async (stage) => assertRefused(stage, good.sign(stage.claims)), {
      id_token_signing_alg_values_supported: ['ES256'],
    }))

  it('keys in the header (jwk, jku, x5u) are not looked at', () =>
    onStage(async (stage) => {
      const jku = `${stage.provider.origin}/evil-jwks`
      await assertRefused(stage, other.sign(stage.claims, { kid: 'evil', jwk: other.jwk, jku, x5u: jku }))
      assert.equal(stage.provider.seenAt('/evil-jwks').length, 0)
    }))

  for (const text of ['not-a-jwt', 'a.b', 'a.b.c.d.e', '..', `${'a'.repeat(10)}.e30.x`]) {
    it(`a malformed ID token (${text}) is refused`, () => onStage(async (stage) => assertRefused(stage, text)))
  }

  it('a fault leaves no claim or token in what is returned', () =>
    onStage(async (stage) => {
      const outcome = await stage.exchange(other.sign({ ...stage.claims, email: 'who@example.com' }))
      assert.doesNotMatch(inspect(outcome, { depth: 9 }), /who@|user-1|eyJ/)
    }))
})

describe('signing keys', () => {
  it('are fetched once for many ID tokens, also at the same time', () =>
    onStage(async (stage) => {
      const token = good.sign(stage.claims)
      await Promise.all(Array.from({ length: 20 }, () => stage.exchange(token)))
      await stage.exchange(token)
      assert.equal(stage.provider.seenAt('/jwks').length, 1)
    }))

  it('are fetched again when they are ten minutes old', () =>
    onStage(async (stage) => {
      await stage.exchange(good.sign(stage.claims))
      stage.clock.moveMs(601_000)
      await stage.exchange(good.sign({ ...stage.claims, exp: noonSeconds + 6000 }))
      assert.equal(stage.provider.seenAt('/jwks').length, 2)
    }))

  it('signing-key-rotation: a new key is found, after a cool-down', () =>
    onStage(async (stage) => {
      await stage.exchange(good.sign(stage.claims))
      stage.provider.answer('/jwks', { json: { keys: [other.jwk] } })
      stage.clock.moveMs(31_000)
      assert.ok(claimsOf(await stage.exchange(other.sign(stage.claims))))
      assert.equal(stage.provider.seenAt('/jwks').length, 2)
    }))

  it('signing-key-rotation without kid: a failed check asks once for newer keys', () =>
    onStage(async (stage) => {
      await stage.exchange(good.sign(stage.claims))
      stage.provider.answer('/jwks', { json: { keys: [other.jwk] } })
      stage.clock.moveMs(31_000)
      assert.ok(claimsOf(await stage.exchange(other.sign(stage.claims, { kid: undefined }))))
    }))

  it('are not asked for again by made-up key ids within the cool-down', () =>
    onStage(async (stage) => {
      await stage.exchange(good.sign(stage.claims))
      for (let n = 0; n < 10; n++) await stage.exchange(other.sign(stage.claims, { kid: `made-up-${n}` }))
      assert.equal(stage.provider.seenAt('/jwks').length, 1)
    }))

  it('that cannot be fetched end an exchange as network trouble, and old ones stand in for a while', () =>
    onStage(async (stage) => {
      stage.provider.answer('/jwks', { status: 503, text: '' })
      const network = { kind: 'unavailable', reason: 'network', sent: true, retryAfterSeconds: undefined }
      assert.deepEqual(await stage.exchange(good.sign(stage.claims)), network)
      stage.provider.answer('/jwks', { json: { keys: [good.jwk] } })
      stage.clock.moveMs(31_000)
      assert.ok(claimsOf(await stage.exchange(good.sign(stage.claims))))
      stage.provider.answer('/jwks', { status: 503, text: '' })
      stage.clock.moveMs(601_000)
      const longer = { ...stage.claims, exp: noonSeconds + 100_000 }
      assert.ok(claimsOf(await stage.exchange(good.sign(longer))))
      stage.clock.moveMs(3_600_000)
      assert.deepEqual(await stage.exchange(good.sign(longer)), network)
    }))

  it('are found through the issuer’s metadata where the definition has no address', () =>
    onStage(
      async (stage) => {
        const issuer = stage.provider.origin
        stage.provider.answer('/.well-known/openid-configuration', {
          json: {
            issuer,
            authorization_endpoint: `${issuer}/a`,
            token_endpoint: `${issuer}/t`,
            jwks_uri: `${issuer}/jwks`,
          },
        })
        assert.ok(claimsOf(await stage.exchange(good.sign(stage.claims))))
        assert.deepEqual(await stage.exchange(other.sign(stage.claims)), nonsense)
      },
      { hasNoKeyAddress: true },
    ))

  it('are not used for anything but signatures', () =>
    onStage(async (stage) => {
      stage.provider.answer('/jwks', { json: { keys: [{ ...good.jwk, use: 'enc' }] } })
      await assertRefused(stage, good.sign(stage.claims))
    }))
})

describe('a provider without issuer and keys', () => {
  it('has its ID token read over TLS, claims checked, none refused, and oddities ignored', async () => {
    await using provider = await startHostileProvider()
    const context = contextFor(provider)
    const client = clientFor(definitionAt(provider.origin))
    const exchange = (id_token: unknown): Promise<TokenOutcome> => {
      provider.answer('/token', { json: { access_token: 'a', id_token } })
      const redirectUri = 'https://app.example/cb'
      return exchangeCode(context, client, { code: new Secret('c'), redirectUri, verifier: undefined, nonce, kept: {} })
    }
    const claims = {
      iss: 'https://any.example',
      sub: 'u',
      aud: 'client-1',
      exp: noonSeconds + 60,
      iat: noonSeconds,
      nonce,
    }
    assert.equal(claimsOf(await exchange(good.sign(claims)))?.sub, 'u')
    assert.deepEqual(await exchange(good.sign({ ...claims, aud: 'client-2' })), nonsense)
    assert.deepEqual(await exchange(good.sign(claims, { alg: 'none' })), nonsense)
    assert.equal(claimsOf(await exchange('opaque')), undefined)
    assert.equal(claimsOf(await exchange(false)), undefined)
    await context.egress.close()
  })
})

describe('an ID token that is missing', () => {
  it('is tolerated where PKCE guards the code', () =>
    onStage(async (stage) => assert.equal(claimsOf(await stage.exchange(undefined)), undefined)))

  it('is refused where the nonce is the only guard', () =>
    onStage(async (stage) => assert.deepEqual(await stage.exchange(undefined), nonsense), { pkce: 'none' }))
})

describe('the issuer pattern', () => {
  const more = { issuer_pattern: '^https://login\\.example/[0-9a-f]{4}/v2$' }
  it('replaces the exact comparison, and nothing else', () =>
    onStage(async (stage) => {
      assert.ok(claimsOf(await stage.exchange(good.sign({ ...stage.claims, iss: 'https://login.example/12ab/v2' }))))
      await assertRefused(stage, good.sign(stage.claims))
      await assertRefused(stage, good.sign({ ...stage.claims, iss: 'https://login.example/12ab/v2/evil' }))
      await assertRefused(
        stage,
        other.sign({ ...stage.claims, iss: 'https://login.example/12ab/v2' }, { kid: 'key-1' }),
      )
    }, more))
})

describe('an ID token at a refresh', () => {
  it('of the same issuer and subject passes, also without nonce and with old times', () =>
    onStage(async (stage) => {
      const old = { ...stage.claims, nonce: undefined, exp: noonSeconds - 9000, iat: noonSeconds - 9600 }
      assert.equal(claimsOf(await stage.refresh(good.sign(old), 'user-1'))?.sub, 'user-1')
    }))

  const faults = {
    'refresh-token-invalid-issuer': { iss: 'https://evil.example' },
    'refresh-token-invalid-sub': { sub: 'user-2' },
  }
  for (const [name, change] of Object.entries(faults)) {
    it(`${name}: quarantined as a nonsensical reply that was sent for`, () =>
      onStage(async (stage) => {
        assert.deepEqual(await stage.refresh(good.sign({ ...stage.claims, ...change }), 'user-1'), nonsense)
      }))
  }

  it('with a bogus signature is refused', () =>
    onStage(async (stage) => {
      assert.deepEqual(await stage.refresh(other.sign(stage.claims, { kid: 'key-1' }), 'user-1'), nonsense)
    }))

  it('does not cost the rotated refresh token when only the keys are out of reach', () =>
    onStage(async (stage) => {
      stage.provider.answer('/jwks', { status: 503, text: '' })
      const outcome = await stage.refresh(good.sign(stage.claims), 'user-1')
      assert(outcome.kind === 'granted')
      assert.deepEqual([outcome.refreshToken?.reveal(), outcome.idTokenClaims], ['rt-1', undefined])
      assert.deepEqual(await stage.refresh(good.sign({ ...stage.claims, sub: 'user-2' }), 'user-1'), nonsense)
    }))
})

describe('keys that do not come', () => {
  async function outcomeOf(
    t: TestContext,
    redeem: (context: ProtocolContext, client: ProviderClient) => Promise<TokenOutcome>,
  ): Promise<TokenOutcome> {
    await using provider = await startHostileProvider()
    const issuer = provider.origin
    const client = clientFor(definitionAt(issuer, { issuer, jwks_uri: `${issuer}/jwks` }))
    const claims = { iss: issuer, sub: 'user-1', aud: 'client-1', exp: noonSeconds + 600, iat: noonSeconds }
    provider.answer('/token', { json: { access_token: 'at-1', refresh_token: 'rt-1', id_token: good.sign(claims) } })
    const context = contextFor(provider)
    const keySets: KeySets = {
      read() {
        setImmediate(() => t.mock.timers.tick(5_000))
        return new Promise(() => {})
      },
    }
    t.mock.timers.enable({ apis: ['setTimeout'] })
    try {
      return await redeem({ ...context, keySets }, client)
    } finally {
      t.mock.timers.reset()
      await context.egress.close()
    }
  }

  it('cost a refresh the claims after five seconds, and not the grant', async (t) => {
    const request = {
      refreshToken: new Secret('r'),
      accessToken: undefined,
      kept: {},
      idTokenSubject: 'user-1',
      deadlineMs: 60_000,
    }
    const outcome = await outcomeOf(t, (context, client) => refreshGrant(context, client, request))
    assert(outcome.kind === 'granted')
    assert.deepEqual([outcome.refreshToken?.reveal(), outcome.idTokenClaims], ['rt-1', undefined])
  })

  it('end an exchange after five seconds', async (t) => {
    const request = { code: new Secret('c'), redirectUri: 'x', verifier: undefined, nonce: undefined, kept: {} }
    const outcome = await outcomeOf(t, (context, client) => exchangeCode(context, client, request))
    assert.deepEqual(outcome, { ...nonsense, reason: 'network' })
  })
})
