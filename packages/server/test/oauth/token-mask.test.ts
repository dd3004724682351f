import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Secret } from '../../src/core/secret.ts'
import { maskedSink } from '../../src/oauth/token-mask.ts'

/** What comes out of the mask for a body in these pieces. */
function masked(token: string, pieces: readonly string[]): string {
  const out: Buffer[] = []
  const sink = maskedSink(
    { write: (chunk) => out.push(Buffer.from(chunk)) > 0, onDrain: () => {}, end: () => {} },
    new Secret(token),
  )
  for (const piece of pieces) sink.write(Buffer.from(piece, 'latin1'))
  sink.end()
  return Buffer.concat(out).toString('latin1')
}

describe('the mask over a reply', () => {
  it('covers the token and nothing else, however the body is cut and the token repeats itself', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[ab]{1,12}$/),
        fc.array(fc.stringMatching(/^[ab]{0,9}$/), { maxLength: 12 }),
        (token, pieces) => {
          const body = pieces.join('')
          assert.equal(masked(token, pieces), body.replaceAll(token, '*'.repeat(token.length)))
        },
      ),
      { numRuns: 2_000 },
    )
  })

  it('covers the token as it stands in URLs and in JSON', () => {
    const token = 'ya29/a+b=c'
    for (const spelling of [token, encodeURIComponent(token), 'ya29\\/a+b=c']) {
      assert.equal(masked(token, [`<${spelling}`, '>']), `<${'*'.repeat(spelling.length)}>`)
    }
  })

  it('takes time in proportion to the body, also for a token that nearly matches everywhere', () => {
    const run = 'a'.repeat(8_000)
    const piece = 'a'.repeat(65_536)
    const started = process.cpuUsage()
    const body = masked(
      `${run}b${run}`,
      Array.from({ length: 128 }, () => piece),
    )
    const { user, system } = process.cpuUsage(started)
    assert.equal(body.length, 128 * piece.length)
    // 8 MiB: a search that begins anew at each byte takes minutes.
    assert.ok(user + system < 10_000_000, `${user + system} µs`)
  })

  it('copies no more than came, piece by piece', () => {
    let writes = 0
    let sizeBytes = 0
    const sink = maskedSink(
      {
        write(chunk) {
          writes += 1
          sizeBytes += chunk.length
          return true
        },
        onDrain: () => {},
        end: () => {},
      },
      new Secret(`${'a'.repeat(16_000)}b`),
    )
    for (let at = 0; at < 40_000; at += 1) sink.write(Buffer.from('a'))
    assert.ok(writes <= 40_000 && sizeBytes === 24_000, `${writes} writes of ${sizeBytes} bytes`)
  })
})
