import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, it } from 'node:test'
import { signInOrigins } from '../../src/domain/deployment.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'
import { anonymous, assertProblem, dataOf, jsonOf, signed } from './calls.ts'

let service: TestService
before(async () => {
  service = await startTestService({
    env: {
      AUTH_ISSUER: 'https://issuer.example/realm',
      AUTH_AUDIENCE: 'connectors',
      DASHBOARD_OIDC_CLIENT_ID: 'dashboard',
      DASHBOARD_OIDC_SCOPE: 'openid profile',
      ALLOWED_ORIGINS: 'https://app.example',
      ALLOWED_REDIRECT_URIS: 'https://app.example/landing',
    },
  })
})
after(() => service[Symbol.asyncDispose]())

const me = async (claims: Readonly<Record<string, unknown>>) => {
  const token = await signed(service, { iss: 'https://issuer.example/realm', aud: 'connectors', ...claims })
  return service.call('GET', '/v1/me', { token })
}

it('tells a caller who it is, with whatever rights', async () => {
  const exp = Math.floor(Date.now() / 1000) + 600
  assert.deepEqual(await dataOf(await me({ sub: 'grace', scope: '', exp })), {
    principal_id: 'grace',
    subject: 'grace',
    issuer: 'https://issuer.example/realm',
    tenant_id: 'acme',
    rights: [],
    spaces: null,
    collections: null,
    expires_at: new Date(exp * 1000).toISOString(),
  })
  const narrowed = await dataOf(
    await me({ scope: 'connectors:read connectors:admin', spaces: [spaceId], collections: [collectionId] }),
  )
  assert.deepEqual(narrowed['rights'], ['connectors:read', 'connectors:admin'])
  assert.deepEqual([narrowed['spaces'], narrowed['collections']], [[spaceId], [collectionId]])
})

it('tells an administrator how the service is set up, without a secret', async () => {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  const reply = await service.call('GET', '/v1/admin/settings')
  const text = await reply.clone().text()
  assert.deepEqual(await dataOf(reply), {
    version,
    public_url: service.url,
    allowed_origins: ['https://app.example'],
    allowed_redirect_uris: ['https://app.example/landing'],
    auth: {
      kind: 'hs256',
      issuer: 'https://issuer.example/realm',
      audience: 'connectors',
      tenant_claim: 'tenant_id',
      default_scope: 'connectors:connect connectors:read connectors:use connectors:manage',
    },
    rate_limits: 'off',
    environment: 'development',
  })
  assert.ok(!text.includes(service.jwtSecret?.reveal() ?? ''))
})

it('keeps the settings from whoever is no administrator', async () => {
  const token = await service.token({ scope: 'connectors:read connectors:manage' })
  await assertProblem(await service.call('GET', '/v1/admin/settings', { token }), 403, 'missing_right')
  for (const path of ['/v1/me', '/v1/admin/settings']) {
    await assertProblem(await anonymous(service, path), 401, 'unauthorized')
  }
})

it('tells the dashboard how people sign in before anybody has', async () => {
  const reply = await anonymous(service, '/dashboard-config.json')
  assert.equal(reply.status, 200)
  assert.deepEqual(await jsonOf(reply), {
    oidc: {
      issuer: 'https://issuer.example/realm',
      client_id: 'dashboard',
      scope: 'openid profile',
      audience: 'connectors',
    },
    sandbox: true,
  })
  assert.deepEqual(signInOrigins(service.context.settings), ['https://issuer.example'])
})

it('names no issuer where the dashboard is opened by sign-in links alone', async () => {
  await using plain = await startTestService()
  assert.deepEqual(await jsonOf(await anonymous(plain, '/dashboard-config.json')), { oidc: null, sandbox: true })
  assert.deepEqual(signInOrigins(plain.context.settings), [])
})
