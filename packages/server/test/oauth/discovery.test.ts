import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createDiscovery, DiscoveryError, type Discovery } from '../../src/oauth/discovery.ts'
import { startHostileProvider, type HostileProvider } from '../support/hostile-provider.ts'
import { contextFor, movableClock, type MovableClock } from './fixtures.ts'

const openid = '/.well-known/openid-configuration'
const oauth = '/.well-known/oauth-authorization-server'

interface Stage {
  readonly provider: HostileProvider
  readonly clock: MovableClock
  readonly discovery: Discovery
  readonly metadata: Readonly<Record<string, unknown>>
}

async function onStage(work: (stage: Stage) => Promise<void>): Promise<void> {
  await using provider = await startHostileProvider()
  const clock = movableClock()
  const context = contextFor(provider, clock)
  const { origin } = provider
  try {
    await work({
      provider,
      clock,
      discovery: createDiscovery(context),
      metadata: {
        issuer: origin,
        authorization_endpoint: `${origin}/authorize`,
        token_endpoint: `${origin}/token`,
      },
    })
  } finally {
    await context.egress.close()
  }
}

async function reasonOf(work: Promise<unknown>): Promise<DiscoveryError['reason']> {
  try {
    await work
  } catch (error) {
    assert(error instanceof DiscoveryError, String(error))
    return error.reason
  }
  return assert.fail('expected a DiscoveryError')
}

describe('discovery', () => {
  it('reads the OpenID Connect document into the fields of a definition', () =>
    onStage(async ({ provider, discovery, metadata }) => {
      const { origin } = provider
      provider.answer(openid, {
        json: {
          ...metadata,
          userinfo_endpoint: `${origin}/me`,
          revocation_endpoint: `${origin}/revoke`,
          jwks_uri: `${origin}/jwks`,
          token_endpoint_auth_methods_supported: ['private_key_jwt', 'client_secret_post'],
          authorization_response_iss_parameter_supported: true,
          id_token_signing_alg_values_supported: ['RS256', 'ES256'],
          scopes_supported: ['openid', 'email', 'offline_access', 'admin'],
          response_types_supported: ['code', 'token'],
        },
      })
      assert.deepEqual(await discovery.discover(origin), {
        issuer: origin,
        authorization_url: `${origin}/authorize`,
        token_url: `${origin}/token`,
        userinfo_url: `${origin}/me`,
        revocation_url: `${origin}/revoke`,
        jwks_uri: `${origin}/jwks`,
        client_auth: 'client_secret_post',
        authorization_response_iss_parameter_supported: true,
        id_token_signing_alg_values_supported: ['RS256', 'ES256'],
        default_scopes: ['openid', 'email', 'offline_access'],
      })
    }))

  it('takes Basic for silence, and the other fields as absent', () =>
    onStage(async ({ provider, discovery, metadata }) => {
      provider.answer(openid, { json: metadata })
      assert.deepEqual(await discovery.discover(provider.origin), {
        issuer: provider.origin,
        authorization_url: `${provider.origin}/authorize`,
        token_url: `${provider.origin}/token`,
        client_auth: 'client_secret_basic',
        default_scopes: [],
      })
    }))

  it('falls back to RFC 8414, with the well-known part before the issuer’s path', () =>
    onStage(async ({ provider, discovery, metadata }) => {
      const issuer = `${provider.origin}/tenant/a`
      provider.answer(`${oauth}/tenant/a`, { json: { ...metadata, issuer } })
      assert.equal((await discovery.discover(issuer)).issuer, issuer)
      assert.deepEqual(
        provider.seen.map((seen) => seen.path),
        [`/tenant/a${openid}`, `${oauth}/tenant/a`],
      )
    }))

  for (const suffix of ['/', '/other', '?', '.']) {
    it(`discovery-issuer-mismatch: metadata that names the issuer with "${suffix}" appended is refused`, () =>
      onStage(async ({ provider, discovery, metadata }) => {
        provider.answer(openid, { json: { ...metadata, issuer: `${provider.origin}${suffix}` } })
        assert.equal(await reasonOf(discovery.discover(provider.origin)), 'issuer_mismatch')
        assert.equal(provider.seen.length, 1, 'nothing further is received')
      }))
  }

  for (const name of [
    'authorization_endpoint',
    'token_endpoint',
    'userinfo_endpoint',
    'revocation_endpoint',
    'jwks_uri',
  ]) {
    it(`refuses metadata whose ${name} points inwards`, () =>
      onStage(async ({ provider, discovery, metadata }) => {
        for (const inward of [
          'https://169.254.169.254/',
          'http://10.0.0.1/',
          'https://[::1]/',
          'file:///etc/passwd',
          'https://u:p@x.example/',
        ]) {
          provider.answer(`/${inward.length}${openid}`, {
            json: { ...metadata, issuer: `${provider.origin}/${inward.length}`, [name]: inward },
          })
          assert.equal(await reasonOf(discovery.discover(`${provider.origin}/${inward.length}`)), 'not_allowed', inward)
        }
      }))
  }

  it('refuses metadata whose addresses the database cannot store, and leaves such algorithms out', () =>
    onStage(async ({ provider, discovery, metadata }) => {
      const issuer = `${provider.origin}/other`
      const algorithms = { id_token_signing_alg_values_supported: ['RS256', 'RS\u0000'] }
      provider.answer(`/other${openid}`, { json: { ...metadata, issuer, ...algorithms } })
      assert.deepEqual((await discovery.discover(issuer)).id_token_signing_alg_values_supported, ['RS256'])
      provider.answer(openid, { json: { ...metadata, jwks_uri: `${provider.origin}/a\u0000b` } })
      assert.equal(await reasonOf(discovery.discover(provider.origin)), 'invalid_metadata')
    }))

  const broken: Readonly<Record<string, unknown>> = {
    'no authorization endpoint': { authorization_endpoint: undefined },
    'no token endpoint': { token_endpoint: null },
    'an endpoint that is no text': { token_endpoint: 7 },
    'an endpoint with a placeholder': { token_endpoint: 'https://x.example/{client_id}' },
    'an endpoint that is no address': { token_endpoint: '/token' },
  }
  for (const [name, change] of Object.entries(broken)) {
    it(`refuses metadata with ${name}`, () =>
      onStage(async ({ provider, discovery, metadata }) => {
        provider.answer(openid, { json: Object.assign({}, metadata, change) })
        assert.equal(await reasonOf(discovery.discover(provider.origin)), 'invalid_metadata')
      }))
  }

  it('refuses what is no JSON object', () =>
    onStage(async ({ provider, discovery }) => {
      provider.answer(openid, { text: '<html>' })
      assert.equal(await reasonOf(discovery.discover(provider.origin)), 'invalid_metadata')
    }))

  const unsupported: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    'no code flow': { response_types_supported: ['id_token'] },
    'no authorization code grant': { grant_types_supported: ['client_credentials'] },
    'only client authentication we do not do': { token_endpoint_auth_methods_supported: ['tls_client_auth'] },
  }
  for (const [name, change] of Object.entries(unsupported)) {
    it(`refuses a provider with ${name}`, () =>
      onStage(async ({ provider, discovery, metadata }) => {
        provider.answer(openid, { json: { ...metadata, ...change } })
        assert.equal(await reasonOf(discovery.discover(provider.origin)), 'unsupported')
      }))
  }

  for (const issuer of [
    'https://127.0.0.1',
    'http://issuer.example',
    'issuer.example',
    'https://issuer.example/?x',
    'https://issuer.example/#x',
    'https://a@issuer.example',
  ]) {
    it(`refuses ${issuer} as an issuer without asking it`, () =>
      onStage(async ({ provider, discovery }) => {
        assert.equal(await reasonOf(discovery.discover(issuer)), 'not_allowed')
        assert.equal(provider.seen.length, 0)
      }))
  }

  it('does not follow redirects', () =>
    onStage(async ({ provider, discovery, metadata }) => {
      provider.answer('/real', { json: metadata })
      provider.answer(openid, (response) => response.writeHead(302, { location: '/real' }).end())
      assert.equal(await reasonOf(discovery.discover(provider.origin)), 'unreachable')
      assert.equal(provider.seenAt('/real').length, 0)
    }))

  it('asks once for many callers, and again after ten minutes', () =>
    onStage(async ({ provider, clock, discovery, metadata }) => {
      provider.answer(openid, { json: metadata })
      await Promise.all(Array.from({ length: 20 }, () => discovery.discover(provider.origin)))
      clock.moveMs(599_000)
      await discovery.discover(provider.origin)
      assert.equal(provider.seen.length, 1)
      clock.moveMs(2_000)
      await discovery.discover(provider.origin)
      assert.equal(provider.seen.length, 2)
    }))

  it('remembers a failure for thirty seconds, for that issuer alone', () =>
    onStage(async ({ provider, clock, discovery, metadata }) => {
      await Promise.all([reasonOf(discovery.discover(provider.origin)), reasonOf(discovery.discover(provider.origin))])
      assert.equal(provider.seen.length, 2, 'both addresses once')
      provider.answer(openid, { json: metadata })
      assert.equal(await reasonOf(discovery.discover(provider.origin)), 'unreachable')
      assert.equal(provider.seen.length, 2)
      clock.moveMs(31_000)
      assert.equal((await discovery.discover(provider.origin)).issuer, provider.origin)
    }))
})
