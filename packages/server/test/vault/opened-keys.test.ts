import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openedKeys } from '../../src/vault/opened-keys.ts'

class Gone extends Error {}

function start() {
  const state = { now: 0, loads: 0, failure: undefined as Error | undefined }
  const known: (number | undefined)[] = []
  const keys = openedKeys<number>({
    clock: { now: () => new Date(state.now) },
    freshMs: 10,
    lifeMs: 20,
    forgets: (error) => error instanceof Gone,
  })
  const load = async (before: number | undefined): Promise<number> => {
    known.push(before)
    state.loads += 1
    if (state.failure !== undefined) throw state.failure
    return state.loads
  }
  return { state, known, keys, get: (name = 'a') => keys.get(name, load), renew: () => keys.renew('a', load) }
}

/** Lets what goes on beside come to its end. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('opened keys', () => {
  it('are loaded once for all callers', async () => {
    const { get, state } = start()
    assert.deepEqual(await Promise.all([get(), get(), get()]), [1, 1, 1])
    assert.equal(state.loads, 1)
  })

  it('are used while they are loaded again, once for all callers, before their life ends', async () => {
    const { get, state, known } = start()
    await get()
    state.now = 10
    assert.deepEqual(await Promise.all([get(), get()]), [1, 1])
    await settled()
    assert.equal(await get(), 2)
    assert.deepEqual(known, [undefined, 1])
  })

  it('are not used after the end of their life, even when nobody can say what became of them', async () => {
    const { get, state } = start()
    await get()
    state.now = 20
    state.failure = new Error('away')
    await assert.rejects(get(), /away/)
    state.failure = undefined
    assert.equal(await get(), 3)
  })

  it('outlive a failure that is no answer, and no longer', async () => {
    const { get, state } = start()
    await get()
    state.failure = new Error('away')
    state.now = 19
    assert.equal(await get(), 1)
    await settled()
    assert.equal(await get(), 1)
    await settled()
    state.now = 20
    await assert.rejects(get(), /away/)
  })

  it('are forgotten as soon as one learns that they are gone', async () => {
    const { get, state } = start()
    await get()
    state.failure = new Gone()
    state.now = 10
    assert.equal(await get(), 1)
    await settled()
    await assert.rejects(get(), Gone)
  })

  it('are known to the load after them, even after the end of their life', async () => {
    const { get, state, known } = start()
    await get()
    state.now = 1_000
    await get()
    state.now = 2_000
    await get()
    assert.deepEqual(known, [undefined, 1, 2])
  })

  it('do not stay when nobody asks for them', async () => {
    const { get, state, known } = start()
    await get('a')
    await get('b')
    state.now = 20
    await get('b')
    state.now = 21
    await get('a')
    assert.deepEqual(known, [undefined, undefined, 2, undefined])
  })

  it('are loaded at once on demand, not by a load that had begun before', async () => {
    const { get, renew, state } = start()
    await get()
    assert.equal(await renew(), 2)
    state.now = 10
    const early = get()
    assert.equal(await renew(), 4)
    assert.equal(await early, 2)
  })
})
