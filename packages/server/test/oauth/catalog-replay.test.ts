import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { ProviderDefinition } from '../../src/core/provider-definition.ts'
import { Secret } from '../../src/core/secret.ts'
import type { ProviderClient } from '../../src/core/token.ts'
import { buildAuthorizationUrl, usesPkce } from '../../src/oauth/authorization-url.ts'
import { resolveEndpoints } from '../../src/oauth/endpoints.ts'
import type { ProtocolContext } from '../../src/oauth/protocol-context.ts'
import { exchangeCode, refreshGrant } from '../../src/oauth/token-request.ts'
import { loadCatalog } from '../../src/providers/registry.ts'
import { put, standIn, tokenEndpoint } from '../support/definition-stand-in.ts'
import { startHostileProvider, type HostileProvider } from '../support/hostile-provider.ts'
import { contextFor, movableClock, noon } from './fixtures.ts'

/** Every catalogued provider against a stand-in that behaves as its entry says: nothing leaves this machine. */
let provider: HostileProvider
let context: ProtocolContext
const violations: string[] = []

before(async () => {
  provider = await startHostileProvider()
  context = contextFor(provider, movableClock())
})
after(async () => {
  await context.egress.close()
  await provider.close()
})

/** The entry with its token endpoints on this machine; ID tokens have tests of their own. */
function local(entry: ProviderDefinition): ProviderClient {
  const { issuer: _issuer, jwks_uri: _keys, userinfo_url: _userinfo, ...rest } = entry
  const at = `${provider.origin}/${entry.slug}`
  const definition: ProviderDefinition = {
    ...rest,
    token_url: `${at}/code`,
    refresh_url: `${at}/refresh`,
    ...(rest.long_lived_exchange && { long_lived_exchange: { ...rest.long_lived_exchange, url: `${at}/long-lived` } }),
  }
  for (const call of ['code', 'refresh', 'long-lived'] as const) {
    provider.answer(`/${entry.slug}/${call}`, tokenEndpoint(definition, call, noon, violations))
  }
  return clientOf(definition)
}

function clientOf(definition: ProviderDefinition): ProviderClient {
  const variables = Object.fromEntries(
    Object.entries(definition.url_variables ?? {}).map(([name, variable]) => [
      name,
      variable.default ?? variable.example ?? variable.allowed?.[0] ?? '',
    ]),
  )
  const resolved = resolveEndpoints(definition, variables)
  assert(resolved.kind === 'resolved', `${definition.slug}: ${JSON.stringify(resolved)}`)
  const clientSecret = definition.client_auth === 'none' ? undefined : new Secret(standIn.clientSecret)
  return { definition, endpoints: resolved.endpoints, clientId: standIn.clientId, clientSecret }
}

function exchangeAt(client: ProviderClient) {
  return exchangeCode(context, client, {
    code: new Secret(standIn.code),
    redirectUri: standIn.redirectUri,
    verifier: usesPkce(client.definition) ? new Secret(standIn.verifier) : undefined,
    nonce: undefined,
    kept: {},
  })
}

describe('every catalogued provider', () => {
  for (const entry of loadCatalog().list()) {
    it(`${entry.slug}: is asked for consent the provider’s way`, () => {
      const url = new URL(
        buildAuthorizationUrl(clientOf(entry), {
          redirectUri: standIn.redirectUri,
          state: 'state-1',
          codeChallenge: usesPkce(entry) ? 'challenge-1' : undefined,
          scopes: ['one', 'two'],
          nonce: undefined,
          loginHint: undefined,
        }),
      )
      assert.equal(url.protocol, 'https:')
      const { searchParams: query } = url
      assert.equal(query.get('state'), 'state-1')
      assert.equal(query.get(entry.client_id_parameter ?? 'client_id'), standIn.clientId)
      assert.equal(query.get(entry.redirect_uri_parameter ?? 'redirect_uri'), standIn.redirectUri)
      assert.equal(query.get('response_type'), entry.response_type_omitted === true ? null : 'code')
      assert.equal(query.get('code_challenge_method'), entry.pkce === 'none' ? null : 'S256')
      if (entry.scope_parameter !== null) {
        const joined = ['one', 'two'].join(entry.scope_separator ?? ' ')
        assert.equal(query.get(entry.scope_parameter ?? 'scope'), joined)
      }
      for (const name of query.keys()) assert.equal(query.getAll(name).length, 1, `${name} is repeated`)
    })

    it(`${entry.slug}: gives a token for a code, and another on refresh`, async () => {
      const client = local(entry)
      violations.length = 0
      const granted = await exchangeAt(client)
      assert.deepEqual(violations, [])
      assert(granted.kind === 'granted', `${entry.slug}: ${JSON.stringify(granted)}`)
      const isSwapped = entry.long_lived_exchange !== undefined
      const { accessToken, secondAccessToken, refreshToken, secondRefreshToken, lifetimeSeconds } = standIn
      assert.equal(granted.accessToken.reveal(), isSwapped ? secondAccessToken : accessToken)
      assert.equal(granted.expiresAt?.getTime(), noon.getTime() + lifetimeSeconds * 1000)
      if (entry.refreshable !== true || entry.token_response_paths?.['refresh_token'] === 'access_token') return
      const refreshed = await refreshGrant(context, client, {
        refreshToken: new Secret(refreshToken),
        kept: {},
        idTokenSubject: undefined,
      })
      assert.deepEqual(violations, [])
      assert(refreshed.kind === 'granted', `${entry.slug}: ${JSON.stringify(refreshed)}`)
      assert.equal(refreshed.accessToken.reveal(), secondAccessToken)
      assert.equal(refreshed.refreshToken?.reveal(), secondRefreshToken)
    })

    it(`${entry.slug}: its refusals are told apart`, async () => {
      const client = local(entry)
      const answer = (status: number, json: object) => provider.answer(`/${entry.slug}/code`, { status, json })
      answer(400, { error: 'invalid_grant' })
      assert.equal((await exchangeAt(client)).kind, 'grant-lost')
      answer(401, { error: 'invalid_client' })
      assert.equal((await exchangeAt(client)).kind, 'client-rejected')
      answer(503, {})
      assert.equal((await exchangeAt(client)).kind, 'unavailable')
      const rule = entry.token_reply_error
      if (rule === undefined) return
      const refused = { access_token: 'must not count' }
      put(refused, rule.path, 'no such success value')
      answer(200, refused)
      assert.notEqual((await exchangeAt(client)).kind, 'granted')
    })
  }
})
