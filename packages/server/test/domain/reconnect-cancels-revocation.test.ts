import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { revokeDue } from '../../src/domain/revoke-at-provider.ts'
import { connectAccount } from '../support/consent.ts'
import { connectorPath, eventTypes, readToken, rows } from '../support/connectors.ts'
import { consentedTicket, sendCallback, startSession } from '../http/calls.ts'
import { startTestService, type TestService } from '../support/service.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

it('a revocation that still waits is given up when the same account is connected again', async () => {
  const id = await connectAccount(service)
  assert.equal((await service.call('DELETE', connectorPath(id))).status, 202)
  assert.equal(await connectAccount(service, { query: { connector_id: id } }), id)
  const countBefore = service.sandbox.counts.revocations
  assert.equal(await revokeDue(service.context), 0)
  assert.equal(service.sandbox.counts.revocations, countBefore)
  const [revocation] = await rows(service, 'select status, reason, access_token, refresh_token from revocations')
  assert.deepEqual(revocation, { status: 'failed', reason: 'reconnected', access_token: null, refresh_token: null })
  assert.equal((await readToken(service, id)).status, 200)
  assert.ok((await eventTypes(service, id)).includes('connector.revocation_failed'))
})

it('a revocation is carried out when another account takes the connector’s place', async () => {
  const id = await connectAccount(service, { login: 'ada' })
  assert.equal((await service.call('DELETE', connectorPath(id))).status, 202)
  const session = await startSession(service, { connector_id: id, allow_account_change: true })
  const { callback } = await consentedTicket(service, session, 'grace')
  assert.equal((await sendCallback(service, callback)).status, 200)
  const countBefore = service.sandbox.counts.revocations
  assert.equal(await revokeDue(service.context), 1)
  assert.ok(service.sandbox.counts.revocations > countBefore)
  assert.equal((await readToken(service, id)).status, 200)
})
