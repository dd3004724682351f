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
const connectorsOf = (records: readonly { readonly connectorId: string }[]) =>
  records.map(({ connectorId }) => connectorId)
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
    nowMs += 200
    assert.deepEqual(connectorsOf(tallies.take('due')), ['conn_own'])
    assert.equal(isKnown(tallies, use('conn_own')), false)
    assert.equal(isKnown(tallies, vary(19_999)), false)
    nowMs += 200
    assert.deepEqual(connectorsOf(tallies.take('due')), ['conn_own', vary(19_999).connectorId])
  }
})

it('what is due within a second is written along with what is due now, and what is due later is not', () => {
  const tallies = createTallies()
  for (const [connector, waitMs] of [
    ['conn_first', 900],
    ['conn_soon', 1_500],
    ['conn_later', 0],
  ] as const) {
    write(tallies, [use(connector)])
    nowMs += waitMs
  }
  const dues = ['conn_first', 'conn_soon', 'conn_later'].map((connector) => tallies.count(use(connector), nowMs))
  assert.deepEqual(dues, [5_200, 6_300, 8_000])
  tallies.count(use('conn_new'), nowMs)
  nowMs = 5_300
  assert.deepEqual(connectorsOf(tallies.take('due')), ['conn_first', 'conn_soon', 'conn_new'])
  assert.equal(tallies.nextDueMs(), 8_000)
})
