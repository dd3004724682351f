import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { plusMs } from '../../src/core/clock.ts'
import { sweepRefreshes } from '../../src/domain/sweep-refreshes.ts'
import { rows } from '../support/connectors.ts'
import { addConnectors, createRefreshWorld, type RefreshWorld } from '../support/refresh-world.ts'
import { sized } from '../support/size.ts'
import { startTestService, type TestService } from '../support/service.ts'

const count = sized(2_000, 10_000)
const minuteMs = 60_000

const stepMs = 10_000

let service: TestService
let world: RefreshWorld
before(async () => {
  service = await startTestService()
  world = createRefreshWorld(service, {
    troubled: { refresh_rotates: true },
    steady: { refresh_rotates: true },
  })
})
after(() => service[Symbol.asyncDispose]())

const healths = async (slug: string): Promise<Record<string, unknown>> => {
  const found = await rows(
    service,
    `select health, count(*)::int as count from connectors where provider_slug = $1 group by health`,
    [slug],
  )
  return Object.fromEntries(found.map((row) => [String(row['health']), row['count']]))
}

const expired = async (slug: string): Promise<number> => {
  const [row] = await rows(
    service,
    'select count(*)::int as count from connectors where provider_slug = $1 and access_token_expires_at <= $2',
    [slug, world.clock.now()],
  )
  return Number(row?.['count'])
}

/** Lets time pass, and the sweep do all that is due at each step. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    world.clock.advance(stepMs)
    while ((await sweepRefreshes(world.context)) > 0);
  }
}

it('an outage of an hour sends none of thousands of connectors to reauthorize, and ends without a herd', async () => {
  const { troubled, steady } = world.providers
  assert.ok(troubled && steady)
  // In use, and each to be refreshed within the coming hour.
  const share = (index: number) => index / count
  await addConnectors(world, 'troubled', count, (index) =>
    plusMs(world.clock.now(), minuteMs * (6 + 54 * share(index))),
  )
  await addConnectors(world, 'steady', 200, (index) => plusMs(world.clock.now(), minuteMs * (6 + index / 10)))
  for (const [script, minutes] of [
    ['in-trouble', 30],
    ['unreachable', 30],
  ] as const) {
    troubled.behave(script)
    const earlier = troubled.requests
    await pass(minutes * minuteMs)
    // A few until it is shut, then one question a minute.
    assert.ok(troubled.requests - earlier < 60, `${troubled.requests - earlier} requests in ${minutes} minutes`)
    assert.equal(await expired('steady'), 0, 'the others were kept waiting')
  }
  const during = await healths('troubled')
  assert.ok(Number(during['degraded']) < 120, JSON.stringify(during))
  assert.equal(during['reauth_required'], undefined)
  assert.equal(Number(during['active']) + Number(during['degraded']), count)

  troubled.behave('answers')
  troubled.forgetPeak()
  const earlier = troubled.requests
  await pass(16 * minuteMs)
  assert.ok(troubled.peak <= 10, `${troubled.peak} requests at once`)
  assert.ok(troubled.requests - earlier < count * 1.01 + 100, `${troubled.requests - earlier} requests to recover`)
  assert.deepEqual(await healths('troubled'), { active: count })
  assert.equal(await expired('troubled'), 0)
  assert.equal(troubled.reuses, 0)
  const [events] = await rows(
    service,
    `select count(*) filter (where event_type = 'connector.degraded')::int as degraded,
            count(*) filter (where event_type = 'connector.recovered')::int as recovered
     from events`,
  )
  assert.equal(events?.['degraded'], events?.['recovered'])
  assert.ok(Number(events?.['degraded']) > 0)
})
