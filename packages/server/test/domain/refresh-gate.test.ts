import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createRefreshGate, type Entry, type Turn, type TurnEnd } from '../../src/domain/refresh-gate.ts'

const outage: TurnEnd = { kind: 'outage', retryAfterSeconds: undefined, isCostly: false }
const answered: TurnEnd = { kind: 'answered' }

function startGate() {
  let nowMs = Date.parse('2030-01-01T00:00:00Z')
  const gate = createRefreshGate({ now: () => new Date(nowMs) })
  return {
    gate,
    advance: (ms: number) => void (nowMs += ms),
    leftMs: (entry: Entry) => (entry.kind === 'shut' ? entry.retryAt.getTime() - nowMs : assert.fail('open')),
    fail: async (times: number, how = outage) => {
      for (let time = 0; time < times; time += 1) requireTurn(await gate.enter('a', 0)).end(how)
    },
  }
}

function requireTurn(entry: Entry): Turn {
  return entry.kind === 'turn' ? entry : assert.fail('shut')
}

it('lets twenty of a context in at a time, the others in order, and each context by itself', async () => {
  const { gate } = startGate()
  const turns: Turn[] = []
  for (let index = 0; index < 20; index += 1) turns.push(requireTurn(await gate.enter('a', 0)))
  assert.equal((await gate.enter('a', 0)).kind, 'shut')
  assert.equal((await gate.enter('b', 0)).kind, 'turn')
  const order: string[] = []
  const first = gate.enter('a', 60_000).then((entry) => order.push('first') && requireTurn(entry))
  const second = gate.enter('a', 60_000).then((entry) => order.push('second') && requireTurn(entry))
  turns[7]?.end(answered)
  await first
  turns[3]?.end({ kind: 'unused' })
  await second
  assert.deepEqual(order, ['first', 'second'])
})

it('whoever waits too long is told to come later, and does not get in afterwards', async () => {
  const { gate } = startGate()
  const turns: Turn[] = []
  for (let index = 0; index < 20; index += 1) turns.push(requireTurn(await gate.enter('a', 0)))
  assert.equal((await gate.enter('a', 1)).kind, 'shut')
  turns[0]?.end(answered)
  assert.equal(gate.room().limited.get('a'), 1)
})

it('shuts after five outages in a row, tells all who wait, and then asks one question at a time', async () => {
  const { gate, advance, fail, leftMs } = startGate()
  await fail(4)
  requireTurn(await gate.enter('a', 0)).end(answered)
  await fail(5)
  const shut = await gate.enter('a', 60_000)
  assert.ok(leftMs(shut) > 0 && leftMs(shut) <= 5_000)
  assert.equal(gate.room().limited.get('a'), 0)
  advance(5_000)
  assert.equal(gate.room().limited.get('a'), 1)
  const probe = requireTurn(await gate.enter('a', 0))
  assert.ok(probe.isProbe)
  assert.equal((await gate.enter('a', 0)).kind, 'shut')
  const waiting = gate.enter('a', 60_000)
  probe.end(outage)
  assert.equal((await waiting).kind, 'shut')
  assert.ok(leftMs(await gate.enter('a', 0)) > 5_000, 'the second wait is no longer than the first')
  advance(10_000)
  requireTurn(await gate.enter('a', 0)).end(answered)
  assert.equal(gate.room().limited.get('a'), undefined)
  assert.ok(!requireTurn(await gate.enter('a', 0)).isProbe)
})

it('stays shut a minute at most by itself, and five when the provider asks for more', async () => {
  const { gate, advance, fail, leftMs } = startGate()
  await fail(5)
  for (let round = 0; round < 10; round += 1) {
    advance(leftMs(await gate.enter('a', 0)))
    await fail(1)
    assert.ok(leftMs(await gate.enter('a', 0)) <= 60_000)
  }
  advance(60_000)
  await fail(1, { ...outage, retryAfterSeconds: 120 })
  assert.equal(leftMs(await gate.enter('a', 0)), 120_000)
  advance(120_000)
  await fail(1, { ...outage, retryAfterSeconds: 86_400 })
  assert.equal(leftMs(await gate.enter('a', 0)), 300_000)
})

it('one outage that cost a connection is enough', async () => {
  const { gate, fail } = startGate()
  await fail(1, { ...outage, isCostly: true })
  assert.equal((await gate.enter('a', 0)).kind, 'shut')
})

it('outages that end after it was shut do not lengthen the time, and an answer opens it', async () => {
  const { gate, leftMs } = startGate()
  const turns: Turn[] = []
  for (let index = 0; index < 20; index += 1) turns.push(requireTurn(await gate.enter('a', 0)))
  for (const turn of turns.slice(0, 19)) turn.end(outage)
  assert.ok(leftMs(await gate.enter('a', 0)) <= 5_000)
  turns[19]?.end(answered)
  assert.equal((await gate.enter('a', 0)).kind, 'turn')
})

it('a clock that is set back does not keep it shut', async () => {
  const { gate, advance, fail } = startGate()
  await fail(5)
  advance(-3_600_000)
  assert.equal((await gate.enter('a', 0)).kind, 'turn')
})

it('a turn ends once', async () => {
  const { gate } = startGate()
  const turn = requireTurn(await gate.enter('a', 0))
  turn.end(answered)
  turn.end(outage)
  assert.equal(gate.room().limited.size, 0)
})

it('forgets contexts that nobody stands in', async () => {
  const { gate } = startGate()
  for (let index = 0; index < 20_000; index += 1) requireTurn(await gate.enter(`c${index}`, 0)).end(outage)
  assert.equal(gate.room().limited.size, 0)
  const turn = requireTurn(await gate.enter('a', 0))
  assert.equal(gate.room().limited.get('a'), 19)
  turn.end(answered)
})
