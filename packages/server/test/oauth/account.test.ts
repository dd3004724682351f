import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ProviderDefinition } from '../../src/core/provider-definition.ts'
import { Secret } from '../../src/core/secret.ts'
import type { TokenGrant } from '../../src/core/token.ts'
import { AccountMismatchError, readAccount, type AccountReading } from '../../src/oauth/account.ts'
import { startHostileProvider, type HostileAnswer, type SeenRequest } from '../support/hostile-provider.ts'
import { clientFor, contextFor, definitionAt } from './fixtures.ts'

interface Found extends AccountReading {
  readonly seen: readonly SeenRequest[]
}

async function find(
  definition: (origin: string) => Partial<ProviderDefinition>,
  grant: Partial<TokenGrant>,
  answers: Readonly<Record<string, HostileAnswer>> = {},
): Promise<Found> {
  await using provider = await startHostileProvider()
  for (const [path, answer] of Object.entries(answers)) provider.answer(path, answer)
  const context = contextFor(provider)
  const client = clientFor(definitionAt(provider.origin, definition(provider.origin)))
  const whole: TokenGrant = {
    kind: 'granted',
    accessToken: new Secret('at-1'),
    refreshToken: undefined,
    tokenType: 'Bearer',
    expiresAt: undefined,
    scopes: undefined,
    idTokenClaims: undefined,
    kept: {},
    ...grant,
  }
  try {
    const reading = await readAccount(context, client, whole)
    return { ...reading, seen: provider.seen }
  } finally {
    await context.egress.close()
  }
}

const me = (origin: string) => ({ userinfo_url: `${origin}/me` })

describe('the account of a grant', () => {
  it('is the subject of the ID token, named by e-mail, then name, then user name', async () => {
    const named = { sub: 'u1', preferred_username: 'pu', name: 'Name', email: 'e@x.example' }
    assert.deepEqual((await find(() => ({}), { idTokenClaims: named })).account, { id: 'u1', name: 'e@x.example' })
    const { email: _email, ...noMail } = named
    assert.deepEqual((await find(() => ({}), { idTokenClaims: noMail })).account, { id: 'u1', name: 'Name' })
    assert.deepEqual((await find(() => ({}), { idTokenClaims: { sub: 'u1' } })).account, { id: 'u1', name: undefined })
  })

  it('scope-userinfo-claims: takes the name from userinfo when the ID token has none, token in the header', async () => {
    const answers = { '/me': { json: { sub: 'u1', name: 'From userinfo' } } }
    const { account, seen } = await find(me, { idTokenClaims: { sub: 'u1' } }, answers)
    assert.deepEqual(account, { id: 'u1', name: 'From userinfo' })
    assert.deepEqual([seen[0]?.method, seen[0]?.headers.authorization, seen[0]?.query.size], ['GET', 'Bearer at-1', 0])
  })

  it('userinfo-invalid-sub: another subject in userinfo is told apart from all other trouble', async () => {
    const answers = { '/me': { json: { sub: 'u2' } } }
    await assert.rejects(find(me, { idTokenClaims: { sub: 'u1' } }, answers), AccountMismatchError)
    const rule = (origin: string): Partial<ProviderDefinition> => ({
      ...me(origin),
      account: { from: 'userinfo', id: 'sub' },
    })
    await assert.rejects(find(rule, { idTokenClaims: { sub: 'u1' } }, answers), AccountMismatchError)
  })

  it('is userinfo’s sub, else its id, where there is no ID token', async () => {
    assert.deepEqual((await find(me, {}, { '/me': { json: { sub: 'u1', id: 7 } } })).account?.id, 'u1')
    assert.deepEqual((await find(me, {}, { '/me': { json: { id: 7, login: 'octo' } } })).account, {
      id: '7',
      name: 'octo',
    })
  })

  it('is found by the definition’s paths, in lists too', async () => {
    const rule = (origin: string): Partial<ProviderDefinition> => ({
      ...me(origin),
      account: { from: 'userinfo', id: 'data.user.id', name: 'data.user.emails.0.address' },
    })
    const document = { data: { user: { id: 'x', emails: [{ address: 'a@x.example' }] } } }
    assert.deepEqual((await find(rule, {}, { '/me': { json: document } })).account, { id: 'x', name: 'a@x.example' })
    const list = (origin: string): Partial<ProviderDefinition> => ({
      ...me(origin),
      account: { from: 'userinfo', id: '0.tenantId' },
    })
    assert.deepEqual((await find(list, {}, { '/me': { json: [{ tenantId: 't' }] } })).account, {
      id: 't',
      name: undefined,
    })
  })

  it('comes from the ID token, the token reply or the callback where the definition says so, without any call', async () => {
    const claims = { sub: 's', oid: 'o', upn: 'n' }
    const cases: readonly (readonly [Partial<ProviderDefinition>, Partial<TokenGrant>, unknown])[] = [
      [{ account: { from: 'id_token', id: 'oid', name: 'upn' } }, { idTokenClaims: claims }, { id: 'o', name: 'n' }],
      [
        { account: { from: 'token_reply', id: 'team.id' } },
        { kept: { 'account.id': 'T' } },
        { id: 'T', name: undefined },
      ],
      [
        {
          account: { from: 'callback', id: 'realmId' },
          callback_params: { realmId: { pattern: '^\\d+$' } },
        },
        { kept: { realmId: '9' } },
        { id: '9', name: undefined },
      ],
      [
        {
          account: { from: 'callback', id: 'shop' },
          callback_params: { shop: { pattern: '^\\w+$', url_variable: 'shop_name' } },
          url_variables: { shop_name: { description: '', pattern: '^\\w+$' } },
        },
        { kept: { shop_name: 'mine' } },
        { id: 'mine', name: undefined },
      ],
    ]
    for (const [definition, grant, expected] of cases) {
      const { account, seen } = await find((origin) => ({ ...me(origin), ...definition }), grant)
      assert.deepEqual(account, expected)
      assert.equal(seen.length, 0)
    }
  })

  it('asks by POST, with a body, own token header and constant headers, where the definition says so', async () => {
    const definition = (origin: string): Partial<ProviderDefinition> => ({
      ...me(origin),
      account: { from: 'userinfo', id: 'data.id', method: 'POST', body: '{"query":"{viewer{id}}"}' },
      api_token: { in: 'header', name: 'X-Token' },
      api_headers: { 'Client-Id': '{client_id}' },
    })
    const { account, seen } = await find(definition, {}, { '/me': { json: { data: { id: 'v' } } } })
    assert.equal(account?.id, 'v')
    const [request] = seen
    assert.deepEqual(
      [
        request?.method,
        request?.body,
        request?.headers['content-type'],
        request?.headers['x-token'],
        request?.headers['client-id'],
      ],
      ['POST', '{"query":"{viewer{id}}"}', 'application/json', 'at-1', 'client-1'],
    )
    assert.equal(request?.headers.authorization, undefined)
  })

  it('sends the token with another prefix, in the query, or in the path, only by definition', async () => {
    const answers = { '/me': { json: { id: 1 } }, '/tokens/at-1': { json: { id: 2 } } }
    for (const prefix of ['OAuth', 'OAuth ']) {
      const api_token = { in: 'header' as const, name: 'Authorization', prefix }
      const { seen } = await find((origin) => ({ ...me(origin), api_token }), {}, answers)
      assert.equal(seen[0]?.headers.authorization, 'OAuth at-1')
    }
    const query = await find(
      (origin) => ({ ...me(origin), api_token: { in: 'query', name: 'oauth_token' } }),
      {},
      answers,
    )
    assert.deepEqual(
      [query.seen[0]?.query.get('oauth_token'), query.seen[0]?.headers.authorization],
      ['at-1', undefined],
    )
    const path = await find((origin) => ({ userinfo_url: `${origin}/tokens/{access_token}` }), {}, answers)
    assert.deepEqual([path.account?.id, path.seen[0]?.headers.authorization], ['2', undefined])
  })

  it('keeps what the definition wants of userinfo, checked where it is a URL variable', async () => {
    const definition = (origin: string): Partial<ProviderDefinition> => ({
      ...me(origin),
      url_variables: { dc: { description: '', pattern: '^us\\d+$' } },
      userinfo_response_paths: { dc: 'dc', site: 'site.id' },
    })
    const good = await find(definition, {}, { '/me': { json: { id: 1, dc: 'us7', site: { id: 's' } } } })
    assert.deepEqual(good.kept, { dc: 'us7', site: 's' })
    const bad = await find(definition, {}, { '/me': { json: { id: 1, dc: 'evil.example/' } } })
    assert.deepEqual(bad.kept, {})
  })

  const trouble: Readonly<Record<string, HostileAnswer>> = {
    'an error': { status: 500, json: { id: 1 } },
    'a redirect': (response) => response.writeHead(302, { location: '/steal' }).end(),
    HTML: { text: '<html>' },
    'a broken connection': (response) => response.destroy(),
    'too much': { json: { id: 1, pad: 'x'.repeat(70_000) } },
    'no id': { json: { name: 'n' } },
    'an id that is an object': { json: { id: {} } },
  }
  for (const [name, answer] of Object.entries(trouble)) {
    it(`is unknown when userinfo answers with ${name}; the connection does not fail for it`, async () => {
      const { account, seen } = await find(me, {}, { '/me': answer })
      assert.equal(account, undefined)
      assert.deepEqual([...new Set(seen.map((request) => request.path))], ['/me'])
    })
  }

  it('is unknown when the database could not store its id, and nameless when it could not store the name', async () => {
    const unknown = await find(me, {}, { '/me': { json: { id: '1\u0000', name: 'n' } } })
    assert.equal(unknown.account, undefined)
    const nameless = await find(me, {}, { '/me': { json: { id: '1', name: 'n\ud800' } } })
    assert.deepEqual(nameless.account, { id: '1', name: undefined })
  })

  it('has a name without control and direction characters, of 200 characters at most', async () => {
    const name = `a\u0007\u202e\u2066b\n${'c'.repeat(500)}`
    const { account } = await find(me, {}, { '/me': { json: { id: 1, name } } })
    assert.equal(account?.name, `ab${'c'.repeat(198)}`)
  })
})
