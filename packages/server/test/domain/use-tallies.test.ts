import assert from 'node:assert/strict'
import { afterEach, beforeEach, it, mock } from 'node:test'
import { tenantId } from '../../src/core/ids.ts'
import { createTallies, type Tallies, type Use } from '../../src/domain/use-tallies.ts'
import { collectionId, spaceId } from '../support/service.ts'

const use = (connectorId: string, path = '/v1/things'): Use => ({
  action: 'connector.proxied',
  tenantId: tenantId('acme'),
  connectorId,
  place: { space_id: spaceId, collection_id: collectionId },
  actorId: 'ada',
  metadata: { method: 'GET', path, status: 200 },
})
let nowMs = 0
beforeEach(() => {
  nowMs = 0
  mock.method(performance, 'now', () => nowMs)
})
afterEach(() => mock.restoreAll())

const many = (count: number, each: (index: number) => Use) => Array.from({ length: count }, (_, index) => each(index))
/** Notes uses, and writes what is due a moment later. */
function write(tallies: Tallies, uses: readonly Use[]) {
  for (const one of uses) tallies.count(one, nowMs)
  nowMs += 200
  return tallies.take('due')
}
/** Whether what was written is still known: another such use waits for seconds, a new one for a moment. */
const isKnown = (tallies: Tallies, one: Use) => (tallies.count(one, nowMs) ?? 0) > nowMs + 1_000

it('a use that repeats what was written is known while few others come', () => {
  const tallies = createTallies()
  write(tallies, [use('conn_own')])
  assert.equal(
    write(
      tallies,
      many(15_000, (index) => use(`conn_${index}`)),
    ).length,
    15_000,
  )
  assert.ok(isKnown(tallies, use('conn_own')))
})

it('no more than some are known, whether connectors or paths vary, and none that waits is lost', () => {
  const various: readonly ((index: number) => Use)[] = [
    (index) => use(`conn_${index}`),
    (index) => use('conn_varied', `/v1/things/${index}`),
  ]
  for (const vary of various) {
    const tallies = createTallies()
    assert.equal(write(tallies, many(20_000, vary)).length, 20_000)
    tallies.count(use('conn_own'), nowMs)
    nowMs += 150
    tallies.count(use('conn_waits'), nowMs)
    nowMs += 50
    assert.deepEqual(
      tallies.take('due').map(({ connectorId }) => connectorId),
      ['conn_own'],
    )
    assert.equal(isKnown(tallies, use('conn_own')), false)
    assert.equal(isKnown(tallies, vary(19_999)), false)
    nowMs += 200
    assert.deepEqual(
      tallies.take('due').map(({ connectorId }) => connectorId),
      ['conn_waits', 'conn_own', vary(19_999).connectorId],
    )
  }
})
