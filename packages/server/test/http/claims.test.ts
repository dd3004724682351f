import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { connectAccount } from '../support/consent.ts'
import { collectionId, spaceId, startTestService, type TestService } from '../support/service.ts'
import { assertProblem, connectorsPath, eventsOf, signed } from './calls.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

const list = (token: string) => service.call('GET', connectorsPath, { token })

it('refuses an issuer that is there and is no text', async () => {
  for (const iss of [null, 7, {}, ['https://issuer.example'], '', 'a\u0000', '\ud800', 'x'.repeat(1025)]) {
    await assertProblem(await list(await signed(service, { iss })), 401, 'unauthorized')
  }
  assert.equal((await list(await signed(service, { iss: 'https://issuer.example' }))).status, 200)
  assert.equal((await list(await signed(service, {}))).status, 200)
})

it('gives the default scope to nothing but an absent one', async () => {
  assert.equal((await list(await signed(service, { scope: undefined }))).status, 200)
  for (const scope of [null, '', 7, {}, [], [null]]) {
    await assertProblem(await list(await signed(service, { scope })), 403, 'missing_right')
  }
})

it('lets spaces and collections that are no UUIDs reach nothing', async () => {
  const id = await connectAccount(service)
  for (const name of ['spaces', 'collections']) {
    for (const claim of [['no-uuid'], [''], ['{}'], ["'"], [7], [null], 'all', null, {}]) {
      const token = await signed(service, { [name]: claim })
      assert.deepEqual(await eventsOf(service, {}, { token }), [], `${name} ${JSON.stringify(claim)}`)
      await assertProblem(await list(token), 403, 'space_forbidden')
    }
  }
  const token = await signed(service, { spaces: ['no-uuid', spaceId.toUpperCase()], collections: [collectionId] })
  assert.equal((await eventsOf(service, { resource_id: id }, { token })).length, 1)
  assert.equal((await list(token)).status, 200)
})
