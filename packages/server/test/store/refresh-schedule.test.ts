import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { plusMs } from '../../src/core/clock.ts'
import { connectorId, tenantId } from '../../src/core/ids.ts'
import { markUsed } from '../../src/store/refresh-schedule.ts'
import { connectAccount } from '../support/consent.ts'
import { connectorRow, rows } from '../support/connectors.ts'
import { startTestService, type TestService } from '../support/service.ts'

const tenant = tenantId('acme')
const now = new Date('2030-01-01T00:00:00Z')
const dayMs = 86_400_000

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

/** A connector whose access token expires in an hour and that is looked at in `days`. */
async function scheduled(days: number, health = 'active') {
  const id = await connectAccount(service)
  await rows(
    service,
    `update connectors set access_token_expires_at = $2, next_refresh_at = $3, health = $4 where connector_id = $1`,
    [id, plusMs(now, 3_600_000), plusMs(now, days * dayMs), health],
  )
  return { tenantId: tenant, connectorId: connectorId(id), usedAt: now }
}

it('an idle connector that is used is looked at before its access token expires', async () => {
  const use = await scheduled(30)
  await markUsed(service.context.database.system, [use])
  const row = await connectorRow(service, use.connectorId)
  assert.deepEqual(row.last_used_at, now)
  assert.deepEqual(row.next_refresh_at, plusMs(now, 3_600_000 - 120_000))
})

it('a time that comes before the expiry stays, and so does one of a connector in trouble', async () => {
  const soon = await scheduled(0.01)
  const troubled = await scheduled(0.5, 'degraded')
  await markUsed(service.context.database.system, [soon, troubled])
  assert.deepEqual((await connectorRow(service, soon.connectorId)).next_refresh_at, plusMs(now, 0.01 * dayMs))
  assert.deepEqual((await connectorRow(service, troubled.connectorId)).next_refresh_at, plusMs(now, 0.5 * dayMs))
})

it('an earlier use that is written later does not set the clock back', async () => {
  const use = await scheduled(30)
  const { system } = service.context.database
  await markUsed(system, [use])
  await markUsed(system, [{ ...use, usedAt: plusMs(now, -1_000) }])
  assert.deepEqual((await connectorRow(service, use.connectorId)).last_used_at, now)
})

it('two processes that write the same uses in another order do not wait for each other', async () => {
  const uses = []
  for (let index = 0; index < 8; index += 1) uses.push(await scheduled(30))
  const { system } = service.context.database
  for (let round = 0; round < 10; round += 1) {
    await Promise.all([markUsed(system, uses), markUsed(system, uses.toReversed()), markUsed(system, uses)])
  }
  assert.deepEqual((await connectorRow(service, uses[0]?.connectorId ?? '')).last_used_at, now)
})
