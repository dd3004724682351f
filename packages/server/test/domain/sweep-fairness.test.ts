import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { plusMs } from '../../src/core/clock.ts'
import { sweepRefreshes } from '../../src/domain/sweep-refreshes.ts'
import { rows, until } from '../support/connectors.ts'
import { addConnectors, createRefreshWorld } from '../support/refresh-world.ts'
import { startTestService, type TestService } from '../support/service.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

it('a tenant of many providers that hang has its share of the sweep, and another tenant’s refreshes go on', async () => {
  const hanging = Array.from({ length: 12 }, (_, index) => `hanging-${index}`)
  const world = createRefreshWorld(service, Object.fromEntries([...hanging, 'steady'].map((slug) => [slug, {}])))
  const soon = () => plusMs(world.clock.now(), 60_000)
  for (const slug of hanging) await addConnectors(world, slug, 10, soon)
  await addConnectors(world, 'steady', 40, soon)
  // Their context is not that tenant's, so nothing is asked for them; what counts is that their turn comes.
  await rows(service, `update connectors set tenant_id = 'other' where provider_slug = 'steady'`)
  for (const slug of hanging) world.providers[slug]?.hold()
  world.clock.advance(30_000)
  const asked = () => hanging.reduce((sum, slug) => sum + (world.providers[slug]?.requests ?? 0), 0)
  let hasEnded = false
  const working = sweepRefreshes(world.context).then(() => (hasEnded = true))
  await until(async () => {
    assert.ok(!hasEnded)
    const [found] = await rows(
      service,
      `select count(*)::int as count from connectors where tenant_id = 'other' and next_refresh_at <= $1`,
      [world.clock.now()],
    )
    return found?.['count'] === 0 && asked() > 0
  })
  await until(() => asked() >= 16)
  assert.equal(asked(), 16)
  for (const slug of hanging) world.providers[slug]?.letGo()
  await working
  assert.equal(asked(), 120)
})
