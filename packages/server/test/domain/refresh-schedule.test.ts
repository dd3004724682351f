import assert from 'node:assert/strict'
import { it } from 'node:test'
import { plusMs } from '../../src/core/clock.ts'
import { nextRefreshAt, type ScheduleFacts } from '../../src/domain/refresh-schedule.ts'

const grantedAt = new Date('2030-01-01T00:00:00Z')
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

const facts: ScheduleFacts = {
  connectorId: 'conn_1',
  grantedAt,
  expiresAt: plusMs(grantedAt, hourMs),
  lastUsedAt: grantedAt,
  idleDays: undefined,
}
const ids = Array.from({ length: 2_000 }, (_, index) => `conn_${index}`)
const delays = (given: Partial<ScheduleFacts>, now = grantedAt) =>
  ids.map((connectorId) => nextRefreshAt({ ...facts, ...given, connectorId }, now).getTime() - grantedAt.getTime())

/** The largest share of all that falls into one of twenty equal parts of the span between the first and the last. */
function crowding(values: readonly number[]): number {
  const [first, last] = [Math.min(...values), Math.max(...values)]
  const parts = Array.from({ length: 20 }, () => 0)
  for (const value of values) {
    const part = Math.min(19, Math.floor((20 * (value - first)) / (last - first)))
    parts[part] = (parts[part] ?? 0) + 1
  }
  return Math.max(...parts) / values.length
}

it('a connector in use is refreshed one to five minutes before its access token expires, each at its own moment', () => {
  const early = delays({}).map((delay) => hourMs - delay)
  assert.ok(early.every((ms) => ms >= minuteMs && ms <= 5 * minuteMs))
  assert.ok(crowding(early) < 0.1)
})

it('a token that lives shortly is not refreshed all the time', () => {
  for (const lifetimeMs of [0, 30_000, 2 * minuteMs, 5 * minuteMs]) {
    for (const delay of delays({ expiresAt: plusMs(grantedAt, lifetimeMs) })) {
      assert.ok(delay >= minuteMs && delay >= lifetimeMs * 0.75, `${delay} of ${lifetimeMs}`)
    }
  }
})

it('an idle connector keeps its refresh token alive, between a half and three quarters of what it bears', () => {
  for (const idleDays of [1, 7, 180]) {
    const kept = delays({ idleDays, lastUsedAt: undefined })
    assert.ok(kept.every((ms) => ms >= idleDays * dayMs * 0.5 && ms <= idleDays * dayMs * 0.75))
    assert.ok(crowding(kept) < 0.1)
  }
})

it('an idle connector of which nothing is known is refreshed about every 25 days', () => {
  const kept = delays({ lastUsedAt: undefined })
  assert.ok(kept.every((ms) => ms >= 20 * dayMs && ms <= 30 * dayMs))
})

it('a connector that was last used a day ago is idle', () => {
  const now = plusMs(grantedAt, 30 * dayMs)
  const expiresAt = plusMs(now, hourMs)
  const used = (ago: number) => nextRefreshAt({ ...facts, idleDays: 60, expiresAt, lastUsedAt: plusMs(now, -ago) }, now)
  assert.ok(used(dayMs - 1) < expiresAt)
  assert.ok(used(dayMs) > plusMs(grantedAt, 30 * dayMs - 1))
})

it('a token that does not expire is refreshed only to keep its refresh token alive', () => {
  const kept = delays({ expiresAt: undefined, idleDays: 60 })
  assert.ok(kept.every((ms) => ms >= 30 * dayMs && ms <= 45 * dayMs))
})

it('a long-lived access token does not let the refresh token die', () => {
  const kept = delays({ expiresAt: plusMs(grantedAt, 365 * dayMs), idleDays: 30 })
  assert.ok(kept.every((ms) => ms <= 22.5 * dayMs))
})

it('a connector keeps its place', () => {
  assert.deepEqual(delays({}), delays({}))
})
