import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { connectAccount } from '../support/consent.ts'
import { startHostileProvider, type HostileProvider } from '../support/hostile-provider.ts'
import type { TestService } from '../support/service.ts'
import { assertProblem, dataOf, rows, type Json } from './calls.ts'
import { addProvider, adminPath, serviceBeside } from './own-providers.ts'

let provider: HostileProvider
let service: TestService
before(async () => {
  provider = await startHostileProvider()
  service = await serviceBeside([provider])
})
after(async () => {
  await service[Symbol.asyncDispose]()
  await provider.close()
})

/** The contract's, and beside them what `PATCH` set, and where to read on. */
const fields = [
  'id',
  'provider_slug',
  'display_name',
  'auth_type',
  'execution_strategy',
  'default_scopes',
  'config_schema',
  'setup_complete',
  'redirect_uri',
  'has_secret',
  'has_own_client',
  'client_id',
  'scopes',
  'url_variables',
  'secret_audience',
  'docs_url',
  'setup_notes',
]
const admin = async (slug: string) => dataOf(await service.call('GET', `${adminPath}/${slug}`))
const patch = (slug: string, body: object) => service.call('PATCH', `${adminPath}/${slug}`, { body })

it('lists the providers this tenant can use', async () => {
  const all = await dataOf<readonly Json[]>(await service.call('GET', '/v1/connector-providers'))
  assert.ok(all.length > 100)
  const sandbox = all.find((entry) => entry['provider_slug'] === 'sandbox')
  assert.equal(sandbox?.['setup_complete'], true)
  for (const name of ['provider_slug', 'display_name', 'categories', 'scopes', 'setup_complete']) {
    assert.ok(sandbox !== undefined && name in sandbox, name)
  }
  const scopes = (sandbox?.['scopes'] ?? []) as readonly { description: string }[]
  assert.ok(scopes.length > 0 && scopes.every((scope) => scope.description !== ''))
  assert.equal(all.find((entry) => entry['provider_slug'] === 'github')?.['setup_complete'], false)
  const only = (slug: string) => service.call('GET', `/v1/connector-providers?provider_slug=${slug}`)
  assert.deepEqual(await dataOf(await only('sandbox')), [sandbox])
  assert.deepEqual(await dataOf(await only('none')), [])
})

it('shows an administrator the set-up, with the redirect URI to register', async () => {
  const google = await admin('google')
  assert.deepEqual(Object.keys(google).toSorted(), fields.toSorted())
  assert.equal(google['redirect_uri'], `${service.url}/v1/connectors/oauth/google/callback`)
  assert.deepEqual([google['setup_complete'], google['has_secret']], [false, false])
  const all = await dataOf<readonly Json[]>(await service.call('GET', adminPath))
  assert.deepEqual(
    all.find((entry) => entry['provider_slug'] === 'google'),
    google,
  )
})

it('PATCH sets the provider app for this tenant alone, and the secret is write-only', async () => {
  const secret = 'write-only-canary-secret'
  const reply = await patch('github', { client_id: 'gh', client_secret: secret, scopes: ['repo'] })
  const text = await reply.clone().text()
  const changed = await dataOf(reply)
  assert.deepEqual(
    [changed['client_id'], changed['has_secret'], changed['setup_complete'], changed['scopes']],
    ['gh', true, true, ['repo']],
  )
  const listed = await (await service.call('GET', adminPath)).text()
  const seen = await (await service.call('GET', '/v1/connector-providers')).text()
  const dump = JSON.stringify(await rows(service, 'select p::text from provider_apps p'))
  for (const place of [text, listed, seen, dump, ...service.logs]) assert.ok(!place.includes(secret))
  assert.ok(!dump.includes(Buffer.from(secret).toString('hex')))
  const token = await service.token({ tenant: 'globex' })
  const elsewhere = await dataOf(await service.call('GET', `${adminPath}/github`, { token }))
  assert.deepEqual([elsewhere['client_id'], elsewhere['has_secret']], [null, false])
})

it('PATCH keeps what it does not name, and null clears', async () => {
  assert.equal((await patch('gitlab', { client_id: 'gl', client_secret: 's', scopes: ['api'] })).status, 200)
  const kept = await dataOf(await patch('gitlab', { scopes: ['read_user'] }))
  assert.deepEqual([kept['client_id'], kept['has_secret'], kept['scopes']], ['gl', true, ['read_user']])
  const cleared = await dataOf(await patch('gitlab', { client_secret: null, scopes: null }))
  assert.deepEqual([cleared['has_secret'], cleared['setup_complete'], cleared['scopes']], [false, false, null])
})

it('PATCH judges URL variables by the provider’s own patterns', async () => {
  for (const subdomain of ['evil.example/', 'a b', 'x.y', '', '@evil', 'acme#']) {
    assert.equal((await patch('zendesk', { url_variables: { subdomain } })).status, 422, subdomain)
  }
  assert.equal((await patch('zendesk', { url_variables: { other: 'x' } })).status, 422)
  // What an administrator pastes is understood as what a user does.
  for (const [slug, name, text, value] of [
    ['zendesk', 'subdomain', 'https://Acme.zendesk.com/agent', 'acme'],
    ['okta', 'domain', 'https://dev-1.okta.com/app', 'dev-1.okta.com'],
  ] as const) {
    const view = await dataOf(await patch(slug, { url_variables: { [name]: text } }))
    const [variable] = view['url_variables'] as readonly Json[]
    assert.equal(variable?.['value'], value, slug)
    assert.equal((await patch(slug, { url_variables: { [name]: null } })).status, 200)
  }
})

it('DELETE forgets the tenant’s provider app', async () => {
  assert.equal((await patch('slack', { client_id: 'x', client_secret: 'y' })).status, 200)
  assert.equal((await service.call('DELETE', `${adminPath}/slack`)).status, 204)
  assert.deepEqual([(await admin('slack'))['client_id'], (await admin('slack'))['has_secret']], [null, false])
})

it('answers 404 for a provider that does not exist, in every call', async () => {
  for (const [method, body] of [['GET'], ['PATCH', {}], ['DELETE']] as const) {
    const options = body === undefined ? {} : { body }
    await assertProblem(await service.call(method, `${adminPath}/none`, options), 404, 'provider_unknown')
  }
})

it('adds a provider by its issuer alone, and connects an account at it', async () => {
  const body = {
    display_name: 'Found by itself',
    issuer: service.sandbox.issuer,
    client_id: 'connector-oauth',
    client_secret: service.context.settings.deploymentApps.get('sandbox')?.clientSecret?.reveal(),
    default_scopes: ['openid', 'profile', 'offline_access'],
  }
  const added = await dataOf(await service.call('POST', adminPath, { body }), 201)
  const slug = String(added['provider_slug'])
  assert.match(slug, /^c-[0-9a-f]{16}$/)
  assert.equal(added['setup_complete'], true)
  assert.equal(added['redirect_uri'], `${service.url}/v1/connectors/oauth/${slug}/callback`)
  assert.match(await connectAccount(service, { slug }), /^conn_/)
})

it('refuses an issuer whose metadata names another one, is missing or points inside', async () => {
  const at = '/.well-known/openid-configuration'
  const metadata = (issuer: string, more: Json = {}) => ({
    json: {
      issuer,
      authorization_endpoint: `${provider.origin}/auth`,
      token_endpoint: `${provider.origin}/token`,
      jwks_uri: `${provider.origin}/jwks`,
      response_types_supported: ['code'],
      ...more,
    },
  })
  const add = () => service.call('POST', adminPath, { body: { display_name: 'X', issuer: provider.origin } })
  await assertProblem(await add(), 400, 'discovery_failed')
  provider.answer(at, metadata('https://accounts.google.com'))
  service.clock.advance(3_600_000)
  await assertProblem(await add(), 400, 'discovery_failed')
  provider.answer(at, metadata(provider.origin, { token_endpoint: 'http://169.254.169.254/token' }))
  service.clock.advance(3_600_000)
  const inside = await add()
  assert.ok([400, 422].includes(inside.status), String(inside.status))
})

it('refuses plain http and private addresses beyond ALLOWED_PRIVATE_HOSTS', async () => {
  for (const origin of [
    'http://provider.example',
    'https://127.0.0.1:1',
    'http://localhost:1',
    'https://10.0.0.1',
    'https://[::1]',
    'https://169.254.169.254',
  ]) {
    const body = { display_name: 'X', authorization_url: `${origin}/auth`, token_url: `${origin}/token` }
    const reply = await service.call('POST', adminPath, { body })
    assert.ok([400, 422].includes(reply.status), `${origin} ${reply.status}`)
  }
})

it('tells every problem of a custom provider at once, in the contract’s words', async () => {
  const detailOf = async (body: Json) => {
    const reply = await service.call('POST', adminPath, { body })
    assert.equal(reply.status, 422)
    return ((await reply.json()) as { detail: { loc: unknown[]; msg: string; type: string }[] }).detail
  }
  const detail = await detailOf({ authorization_url: 'ftp://x', pkce: 'plain', scope_separator: 7, surprise: 1 })
  const types = Object.fromEntries(detail.map((problem) => [problem.loc.join('.'), problem.type]))
  assert.deepEqual(types, {
    'body.display_name': 'value_error.missing',
    'body.authorization_url': 'value_error.str.regex',
    'body.pkce': 'type_error.enum',
    'body.scope_separator': 'type_error.str',
    'body.surprise': 'value_error.extra',
  })
  assert.deepEqual(await detailOf({ display_name: 'Without endpoints' }), [
    { loc: ['body', 'authorization_url'], msg: 'field required', type: 'value_error.missing' },
    { loc: ['body', 'token_url'], msg: 'field required', type: 'value_error.missing' },
  ])
})

it('keeps a tenant’s own provider from other tenants, and forgets it on DELETE', async () => {
  const slug = await addProvider(service, provider)
  const token = await service.token({ tenant: 'globex' })
  await assertProblem(await service.call('GET', `${adminPath}/${slug}`, { token }), 404, 'provider_unknown')
  const theirs = await (await service.call('GET', '/v1/connector-providers', { token })).text()
  assert.ok(!theirs.includes(slug))
  assert.ok((await (await service.call('GET', '/v1/connector-providers')).text()).includes(slug))
  assert.equal((await service.call('DELETE', `${adminPath}/${slug}`)).status, 204)
  await assertProblem(await service.call('GET', `${adminPath}/${slug}`), 404, 'provider_unknown')
})

it('refuses a slug of the caller’s choice', async () => {
  const body = {
    display_name: 'X',
    slug: 'google',
    authorization_url: `${provider.origin}/a`,
    token_url: `${provider.origin}/t`,
  }
  assert.equal((await service.call('POST', adminPath, { body })).status, 422)
})

it('lets a tenant add a hundred of its own and no more', async () => {
  const token = await service.token({ tenant: 'gatherer' })
  const body = {
    display_name: 'Its own',
    authorization_url: `${provider.origin}/auth`,
    token_url: `${provider.origin}/token`,
    client_id: 'client-1',
  }
  for (let count = 0; count < 100; count += 1) {
    assert.equal((await service.call('POST', adminPath, { token, body })).status, 201)
  }
  await assertProblem(await service.call('POST', adminPath, { token, body }), 409, 'too_many_providers')
  assert.equal((await service.call('POST', adminPath, { body })).status, 201)
})
