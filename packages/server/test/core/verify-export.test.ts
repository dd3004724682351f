import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { auditKeyId, checkpointBytes } from '../../src/core/audit-checkpoint.ts'
import { auditFormat, entryHash, genesisHash } from '../../src/core/audit-entry.ts'
import { footerBytes } from '../../src/core/audit-export.ts'
import { emptyExport, endExport, readExportLine, type ExportState } from '../../src/core/verify-export.ts'
import { createSigningKey, signWith, type SigningKey } from '../../src/vault/signing.ts'

const entryCount = 12
const key = createSigningKey()

/** An export as the service writes it: twelve entries, a checkpoint after every fourth, from any position on. */
function exported(from: number, signing: SigningKey, seed = 0): readonly string[] {
  const keyId = auditKeyId(signing.publicKey)
  const previousHash = from === 1 ? genesisHash : entryHash(genesisHash, entryAt(from - 1, 99))
  const header = {
    format: auditFormat,
    tenant_id: 'acme',
    from_position: from,
    to_position: from + entryCount - 1,
    previous_hash: previousHash,
    exported_at: '2026-01-01T00:00:00.000Z',
    public_keys: { [keyId]: signing.publicKey },
  }
  const lines: unknown[] = [{ type: 'header', ...header }]
  let hash = previousHash
  let checkpoints = 0
  for (let position = from; position < from + entryCount; position += 1) {
    const entry = entryAt(position, seed)
    hash = entryHash(hash, entry)
    lines.push({ type: 'entry', ...entry, hash })
    if ((position - from) % 4 !== 3) continue
    const checkpoint = { tenant_id: 'acme', position, hash, created_at: entry.created_at, key_id: keyId }
    const signature = signWith(signing.privateKey, checkpointBytes(checkpoint))
    lines.push({ type: 'checkpoint', ...checkpoint, signature })
    checkpoints += 1
  }
  const footer = { last_hash: hash, entries: entryCount, checkpoints, key_id: keyId }
  lines.push({ type: 'footer', ...footer, signature: signWith(signing.privateKey, footerBytes(header, footer)) })
  return lines.map((line) => JSON.stringify(line))
}

function entryAt(position: number, seed: number) {
  return {
    tenant_id: 'acme',
    position,
    entry_id: `aud_${seed}_${position}`,
    action: 'connector.proxied',
    actor_id: position % 3 === 0 ? null : 'ada',
    resource_type: 'connector',
    resource_id: `conn_${position % 2}`,
    space_id: '123e4567-e89b-12d3-a456-426614174001',
    collection_id: null,
    metadata: { z: 1, a: ['ü', { n: null, count: position }], 'a b': 1e21 },
    created_at: '2026-01-01T00:00:00.000Z',
  }
}

function judge(lines: readonly string[], pinned?: string): ExportState {
  return endExport(lines.reduce((state, line) => readExportLine(state, line, pinned), emptyExport))
}

const assertBroken = (lines: readonly string[], pinned = key.publicKey): void =>
  assert.equal(judge(lines, pinned).kind, 'broken')

const whole = exported(1, key)
const anyLine = fc.nat(whole.length - 1)

it('an untouched export is whole, from whichever position it begins', () => {
  for (const from of [1, 2, 700]) {
    const state = judge(exported(from, key), key.publicKey)
    assert.equal(state.kind, 'complete', JSON.stringify(state))
  }
})

it('members may come in any order and with any white space: that says nothing else', () => {
  const respelt = whole.map((line) => {
    const members = Object.entries(JSON.parse(line) as Record<string, unknown>).toReversed()
    return JSON.stringify(Object.fromEntries(members), null, 1).replaceAll('\n', ' ')
  })
  assert.equal(judge(respelt, key.publicKey).kind, 'complete')
})

it('a removed line is found, whichever it is', () => {
  for (const index of whole.keys()) assertBroken(whole.toSpliced(index, 1))
})

it('lines that were swapped are found, whichever two', () => {
  const swap = fc.tuple(anyLine, anyLine).filter(([one, other]) => one !== other)
  fc.assert(
    fc.property(swap, ([one, other]) => {
      assertBroken(whole.with(one, whole[other] ?? '').with(other, whole[one] ?? ''))
    }),
  )
})

it('a line that was added is found: one of the same export, of another, or anything at all', () => {
  const foreign = exported(1, key, 7)
  const added = fc.oneof(fc.constantFrom(...whole), fc.constantFrom(...foreign), fc.json(), fc.string())
  fc.assert(
    fc.property(fc.nat(whole.length), added, (index, line) => {
      // A checkpoint that stands twice at its place says nothing twice, and yet the counts no longer fit.
      assertBroken(whole.toSpliced(index, 0, line))
    }),
    { numRuns: 300 },
  )
})

it('any change of any member of any line is found', () => {
  const change = fc.record({
    index: anyLine,
    member: fc.nat(),
    value: fc.oneof(fc.jsonValue(), fc.constant(genesisHash), fc.constant('2026-01-01T00:00:00.001Z')),
  })
  fc.assert(
    fc.property(change, ({ index, member, value }) => {
      const line = JSON.parse(whole[index] ?? '') as Record<string, unknown>
      const name = Object.keys(line)[member % Object.keys(line).length] ?? ''
      fc.pre(JSON.stringify(line[name]) !== JSON.stringify(value))
      assertBroken(whole.with(index, JSON.stringify({ ...line, [name]: value })))
    }),
    { numRuns: 1_000 },
  )
})

it('a signature that is spelt otherwise is found', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  for (const [index, text] of whole.entries()) {
    const line = JSON.parse(text) as { signature?: string }
    if (line.signature === undefined) continue
    const last = alphabet[alphabet.indexOf(line.signature.at(-1) ?? '') ^ 1] ?? ''
    assertBroken(whole.with(index, JSON.stringify({ ...line, signature: line.signature.slice(0, -1) + last })))
    assertBroken(whole.with(index, JSON.stringify({ ...line, signature: `${line.signature}==` })))
  }
})

it('a member that is added to a line, or taken away, is found', () => {
  for (const [index, text] of whole.entries()) {
    const line = JSON.parse(text) as Record<string, unknown>
    assertBroken(whole.with(index, JSON.stringify({ ...line, planted: 1 })))
    for (const name of Object.keys(line)) {
      const { [name]: _, ...rest } = line
      assertBroken(whole.with(index, JSON.stringify(rest)))
    }
  }
})

it('a change inside metadata is found, and one of the order of its members is none', () => {
  const line = JSON.parse(whole[3] ?? '') as Record<string, unknown>
  const altered = { ...line, metadata: { z: 1, a: ['ü', { n: null, count: 4 }], 'a b': 1e21 } }
  const reordered = { ...line, metadata: { 'a b': 1e21, a: ['ü', { count: 3, n: null }], z: 1 } }
  assertBroken(whole.with(3, JSON.stringify(altered)))
  assert.equal(judge(whole.with(3, JSON.stringify(reordered)), key.publicKey).kind, 'complete')
})

it('an end that was cut off is found, wherever', () => {
  for (let kept = 0; kept < whole.length; kept += 1) assertBroken(whole.slice(0, kept))
})

it('the first fault is named with its position', () => {
  const at = (lines: readonly string[]) => {
    const state = judge(lines, key.publicKey)
    return state.kind === 'broken' ? [state.fault.position, state.fault.fault] : state.kind
  }
  // The line of position 7 has the header, six entries and a checkpoint before it.
  const line = JSON.parse(whole[8] ?? '') as { position: number }
  assert.equal(line.position, 7)
  assert.deepEqual(at(whole.toSpliced(8, 1)), [7, 'removed'])
  assert.deepEqual(at(whole.with(8, JSON.stringify({ ...line, actor_id: 'eve' }))), [7, 'altered'])
  assert.deepEqual(at(whole.with(8, whole[7] ?? '').with(7, whole[8] ?? '')), [6, 'removed'])
  assert.deepEqual(at(whole.slice(0, 9)), [8, 'truncated'])
})

it('a record that was written and signed anew passes for whole, and is found once the key is pinned', () => {
  const forged = exported(1, createSigningKey(), 3)
  assert.equal(judge(forged).kind, 'complete')
  const state = judge(forged, key.publicKey)
  assert.ok(state.kind === 'broken' && state.fault.fault === 'foreign_key')
})

it('nothing at all, and nonsense, are no export', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.json(), fc.string())), (lines) => {
      assertBroken(lines)
    }),
  )
})
