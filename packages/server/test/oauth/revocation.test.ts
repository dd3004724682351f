import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ProviderDefinition } from '../../src/core/provider-definition.ts'
import { Secret } from '../../src/core/secret.ts'
import type { RevocationOutcome } from '../../src/core/token.ts'
import { revokeGrant, type TokensToRevoke } from '../../src/oauth/revocation.ts'
import { startHostileProvider, type HostileAnswer, type SeenRequest } from '../support/hostile-provider.ts'
import type { EgressRequest } from '../../src/oauth/egress.ts'
import { clientFor, contextFor, definitionAt } from './fixtures.ts'

const both: TokensToRevoke = { refreshToken: new Secret('rt-1'), accessToken: new Secret('at-1'), kept: {} }

interface Setting {
  readonly definition?: Partial<ProviderDefinition>
  readonly tokens?: TokensToRevoke
  readonly secret?: null
  readonly path?: string
}

async function revoke(
  answer: HostileAnswer,
  setting: Setting = {},
): Promise<{ outcome: RevocationOutcome; seen: readonly SeenRequest[] }> {
  await using provider = await startHostileProvider()
  provider.answer(setting.path ?? '/revoke', answer)
  const context = contextFor(provider)
  const definition = definitionAt(provider.origin, {
    revocation_url: `${provider.origin}/revoke`,
    ...setting.definition,
  })
  if (setting.path !== undefined) definition.revocation_url = `${provider.origin}/apps/{client_id}/grant`
  const client = clientFor(definition, setting.secret === null ? { clientSecret: null } : {})
  try {
    return { outcome: await revokeGrant(context, client, setting.tokens ?? both), seen: provider.seen }
  } finally {
    await context.egress.close()
  }
}

const form = (request: SeenRequest | undefined) => Object.fromEntries(new URLSearchParams(request?.body))
const ok: HostileAnswer = { text: '' }

describe('revocation by RFC 7009', () => {
  it('sends the refresh token first, then the access token, each with its hint and the client’s credentials', async () => {
    const { outcome, seen } = await revoke(ok)
    assert.deepEqual(outcome, { kind: 'revoked' })
    const client = { client_id: 'client-1', client_secret: 'client-secret' }
    assert.deepEqual(seen.map(form), [
      { token: 'rt-1', token_type_hint: 'refresh_token', ...client },
      { token: 'at-1', token_type_hint: 'access_token', ...client },
    ])
    assert.deepEqual([seen[0]?.method, seen[0]?.query.size], ['POST', 0])
  })

  it('sends only what is there, and is done when there is nothing', async () => {
    const { seen } = await revoke(ok, { tokens: { ...both, refreshToken: undefined } })
    assert.deepEqual(
      seen.map((request) => form(request).token),
      ['at-1'],
    )
    const none = await revoke(ok, { tokens: { refreshToken: undefined, accessToken: undefined, kept: {} } })
    assert.deepEqual([none.outcome, none.seen.length], [{ kind: 'revoked' }, 0])
  })

  it('authenticates by Basic, names a public client, renames the token and sends JSON by definition', async () => {
    const basic = await revoke(ok, { definition: { client_auth: 'client_secret_basic' } })
    assert.match(String(basic.seen[0]?.headers.authorization), /^Basic /)
    assert.equal(form(basic.seen[0]).client_secret, undefined)
    const open = await revoke(ok, { secret: null })
    assert.deepEqual(form(open.seen[0]), { token: 'rt-1', token_type_hint: 'refresh_token', client_id: 'client-1' })
    const json = await revoke(ok, {
      definition: { revocation: { style: 'rfc7009', token_parameter: 'access_token', request_format: 'json' } },
    })
    assert.match(json.seen[0]?.body ?? '', /^\{"access_token":"rt-1",/)
    assert.equal(json.seen[0]?.headers['content-type'], 'application/json')
  })

  it('takes an unknown token for revoked', async () => {
    const { outcome } = await revoke({ status: 400, json: { error: 'invalid_token' } })
    assert.deepEqual(outcome, { kind: 'revoked' })
  })

  it('is unsupported without an address, or when no kind of token is taken', async () => {
    const { revocation_url: _none, ...definition } = definitionAt('https://provider.example')
    const context = contextFor({ host: '127.0.0.1:1' })
    assert.deepEqual(await revokeGrant(context, clientFor(definition), both), { kind: 'unsupported' })
    await context.egress.close()
    const { outcome } = await revoke({ status: 400, json: { error: 'unsupported_token_type' } })
    assert.deepEqual(outcome, { kind: 'unsupported' })
  })

  it('is done when one kind is taken and the other unsupported', async () => {
    const { outcome } = await revoke((response, request) => {
      const isAccess = request.body.includes('hint=access_token')
      response.writeHead(isAccess ? 400 : 200).end(isAccess ? '{"error":"unsupported_token_type"}' : '')
    })
    assert.deepEqual(outcome, { kind: 'revoked' })
  })

  it('tries the access token although the refresh token failed, and reports the failure', async () => {
    const { outcome, seen } = await revoke((response, request) => {
      response.writeHead(request.body.includes('hint=refresh') ? 503 : 200, { 'retry-after': '30' }).end()
    })
    assert.deepEqual(outcome, { kind: 'failed', reason: 'http_503', retryable: true, retryAfterSeconds: 30 })
    assert.equal(seen.length, 2)
  })

  const failures: readonly (readonly [string, HostileAnswer, string, boolean])[] = [
    ['429', { status: 429, text: '' }, 'http_429', true],
    ['500', { status: 500, text: '' }, 'http_500', true],
    ['a broken connection', (response) => response.destroy(), 'network', true],
    ['a refused client', { status: 401, json: { error: 'invalid_client' } }, 'invalid_client', false],
    ['a redirect', (response) => response.writeHead(307, { location: '/steal' }).end(), 'http_307', false],
    ['404', { status: 404, text: '' }, 'http_404', false],
    ['ok: false', { json: { ok: false, error: 'not_authed' } }, 'not_authed', false],
  ]
  for (const [name, answer, reason, retryable] of failures) {
    it(`fails on ${name}, ${retryable ? 'to be tried again' : 'for good'}`, async () => {
      const { outcome, seen } = await revoke(answer)
      assert.deepEqual(outcome, { kind: 'failed', reason, retryable, retryAfterSeconds: undefined })
      assert.deepEqual([...new Set(seen.map((request) => request.path))], ['/revoke'])
    })
  }

  it('is not tried at an address the egress rules refuse', async () => {
    const { outcome, seen } = await revoke(ok, { definition: { revocation_url: 'https://10.0.0.1/revoke' } })
    assert.deepEqual(outcome, { kind: 'failed', reason: 'refused', retryable: false, retryAfterSeconds: undefined })
    assert.equal(seen.length, 0)
  })
})

describe('revocation the provider’s own way', () => {
  for (const [style, method] of [
    ['bearer_get', 'GET'],
    ['bearer_post', 'POST'],
    ['bearer_delete', 'DELETE'],
  ] as const) {
    it(`${style} is one ${method} with the access token as bearer`, async () => {
      const { outcome, seen } = await revoke(ok, { definition: { revocation: { style } } })
      assert.deepEqual(outcome, { kind: 'revoked' })
      assert.deepEqual(
        seen.map((request) => [request.method, request.headers.authorization, request.body]),
        [[method, 'Bearer at-1', '']],
      )
      const dead = await revoke({ status: 401, text: '' }, { definition: { revocation: { style } } })
      assert.deepEqual(dead.outcome, { kind: 'revoked' }, 'a dead token needs no revoking')
    })
  }

  it('bearer_post names the token in the body too where the definition says so', async () => {
    const { seen } = await revoke(ok, {
      definition: { revocation: { style: 'bearer_post', token_parameter: 'token' } },
    })
    assert.deepEqual(form(seen[0]), { token: 'at-1' })
  })

  it('basic_delete_json deletes the grant at the app’s own address (GitHub)', async () => {
    const definition = { revocation: { style: 'basic_delete_json' as const }, api_headers: { 'X-Version': '1' } }
    const path = '/apps/client-1/grant'
    const { outcome, seen } = await revoke({ status: 204, text: '' }, { definition, path })
    assert.deepEqual(outcome, { kind: 'revoked' })
    const [request, ...more] = seen
    assert.equal(more.length, 0)
    assert.deepEqual(
      [request?.method, request?.path, request?.body, request?.headers['x-version']],
      ['DELETE', path, '{"access_token":"at-1"}', '1'],
    )
    assert.equal(request?.headers.authorization, `Basic ${Buffer.from('client-1:client-secret').toString('base64')}`)
    for (const status of [404, 422]) {
      const gone = await revoke({ status, text: '' }, { definition, path })
      assert.deepEqual(gone.outcome, { kind: 'revoked' })
    }
  })
})

describe('a revocation', () => {
  for (const style of ['rfc7009', 'bearer_get', 'bearer_post', 'bearer_delete', 'basic_delete_json'] as const) {
    it(`${style} fails for good where the client id makes an address that is none`, async () => {
      await using provider = await startHostileProvider()
      const context = contextFor(provider)
      const revocation_url = 'https://{client_id}.provider.example/revoke'
      const client = clientFor(definitionAt(provider.origin, { revocation_url, revocation: { style } }), {
        clientId: 'a%b',
      })
      const outcome = await revokeGrant(context, client, both)
      const failure = { kind: 'failed', reason: 'url_incomplete', retryable: false, retryAfterSeconds: undefined }
      assert.deepEqual(outcome, failure)
      await context.egress.close()
    })
  }

  it('waits five seconds at most for each answer', async () => {
    await using provider = await startHostileProvider()
    provider.answer('/revoke', ok)
    const context = contextFor(provider)
    const sent: EgressRequest[] = []
    const request = (given: EgressRequest) => {
      sent.push(given)
      return context.egress.request(given)
    }
    const definition = definitionAt(provider.origin, { revocation_url: `${provider.origin}/revoke` })
    await revokeGrant({ ...context, egress: { ...context.egress, request } }, clientFor(definition), both)
    assert.deepEqual(
      sent.map(({ deadlineMs }) => deadlineMs),
      [5_000, 5_000],
    )
    await context.egress.close()
  })
})
