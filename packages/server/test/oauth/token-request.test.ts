import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import type { ProviderDefinition } from '../../src/core/provider-definition.ts'
import { Secret } from '../../src/core/secret.ts'
import type { TokenGrant, TokenOutcome } from '../../src/core/token.ts'
import { exchangeCode, refreshGrant, type CodeExchange, type RefreshRequest } from '../../src/oauth/token-request.ts'
import { startHostileProvider, type HostileAnswer, type HostileProvider } from '../support/hostile-provider.ts'
import { clientFor, contextFor, definitionAt } from './fixtures.ts'

const token = { access_token: 'at-1', refresh_token: 'rt-1', token_type: 'Bearer', expires_in: 3600 }

interface Setting {
  readonly definition?: (origin: string) => Partial<ProviderDefinition>
  readonly secret?: string | null
  readonly answers?: Readonly<Record<string, HostileAnswer>>
}

async function withProvider<T>(
  setting: Setting,
  work: (given: {
    provider: HostileProvider
    exchange: (more?: Partial<CodeExchange>) => Promise<TokenOutcome>
    refresh: (more?: Partial<RefreshRequest>) => Promise<TokenOutcome>
  }) => Promise<T>,
): Promise<T> {
  await using provider = await startHostileProvider()
  provider.answer('/token', { json: token })
  for (const [path, answer] of Object.entries(setting.answers ?? {})) provider.answer(path, answer)
  const context = contextFor(provider)
  const definition = definitionAt(provider.origin, setting.definition?.(provider.origin) ?? {})
  const client = clientFor(definition, setting.secret === undefined ? {} : { clientSecret: setting.secret })
  try {
    return await work({
      provider,
      exchange: (more) =>
        exchangeCode(context, client, {
          code: new Secret('code-1'),
          redirectUri: 'https://app.example/hostile/callback?x=1',
          verifier: new Secret('verifier-1'),
          nonce: undefined,
          kept: {},
          ...more,
        }),
      refresh: (more) =>
        refreshGrant(context, client, {
          refreshToken: new Secret('rt-0'),
          kept: {},
          idTokenSubject: undefined,
          ...more,
        }),
    })
  } finally {
    await context.egress.close()
  }
}

function grantOf(outcome: TokenOutcome): TokenGrant {
  return outcome.kind === 'granted' ? outcome : assert.fail(JSON.stringify(outcome))
}

const form = (body: string | undefined) => Object.fromEntries(new URLSearchParams(body))

describe('exchangeCode', () => {
  it('sends what RFC 6749 §4.1.3 and RFC 7636 §4.5 ask for, once', () =>
    withProvider({}, async ({ provider, exchange }) => {
      const grant = grantOf(await exchange())
      assert.deepEqual([grant.accessToken.reveal(), grant.refreshToken?.reveal()], ['at-1', 'rt-1'])
      const [seen, ...more] = provider.seen
      assert.equal(more.length, 0)
      assert.deepEqual(form(seen?.body), {
        grant_type: 'authorization_code',
        code: 'code-1',
        redirect_uri: 'https://app.example/hostile/callback?x=1',
        code_verifier: 'verifier-1',
        client_id: 'client-1',
        client_secret: 'client-secret',
      })
      assert.equal(seen?.method, 'POST')
      assert.equal(seen.query.size, 0)
      assert.equal(seen.headers.accept, 'application/json')
      assert.equal(seen.headers['content-type'], 'application/x-www-form-urlencoded')
      assert.equal(seen.headers.authorization, undefined)
    }))

  it('authenticates by Basic alone where the definition says Basic', () =>
    withProvider({ definition: () => ({ client_auth: 'client_secret_basic' }) }, async ({ provider, exchange }) => {
      await exchange()
      const [seen] = provider.seen
      assert.match(String(seen?.headers.authorization), /^Basic /)
      assert.deepEqual([form(seen?.body).client_id, form(seen?.body).client_secret], [undefined, undefined])
    }))

  it('follows every request quirk of a definition', () =>
    withProvider(
      {
        definition: () => ({
          token_request_format: 'json',
          token_request_headers: { 'X-Client': '{client_id}' },
          extra_token_params: { audience: 'api' },
          code_request_parameter: 'auth_code',
          code_grant_type: null,
          redirect_uri_parameter: 'redirect_url',
          client_id_parameter: 'app_id',
          client_secret_parameter: 'secret',
          callback_params: { device_id: { pattern: '^\\w+$', token_parameter: 'device' } },
        }),
      },
      async ({ provider, exchange }) => {
        const grant = grantOf(await exchange({ kept: { device_id: 'd1' }, verifier: undefined }))
        assert.deepEqual(grant.kept, { device_id: 'd1' })
        const [seen] = provider.seen
        assert.deepEqual(JSON.parse(seen?.body ?? ''), {
          auth_code: 'code-1',
          audience: 'api',
          redirect_url: 'https://app.example/hostile/callback?x=1',
          app_id: 'client-1',
          secret: 'client-secret',
          device: 'd1',
        })
        assert.equal(seen?.headers['x-client'], 'client-1')
        assert.equal(seen.headers['content-type'], 'application/json')
      },
    ))

  it('leaves out the redirect URI where the definition says so', () =>
    withProvider({ definition: () => ({ redirect_uri_omitted: true }) }, async ({ provider, exchange }) => {
      await exchange()
      assert.equal(form(provider.seen[0]?.body).redirect_uri, undefined)
    }))

  it('puts everything in the query of a GET only where the definition says so', () =>
    withProvider({ definition: () => ({ token_request_format: 'query' }) }, async ({ provider, exchange }) => {
      grantOf(await exchange())
      const [seen] = provider.seen
      assert.deepEqual(
        [seen?.method, seen?.query.get('code'), seen?.query.get('client_secret')],
        ['GET', 'code-1', 'client-secret'],
      )
    }))

  it('never lets an extra parameter replace the code or the grant type', () =>
    withProvider(
      { definition: () => ({ extra_token_params: { code: 'evil', grant_type: 'password', client_secret: 'evil' } }) },
      async ({ provider, exchange }) => {
        await exchange()
        const { code, grant_type, client_secret } = form(provider.seen[0]?.body)
        assert.deepEqual([code, grant_type, client_secret], ['code-1', 'authorization_code', 'client-secret'])
      },
    ))

  it('redeems at the host the callback named, and sends nothing to one that does not fit', () => {
    const definition = (origin: string): Partial<ProviderDefinition> => ({
      authorization_url: `${origin}/authorize`,
      token_url: `${origin}/{dc}/token`,
      url_variables: { dc: { description: 'd', pattern: '^(?:eu|us)$' } },
      callback_params: { location: { pattern: '^[a-z]+$', url_variable: 'dc' } },
    })
    return withProvider({ definition, answers: { '/eu/token': { json: token } } }, async ({ provider, exchange }) => {
      assert.deepEqual(grantOf(await exchange({ kept: { dc: 'eu' } })).kept, { dc: 'eu' })
      const refused = { kind: 'unavailable', reason: 'refused', sent: false, retryAfterSeconds: undefined }
      assert.deepEqual(await exchange({ kept: { dc: 'evil' } }), refused)
      assert.deepEqual(await exchange({ kept: {} }), refused)
      assert.equal(provider.seen.length, 1)
    })
  })

  it('swaps the short-lived token for a long-lived one, keeping what the first reply told', () => {
    const definition = (origin: string): Partial<ProviderDefinition> => ({
      token_response_paths: { user_id: 'user_id' },
      long_lived_exchange: {
        url: `${origin}/swap`,
        grant_type: 'ig_exchange_token',
        token_parameter: 'access_token',
        format: 'query',
      },
    })
    const answers = {
      '/token': { json: { access_token: 'short', user_id: 17 } },
      '/swap': { json: { access_token: 'long', expires_in: 5_184_000 } },
    }
    return withProvider({ definition, answers }, async ({ provider, exchange }) => {
      const grant = grantOf(await exchange())
      assert.deepEqual([grant.accessToken.reveal(), grant.kept], ['long', { user_id: '17' }])
      const [swap] = provider.seenAt('/swap')
      assert.deepEqual(
        [
          swap?.method,
          swap?.query.get('grant_type'),
          swap?.query.get('access_token'),
          swap?.query.get('client_secret'),
        ],
        ['GET', 'ig_exchange_token', 'short', 'client-secret'],
      )
    })
  })

  it('reports a failed swap instead of half a connection', () => {
    const definition = (origin: string): Partial<ProviderDefinition> => ({
      long_lived_exchange: { url: `${origin}/swap`, grant_type: 'x', token_parameter: 'access_token', format: 'form' },
    })
    return withProvider({ definition, answers: { '/swap': { status: 500, text: '' } } }, async ({ exchange }) => {
      assert.equal((await exchange()).kind, 'unavailable')
    })
  })
})

describe('trouble on the way', () => {
  const cases: readonly (readonly [string, HostileAnswer, unknown])[] = [
    ['a redirect', (response) => response.writeHead(307, { location: '/elsewhere' }).end(), 'status'],
    ['a broken connection', (response) => response.destroy(), 'network'],
    ['a body beyond 64 KiB', { text: JSON.stringify({ ...token, pad: 'x'.repeat(70_000) }) }, 'nonsense'],
    ['HTML', { text: '<html>' }, 'nonsense'],
  ]
  for (const [name, answer, reason] of cases) {
    it(`${name} is unavailable for ${String(reason)}, and nothing further is received`, () =>
      withProvider({ answers: { '/token': answer } }, async ({ provider, refresh }) => {
        const outcome = await refresh()
        assert.deepEqual(outcome, { kind: 'unavailable', reason, sent: true, retryAfterSeconds: undefined })
        assert.equal(provider.seen.length, 1)
      }))
  }

  it('no answer within the deadline is a timeout of a sent request', () =>
    withProvider({ answers: { '/token': () => {} } }, async ({ refresh }) => {
      const outcome = await refresh({ deadlineMs: 40 })
      assert.deepEqual(outcome, { kind: 'unavailable', reason: 'timeout', sent: true, retryAfterSeconds: undefined })
    }))

  it('no connection is a network failure of an unsent request', () =>
    withProvider({}, async ({ provider, refresh }) => {
      await provider.close()
      const outcome = await refresh()
      assert.deepEqual(outcome, { kind: 'unavailable', reason: 'network', sent: false, retryAfterSeconds: undefined })
    }))

  it('a private token address is refused unsent', () =>
    withProvider({ definition: () => ({ token_url: 'https://10.0.0.1/token' }) }, async ({ provider, exchange }) => {
      const outcome = await exchange()
      assert.deepEqual(outcome, { kind: 'unavailable', reason: 'refused', sent: false, retryAfterSeconds: undefined })
      assert.equal(provider.seen.length, 0)
    }))

  it('leaves no token, code, verifier or secret in a printed outcome', () =>
    withProvider({}, async ({ provider, exchange, refresh }) => {
      const outcomes = [await exchange(), await refresh()]
      provider.answer('/token', { status: 400, json: { error: 'invalid_grant', error_description: 'code-1 at-0' } })
      outcomes.push(await exchange(), await refresh())
      assert.doesNotMatch(
        inspect(outcomes, { depth: 9 }) + JSON.stringify(outcomes),
        /at-[01]|rt-[01]|code-1|verifier-1|client-secret/,
      )
    }))
})

describe('refreshGrant', () => {
  it('sends what RFC 6749 §6 asks for', () =>
    withProvider({}, async ({ provider, refresh }) => {
      grantOf(await refresh())
      assert.deepEqual(form(provider.seen[0]?.body), {
        grant_type: 'refresh_token',
        refresh_token: 'rt-0',
        client_id: 'client-1',
        client_secret: 'client-secret',
      })
    }))

  it('follows every refresh quirk of a definition', () =>
    withProvider(
      {
        definition: (origin) => ({
          refresh_url: `${origin}/refresh`,
          client_auth: 'client_secret_post',
          refresh_client_auth: 'none',
          token_request_format: 'json',
          refresh_request_format: 'query',
          extra_token_params: { only: 'exchange' },
          extra_refresh_params: { type: 'refresh' },
          refresh_grant_type: 'ig_refresh_token',
          refresh_token_parameter: 'access_token',
          callback_params: { device_id: { pattern: '^\\w+$', refresh_parameter: 'device' } },
        }),
        answers: { '/refresh': { json: token } },
      },
      async ({ provider, refresh }) => {
        assert.deepEqual(grantOf(await refresh({ kept: { device_id: 'd1', site: 's' } })).kept, {
          device_id: 'd1',
          site: 's',
        })
        const [seen] = provider.seenAt('/refresh')
        assert.deepEqual(
          [seen?.method, Object.fromEntries(seen?.query ?? [])],
          [
            'GET',
            {
              grant_type: 'ig_refresh_token',
              access_token: 'rt-0',
              type: 'refresh',
              device: 'd1',
              client_id: 'client-1',
            },
          ],
        )
      },
    ))

  it('leaves the refresh token undefined when the reply keeps silent or says null', () =>
    withProvider({ answers: { '/token': { json: { ...token, refresh_token: null } } } }, async ({ refresh }) => {
      assert.equal(grantOf(await refresh()).refreshToken, undefined)
    }))

  it('lets a new kept value replace the old one', () =>
    withProvider(
      {
        definition: () => ({ token_response_paths: { site: 'site' } }),
        answers: { '/token': { json: { ...token, site: 'new' } } },
      },
      async ({ refresh }) => {
        assert.deepEqual(grantOf(await refresh({ kept: { site: 'old', team: 't' } })).kept, { site: 'new', team: 't' })
      },
    ))
})
