import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { connectAccount } from '../support/consent.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'
import { assertProblem, connectorsPath, dataOf } from './calls.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

const sessionAs = (token: string, connectorId: string, allowAccountChange: boolean) =>
  service.call('POST', '/v1/connectors/oauth/sandbox/sessions', {
    token,
    body: {
      space_id: spaceId,
      collection_id: collectionId,
      connector_id: connectorId,
      allow_account_change: allowAccountChange,
    },
  })

it('the right to connect is not enough to put another account in place of somebody else’s', async () => {
  const id = await connectAccount(service)
  const bob = await service.token({ sub: 'bob', scope: 'connectors:connect connectors:read' })
  await assertProblem(await sessionAs(bob, id, true), 403, 'missing_right')
  // Renewing the same account's consent is: a different one would be refused at the end.
  assert.equal((await sessionAs(bob, id, false)).status, 201)
  const manager = await service.token({ sub: 'bob', scope: 'connectors:connect connectors:manage' })
  assert.ok((await dataOf(await sessionAs(manager, id, true), 201))['session_id'])
})

it('an account that cannot be compared needs the right to manage as well', async () => {
  const imported = await service.call('POST', connectorsPath, {
    headers: { 'idempotency-key': 'compare-1' },
    body: { provider_slug: 'sandbox', credential: { access_token: 'from-elsewhere' } },
  })
  const id = String((await dataOf(imported, 201))['id'])
  const bob = await service.token({ sub: 'bob', scope: 'connectors:connect' })
  await assertProblem(await sessionAs(bob, id, false), 403, 'missing_right')
})
