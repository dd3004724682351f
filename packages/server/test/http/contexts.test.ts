import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { providerSlug, tenantId as toTenantId } from '../../src/core/ids.ts'
import { Secret } from '../../src/core/secret.ts'
import { clientSecretPlace } from '../../src/domain/client-secret.ts'
import { providerInUse } from '../../src/domain/provider-client.ts'
import { saveProviderApp } from '../../src/store/provider-apps.ts'
import { authorizePath, consentedCallback } from '../support/consent.ts'
import { startHostileProvider, type HostileProvider } from '../support/hostile-provider.ts'
import { startTestService, type TestService } from '../support/service.ts'
import { assertProblem, connectorsPath, dataOf, jsonOf, sendCallback } from './calls.ts'
import { addProvider, adminPath, craftedCallback, grant, serviceBeside } from './own-providers.ts'

let one: HostileProvider
let two: HostileProvider
let service: TestService
before(async () => {
  one = await startHostileProvider()
  two = await startHostileProvider()
  service = await serviceBeside([one, two])
  for (const provider of [one, two]) provider.answer('/token', grant())
})
after(async () => {
  await service[Symbol.asyncDispose]()
  await one.close()
  await two.close()
})

const outbound = () => one.seen.length + two.seen.length + service.sandbox.counts.tokenRequests

/** Checks that what `work` does reaches no provider. */
async function withoutOutboundCall(work: () => Promise<void>): Promise<void> {
  const earlier = outbound()
  await work()
  assert.equal(outbound(), earlier)
}

async function connect(slug: string, id: string): Promise<void> {
  const callback = await craftedCallback(service, slug, {}, { query: { connector_id: id } })
  const reply = await sendCallback(service, callback)
  assert.equal(reply.status, 200, await reply.text())
}

const patch = (slug: string, body: object) => service.call('PATCH', `${adminPath}/${slug}`, { body })
const exportToken = (id: string) => service.call('POST', `${connectorsPath}/${id}/token`)

it('every context’s state on every other context’s path: 400 invalid_state, zero outbound calls', async () => {
  const globex = await service.token({ tenant: 'globex' })
  const slugs = [
    'sandbox',
    await addProvider(service, one),
    await addProvider(service, two),
    await addProvider(service, one, { display_name: 'The same again' }),
  ]
  const foreign = await addProvider(service, two, {}, { token: globex })
  for (const slug of slugs) {
    const callback = slug === 'sandbox' ? await consentedCallback(service) : await craftedCallback(service, slug)
    await withoutOutboundCall(async () => {
      for (const other of [...slugs, foreign].filter((name) => name !== slug)) {
        await assertProblem(await sendCallback(service, callback, { slug: other }), 400, 'invalid_state')
      }
    })
    // None of that used the state up.
    assert.equal((await sendCallback(service, callback)).status, 200, slug)
  }
  const callback = await craftedCallback(service, foreign, {}, { token: globex })
  await withoutOutboundCall(async () => {
    for (const slug of slugs) {
      await assertProblem(await sendCallback(service, callback, { slug, token: globex }), 400, 'invalid_state')
    }
  })
})

it('a tenant’s own provider with the honest authorization_url and client id still has a redirect URI of its own', async () => {
  const honest = { authorization_url: `${service.sandbox.issuer}/auth`, client_id: 'connector-oauth' }
  const slug = await addProvider(service, one, honest)
  assert.match(slug, /^c-[0-9a-f]{16}$/)
  const departure = await service.call('GET', authorizePath({}, slug))
  const location = new URL(departure.headers.get('location') ?? '')
  assert.equal(location.origin, service.sandbox.issuer)
  assert.equal(location.searchParams.get('redirect_uri'), `${service.url}/v1/connectors/oauth/${slug}/callback`)
})

it('registers no callback of this service for another provider', async () => {
  const slug = await addProvider(service, one)
  const path = '/v1/admin/tenant/redirect-uris'
  for (const prefix of ['', '/api-proxy', '/x/..']) {
    for (const other of ['sandbox', 'google', '%67oogle']) {
      const uri = `${service.url}${prefix}/v1/connectors/oauth/${other}/callback`
      const reply = await service.call('PUT', path, { body: [{ uri, kind: 'callback', provider_slug: slug }] })
      assert.equal(reply.status, 422, uri)
      const { detail } = (await jsonOf(reply)) as { detail: { loc: unknown[] }[] }
      assert.deepEqual(detail[0]?.loc, ['body', 0, 'uri'])
    }
  }
  const own = { uri: `${service.url}/v1/connectors/oauth/${slug}/callback`, kind: 'callback', provider_slug: slug }
  assert.equal((await service.call('PUT', path, { body: [own] })).status, 200)
})

it('refuses an authorization_url that brings its own redirect_uri, state or other protocol parameter', async () => {
  for (const name of ['redirect_uri', 'state', 'client_id', 'response_type', 'code_challenge', 'scope']) {
    const body = {
      display_name: 'Sly',
      authorization_url: `${one.origin}/auth?${name}=x`,
      token_url: `${one.origin}/token`,
    }
    assert.equal((await service.call('POST', adminPath, { body })).status, 422, name)
  }
})

it('cannot express implicit, hybrid or password grants in a provider definition', async () => {
  for (const more of [
    { extra_authorize_params: { response_type: 'token' } },
    { extra_token_params: { grant_type: 'password' } },
    { response_type: 'code token' },
    { grant_types: ['password'] },
  ]) {
    const body = { display_name: 'Old', authorization_url: `${one.origin}/a`, token_url: `${one.origin}/t`, ...more }
    assert.equal((await service.call('POST', adminPath, { body })).status, 422, JSON.stringify(more))
  }
})

it('a changed client id makes a new context: the secret is forgotten, tokens stay behind, nothing is sent', async () => {
  const slug = await addProvider(service, one)
  await connect(slug, 'conn_left_behind')
  const pending = await craftedCallback(service, slug)
  const changed = await dataOf(await patch(slug, { client_id: 'client-2' }))
  assert.deepEqual([changed['client_id'], changed['has_secret'], changed['setup_complete']], ['client-2', false, false])
  await assertProblem(await service.call('GET', authorizePath({}, slug)), 409, 'provider_not_configured')
  assert.equal((await patch(slug, { client_secret: 'secret-2' })).status, 200)
  await withoutOutboundCall(async () => {
    await assertProblem(await sendCallback(service, pending), 400, 'invalid_state')
    service.clock.advance(3600_000)
    await assertProblem(await exportToken('conn_left_behind'), 409, 'reauth_required')
  })
  const connector = await dataOf(await service.call('GET', `${connectorsPath}/conn_left_behind`))
  assert.deepEqual([connector['status'], connector['status_reason']], ['reauth_required', 'provider_app_changed'])
})

it('a rotated secret stays in the context: tokens go on, with the new secret', async () => {
  const slug = await addProvider(service, one)
  await connect(slug, 'conn_rotated')
  assert.equal((await patch(slug, { client_secret: 'secret-rotated' })).status, 200)
  service.clock.advance(3600_000)
  one.answer('/token', grant({ access_token: 'access-2', refresh_token: 'refresh-2' }))
  const data = await dataOf(await exportToken('conn_rotated'))
  assert.equal(data['access_token'], 'access-2')
  const sent = new URLSearchParams(one.seenAt('/token').at(-1)?.body)
  assert.equal(sent.get('refresh_token'), 'refresh-1')
  assert.equal(sent.get('client_secret'), 'secret-rotated')
})

it('a secret is bound to the token endpoint’s origin: moving it forgets the secret', async () => {
  const set = (body: object) => patch('zendesk', body)
  const first = await dataOf(
    await set({ client_id: 'z', client_secret: 'zendesk-secret', url_variables: { subdomain: 'acme' } }),
  )
  assert.deepEqual([first['has_secret'], first['setup_complete']], [true, true])
  const moved = await dataOf(await set({ url_variables: { subdomain: 'evil' } }))
  assert.deepEqual([moved['has_secret'], moved['setup_complete']], [false, false])
  await assertProblem(await service.call('GET', authorizePath({}, 'zendesk')), 409, 'provider_not_configured')
  // Back at the old origin it does not return from the dead either.
  const back = await dataOf(await set({ url_variables: { subdomain: 'acme' } }))
  assert.equal(back['has_secret'], false)
})

it('a deployment’s secret goes to no host that a tenant names among those of the provider’s customers', async () => {
  await using deployed = await startTestService({
    env: {
      PROVIDER_OKTA_CLIENT_ID: 'okta',
      PROVIDER_OKTA_CLIENT_SECRET: 'okta-secret',
      PROVIDER_SERVICENOW_CLIENT_ID: 'now',
      PROVIDER_SERVICENOW_CLIENT_SECRET: 'now-secret',
      PROVIDER_SERVICENOW_URL_VARIABLES: 'instance=acme',
      PROVIDER_CLIO_CLIENT_ID: 'clio',
      PROVIDER_CLIO_CLIENT_SECRET: 'clio-secret',
    },
  })
  const set = (slug: string, body: object) => deployed.call('PATCH', `${adminPath}/${slug}`, { body })
  const depart = (slug: string) => deployed.call('GET', authorizePath({}, slug))
  const hostOf = async (slug: string) => new URL((await depart(slug)).headers.get('location') ?? '').host
  const okta = await dataOf(await set('okta', { url_variables: { domain: 'evil.okta.com' } }))
  assert.equal(okta['setup_complete'], false)
  await assertProblem(await depart('okta'), 409, 'provider_not_configured')
  // What the operator named stays, whatever a tenant says.
  assert.equal((await set('servicenow', { url_variables: { instance: 'evil' } })).status, 200)
  assert.equal(await hostOf('servicenow'), 'acme.service-now.com')
  // A choice between the provider's own data centres is a tenant's to make.
  assert.equal((await set('clio', { url_variables: { host: 'eu.app.clio.com' } })).status, 200)
  assert.equal(await hostOf('clio'), 'eu.app.clio.com')
  // With a client of its own, a tenant names its own host.
  assert.equal((await set('okta', { client_id: 'own', client_secret: 'own-secret' })).status, 200)
  assert.equal(await hostOf('okta'), 'evil.okta.com')
})

it('a secret that was sealed for one host goes there and to no other, and opens for the rest once entered anew', async () => {
  const tenant = toTenantId('acme')
  const { vault, database } = service.context
  const audience = 'https://login.salesforce.com'
  // As it was stored when only the app could bring the host.
  const sealed = await vault.seal(clientSecretPlace(tenant, 'salesforce', audience), new Secret('old-secret'))
  const app = { providerSlug: 'salesforce', clientId: 'sf', scopes: undefined, urlVariables: {} }
  const stored = { ...app, clientSecret: sealed, secretOrigin: audience }
  await saveProviderApp(database.tenant(tenant), tenant, stored, service.clock.now())
  const slug = providerSlug('salesforce')
  const secretAt = async (values: Readonly<Record<string, string>>) =>
    (await providerInUse(service.context, tenant, slug, values)).client.clientSecret?.reveal()
  const other = { login_host: 'acme.my.salesforce.com' }
  assert.equal(await secretAt({}), 'old-secret')
  await assert.rejects(secretAt(other), { code: 'provider_not_configured' })
  // A change of something else keeps it.
  const changed = await dataOf(await patch('salesforce', { scopes: ['api'] }))
  assert.deepEqual([changed['setup_complete'], changed['secret_audience']], [true, audience])
  assert.equal(await secretAt({}), 'old-secret')
  const anew = await dataOf(await patch('salesforce', { client_secret: 'new-secret' }))
  assert.equal(anew['secret_audience'], 'https://*.salesforce.com')
  assert.deepEqual([await secretAt({}), await secretAt(other)], ['new-secret', 'new-secret'])
  // Fixed to one host, what was entered for all still serves.
  assert.equal((await dataOf(await patch('salesforce', { url_variables: other })))['setup_complete'], true)
  assert.equal(await secretAt({}), 'new-secret')
})

it('uses S256 for providers that never said they know it, with a fresh verifier for every transaction', async () => {
  const slug = await addProvider(service, one)
  const verifiers = new Set<string>()
  for (let round = 0; round < 3; round += 1) {
    assert.equal((await sendCallback(service, await craftedCallback(service, slug))).status, 200)
    const body = new URLSearchParams(one.seenAt('/token').at(-1)?.body)
    assert.match(body.get('code_verifier') ?? '', /^[A-Za-z0-9_-]{43,128}$/)
    assert.equal(body.get('redirect_uri'), `${service.url}/v1/connectors/oauth/${slug}/callback`)
    verifiers.add(body.get('code_verifier') ?? '')
  }
  assert.equal(verifiers.size, 3)
})
