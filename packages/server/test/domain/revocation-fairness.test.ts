import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { revokeDue } from '../../src/domain/revoke-at-provider.ts'
import { addProvider, serviceBeside } from '../http/own-providers.ts'
import { connectAccount } from '../support/consent.ts'
import { connectorPath, rows, until } from '../support/connectors.ts'
import { startHostileProvider, type HostileProvider } from '../support/hostile-provider.ts'
import { collectionId, spaceId, type TestService } from '../support/service.ts'

let service: TestService
let hanging: HostileProvider
let slowed: HostileProvider
before(async () => {
  hanging = await startHostileProvider()
  slowed = await startHostileProvider()
  service = await serviceBeside([hanging, slowed])
})
after(async () => {
  await service[Symbol.asyncDispose]()
  await Promise.all([hanging.close(), slowed.close()])
})

it('a tenant whose provider hangs does not keep another tenant’s grant alive', async () => {
  const mallory = await service.token({ tenant: 'mallory' })
  const custom = await service.call('POST', '/v1/admin/connector-providers', {
    token: mallory,
    body: {
      display_name: 'Hanging',
      authorization_url: `${hanging.origin}/authorize`,
      token_url: `${hanging.origin}/token`,
      revocation_url: `${hanging.origin}/revoke`,
      client_id: 'c',
      client_secret: 's',
    },
  })
  assert.equal(custom.status, 201, await custom.clone().text())
  hanging.answer('/revoke', () => {})
  const slug = ((await custom.json()) as { data: { provider_slug: string } }).data.provider_slug
  for (let index = 0; index < 50; index += 1) {
    const body = { provider_slug: slug, connector_id: `m${index}`, credential: { access_token: `t${index}` } }
    const path = `/v1/spaces/${spaceId}/collections/${collectionId}/connectors`
    const headers = { 'idempotency-key': `m${index}` }
    assert.equal((await service.call('POST', path, { token: mallory, headers, body })).status, 201)
    assert.equal((await service.call('DELETE', `${path}/m${index}`, { token: mallory })).status, 202)
  }
  const id = await connectAccount(service)
  assert.equal((await service.call('DELETE', connectorPath(id))).status, 202)
  const working = revokeDue(service.context)
  // The good one ends while the hanging ones still wait for their deadline.
  const statusOf = async () =>
    (await rows(service, 'select status from revocations where connector_id = $1', [id]))[0]?.['status']
  while ((await statusOf()) === 'queued') assert.ok(await Promise.race([working.then(() => false), later()]))
  assert.equal(await statusOf(), 'revoked')
  const [left] = await rows(
    service,
    `select count(*)::int as count from revocations where attempts > 0 and tenant_id = 'mallory'`,
  )
  assert.equal(left?.['count'], 5, 'one tenant took more than its share of the round')
  await hanging.close()
  await working
})

it('providers that hang slow no other tenant’s many revocations, and a tenant with many of them gets its share', async () => {
  const mallory = await service.token({ tenant: 'mallory-again' })
  const acme = await service.token({ tenant: 'healthy' })
  slowed.answer('/revoke', () => {})
  for (let provider = 0; provider < 3; provider += 1) {
    const more = { revocation_url: `${slowed.origin}/revoke` }
    await endConnectors(mallory, await addProvider(service, slowed, more, { token: mallory }), 6)
  }
  await endConnectors(acme, 'sandbox', 40)
  let hasEnded = false
  const working = revokeDue(service.context).then(() => (hasEnded = true))
  await until(async () => {
    assert.ok(!hasEnded, 'the others waited for what hangs')
    const [found] = await rows(
      service,
      `select count(*)::int as count from revocations where tenant_id = 'healthy' and status = 'revoked'`,
    )
    return found?.['count'] === 40
  })
  assert.ok(!hasEnded, 'nothing hung')
  assert.equal(slowed.seenAt('/revoke').length, 8, 'a tenant’s share')
  await slowed.close()
  await working
})

/** Connects and disconnects accounts, so that they wait for their revocation. */
async function endConnectors(token: string, slug: string, count: number): Promise<void> {
  const path = `/v1/spaces/${spaceId}/collections/${collectionId}/connectors`
  for (let index = 0; index < count; index += 1) {
    const id = `${slug}-${index}`
    const body = { provider_slug: slug, connector_id: id, credential: { access_token: id } }
    const headers = { 'idempotency-key': id }
    assert.equal((await service.call('POST', path, { token, headers, body })).status, 201)
    assert.equal((await service.call('DELETE', `${path}/${id}`, { token })).status, 202)
  }
}

const later = () => new Promise<true>((resolve) => setImmediate(() => resolve(true)))
