import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { plusMs } from '../../src/core/clock.ts'
import { judgeLostReply, type Rotation } from '../../src/domain/lost-reply.ts'

const sentAt = new Date('2030-01-01T00:00:00Z')

interface Case {
  readonly documented?: boolean
  readonly observed?: boolean
  readonly graceSeconds?: number
  readonly sends: number
  readonly afterMs: number
  readonly expected: 'send-again' | 'give-up'
}

/** What is documented counts more than what was seen; a grace counts only for what works once. */
const table: readonly Case[] = [
  // Nothing is known, and nothing says that the token rotates.
  { sends: 1, afterMs: 0, expected: 'send-again' },
  { sends: 7, afterMs: 86_400_000, expected: 'send-again' },
  { observed: false, sends: 3, afterMs: 1_000, expected: 'send-again' },
  // It does not rotate, even if each reply brings another.
  { documented: false, sends: 9, afterMs: 1_000, expected: 'send-again' },
  { documented: false, observed: true, sends: 2, afterMs: 1_000, expected: 'send-again' },
  // It rotates, and no grace is documented.
  { documented: true, sends: 1, afterMs: 0, expected: 'give-up' },
  { documented: true, observed: false, sends: 1, afterMs: 0, expected: 'give-up' },
  { observed: true, sends: 1, afterMs: 0, expected: 'give-up' },
  // It rotates, with a grace: once more, and in time.
  { documented: true, graceSeconds: 60, sends: 1, afterMs: 0, expected: 'send-again' },
  { documented: true, graceSeconds: 60, sends: 1, afterMs: 49_999, expected: 'send-again' },
  { documented: true, graceSeconds: 60, sends: 1, afterMs: 50_000, expected: 'give-up' },
  { documented: true, graceSeconds: 60, sends: 1, afterMs: 3_600_000, expected: 'give-up' },
  { documented: true, graceSeconds: 60, sends: 2, afterMs: 5_000, expected: 'give-up' },
  { observed: true, graceSeconds: 60, sends: 1, afterMs: 5_000, expected: 'send-again' },
  { observed: true, graceSeconds: 60, sends: 2, afterMs: 5_000, expected: 'give-up' },
  // A grace too short for a second request, and a clock that was set back.
  { documented: true, graceSeconds: 10, sends: 1, afterMs: 0, expected: 'give-up' },
  { documented: true, graceSeconds: 60, sends: 1, afterMs: -1, expected: 'give-up' },
]

describe('a refresh token whose reply was lost', () => {
  for (const { sends, afterMs, expected, ...known } of table) {
    const rotation: Rotation = { documented: undefined, observed: undefined, graceSeconds: undefined, ...known }
    it(`${expected}: ${JSON.stringify(known)}, sent ${sends} times, ${afterMs} ms after the first`, () => {
      assert.equal(judgeLostReply({ sentAt, sends }, rotation, plusMs(sentAt, afterMs)).kind, expected)
    })
  }

  it('says until when it may be sent again', () => {
    const verdict = judgeLostReply(
      { sentAt, sends: 1 },
      { documented: true, observed: undefined, graceSeconds: 60 },
      sentAt,
    )
    assert.deepEqual(verdict, { kind: 'send-again', before: plusMs(sentAt, 50_000) })
  })
})
