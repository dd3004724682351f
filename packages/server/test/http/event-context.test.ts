import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { connectAccount } from '../support/consent.ts'
import { startTestService, type TestService } from '../support/service.ts'
import { eventsOf, signed } from './calls.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

it('keeps the caller’s context from a namesake of another issuer, and shows it to the user and to administrators', async () => {
  const own = 'https://issuer.example'
  const scope = 'connectors:connect connectors:read'
  const token = await signed(service, { iss: own, scope })
  const id = await connectAccount(service, { token, query: { token: 'context-of-one-issuer' } })
  const seenBy = async (claims: object) => {
    const [event] = await eventsOf(service, { resource_id: id }, { token: await signed(service, { scope, ...claims }) })
    assert.equal(event?.actor_id, 'ada')
    return event.metadata['caller_context']
  }
  assert.equal(await seenBy({ iss: own }), 'context-of-one-issuer')
  assert.equal(await seenBy({ iss: 'https://other.example' }), undefined)
  assert.equal(await seenBy({}), undefined)
  assert.equal(await seenBy({ iss: own, sub: 'bob' }), undefined)
  assert.equal(await seenBy({ sub: 'root', scope: 'connectors:read connectors:admin' }), 'context-of-one-issuer')
})
