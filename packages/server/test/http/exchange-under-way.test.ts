import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { rows, until } from '../support/connectors.ts'
import { startHostileProvider, type HostileProvider } from '../support/hostile-provider.ts'
import type { TestService } from '../support/service.ts'
import { assertProblem, browser } from './calls.ts'
import { addProvider, craftedCallback, grant, serviceBeside } from './own-providers.ts'

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

/** A completion whose token request hangs until `letGo`. */
async function completionUnderWay() {
  const slug = await addProvider(service, provider, { revocation_url: `${provider.origin}/revoke` })
  provider.answer('/revoke', { json: {} })
  let release: (() => void) | undefined
  provider.answer('/token', (response) => {
    release = () => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(grant().json))
  })
  const callback = await craftedCallback(service, slug)
  const parked = await fetch(service.url + callback.pathname + callback.search, {
    headers: browser,
    redirect: 'manual',
  })
  const fragment = new URLSearchParams(new URL(parked.headers.get('location') ?? '', service.url).hash.slice(1))
  const body = { session_id: fragment.get('session_id'), completion_code: fragment.get('completion_code') }
  const path = `/v1/connectors/oauth/${slug}/complete`
  const completing = service.call('POST', path, { body })
  await until(() => release !== undefined)
  return { path, body, completing, letGo: () => release?.() }
}

it('another user who brings the code while it is exchanged is refused, and ends nothing', async () => {
  const { path, body, completing, letGo } = await completionUnderWay()
  const token = await service.token({ sub: 'mallory' })
  await assertProblem(await service.call('POST', path, { token, body }), 403, 'principal_mismatch')
  letGo()
  assert.equal((await completing).status, 200)
  const refused = await rows(
    service,
    `select metadata ->> 'reason' as reason from audit_entries where resource_id = $1 and action = 'session.refused'`,
    [body.session_id],
  )
  assert.deepEqual(refused, [{ reason: 'principal_mismatch' }])
})

it('a grant that arrives when its transaction is gone is given back', async () => {
  const { body, completing, letGo } = await completionUnderWay()
  const earlier = provider.seenAt('/revoke').length
  await rows(service, 'delete from transactions where transaction_id = $1', [body.session_id])
  letGo()
  await assertProblem(await completing, 400, 'invalid_state')
  assert.ok(provider.seenAt('/revoke').length > earlier)
})
