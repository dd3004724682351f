import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { tenantId } from '../../src/core/ids.ts'
import { heldKeys, parseKey, UnknownKey } from '../../src/vault/key-encryption-keys.ts'

const acme = tenantId('acme')

function newKey(id: string) {
  return { id, key: createSecretKey(randomBytes(32)) }
}

describe('parseKey', () => {
  it('reads an id and 32 bytes', () => {
    const bytes = randomBytes(32)
    const parsed = parseKey(`2026-a:${bytes.toString('base64')}`)
    assert.ok('key' in parsed && parsed.key !== undefined)
    assert.equal(parsed.id, '2026-a')
    assert.deepEqual(parsed.key.export(), bytes)
  })

  const refused: Readonly<Record<string, string>> = {
    'no id': randomBytes(32).toString('base64'),
    'an empty id': `:${randomBytes(32).toString('base64')}`,
    'an id with a space': `a b:${randomBytes(32).toString('base64')}`,
    'no key': 'a:',
    'sixteen bytes': `a:${randomBytes(16).toString('base64')}`,
    '31 bytes': `a:${randomBytes(31).toString('base64')}`,
    '33 bytes': `a:${randomBytes(33).toString('base64')}`,
    zeros: `a:${Buffer.alloc(32).toString('base64')}`,
    'one repeated byte': `a:${Buffer.alloc(32, 0xa7).toString('base64')}`,
    'a repeated word': `a:${Buffer.from('0123456701234567012345670123456'.padEnd(32, '7')).toString('base64')}`,
    'a sentence': `a:${Buffer.from('this is a passphrase, not a key!').toString('base64')}`,
    'counted bytes': `a:${Buffer.from(Array.from({ length: 32 }, (_, index) => index)).toString('base64')}`,
    'counted bytes that wrap': `a:${Buffer.from(Array.from({ length: 32 }, (_, index) => (index + 240) % 256)).toString('base64')}`,
  }
  for (const [what, entry] of Object.entries(refused)) {
    it(`refuses ${what}, and does not repeat the key`, () => {
      const parsed = parseKey(entry)
      assert.ok('problem' in parsed)
      const key = entry.split(':').at(-1) ?? ''
      if (key !== '') assert.ok(!parsed.problem.includes(key))
    })
  }
})

describe('heldKeys', () => {
  it('wraps with the first key and unwraps with any', async () => {
    const [old, current] = [newKey('old'), newKey('current')]
    const dataKey = randomBytes(32)
    const before = await heldKeys([old]).wrap(dataKey, acme, 1)
    const both = heldKeys([current, old])
    assert.deepEqual(await both.unwrap(before.keyId, before.wrapped, acme, 1), dataKey)
    assert.equal((await both.wrap(dataKey, acme, 1)).keyId, 'current')
  })

  it('throws UnknownKey for a key it does not hold, and tries no other', async () => {
    const key = newKey('old')
    const { wrapped } = await heldKeys([key]).wrap(randomBytes(32), acme, 1)
    // The right key under another id: whoever tried it out would succeed.
    await assert.rejects(heldKeys([{ ...key, id: 'renamed' }]).unwrap('old', wrapped, acme, 1), UnknownKey)
    await assert.rejects(heldKeys([{ ...key, id: 'renamed' }]).unwrap('renamed', wrapped, acme, 1), /authenticate/)
  })

  it('opens a data key for its own tenant and epoch only', async () => {
    const keys = heldKeys([newKey('a')])
    const { keyId, wrapped } = await keys.wrap(randomBytes(32), acme, 1)
    await assert.rejects(keys.unwrap(keyId, wrapped, tenantId('other'), 1))
    await assert.rejects(keys.unwrap(keyId, wrapped, acme, 2))
    for (let index = 0; index < wrapped.length; index += 1) {
      const altered = Buffer.from(wrapped)
      altered.writeUInt8((altered[index] ?? 0) ^ 1, index)
      await assert.rejects(keys.unwrap(keyId, altered, acme, 1))
    }
  })
})
