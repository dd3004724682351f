import assert from 'node:assert/strict'
import { it } from 'node:test'
import { plusMs } from '../../src/core/clock.ts'
import type { TokenFailure } from '../../src/core/token.ts'
import { toFailure } from '../../src/domain/refresh-failure.ts'

const now = new Date('2030-01-01T00:01:00Z')
const rotates = { documented: true, observed: true, graceSeconds: undefined }
const sent = { failures: 0, lostReply: { sentAt: plusMs(now, -10_000), sends: 1 }, rotation: rotates }

type Reason = Extract<TokenFailure, { kind: 'unavailable' }>['reason']
const unavailable = (reason: Reason, isSent: boolean, retryAfterSeconds?: number): TokenFailure => ({
  kind: 'unavailable',
  reason,
  sent: isSent,
  retryAfterSeconds,
})

it('an answer of any status leaves no doubt about a token that works once', () => {
  const failure = toFailure(unavailable('status', true), sent, now)
  assert.deepEqual([failure.health, failure.reason, failure.answers], ['degraded', 'provider_status', 1])
})

it('a request that never left leaves no doubt', () => {
  for (const reason of ['network', 'timeout', 'refused'] as const) {
    const failure = toFailure(unavailable(reason, false), sent, now)
    assert.deepEqual([failure.health, failure.answers], ['degraded', 1])
  }
})

it('a token that works once is given up when its reply is lost or cannot be read', () => {
  for (const reason of ['network', 'timeout', 'nonsense'] as const) {
    const failure = toFailure(unavailable(reason, true), sent, now)
    assert.deepEqual(failure, {
      health: 'reauth_required',
      reason: 'refresh_outcome_unknown',
      retryAt: undefined,
      answers: 0,
    })
  }
})

it('a token that does not rotate is tried again after a lost reply, and the doubt stays on record', () => {
  const rotation = { ...rotates, documented: false }
  const failure = toFailure(unavailable('timeout', true), { ...sent, rotation }, now)
  assert.deepEqual([failure.health, failure.reason, failure.answers], ['degraded', 'provider_timeout', 0])
})

it('the one retry in a grace does not miss it by waiting', () => {
  const rotation = { ...rotates, graceSeconds: 21 }
  const failure = toFailure(unavailable('timeout', true), { ...sent, failures: 9, rotation }, now)
  assert.deepEqual([failure.health, failure.retryAt], ['degraded', now])
  const late = toFailure(
    unavailable('timeout', true, 600),
    { ...sent, rotation: { ...rotates, graceSeconds: 3600 } },
    now,
  )
  assert.deepEqual(late.retryAt, plusMs(now, 600_000))
})

it('a refused client is the operator’s to mend, a refused grant the user’s', () => {
  assert.equal(toFailure({ kind: 'client-rejected', code: 'invalid_client' }, sent, now).health, 'degraded')
  const dead = toFailure({ kind: 'grant-lost', code: 'invalid_grant' }, sent, now)
  assert.deepEqual([dead.health, dead.reason, dead.retryAt], ['reauth_required', 'invalid_grant', undefined])
})

it('waits longer from failure to failure, at most a quarter of an hour, never in step', () => {
  for (let failures = 0; failures < 40; failures += 1) {
    const longest = Math.min(900_000, 5_000 * 2 ** failures)
    const waits = Array.from({ length: 20 }, () => {
      const { retryAt } = toFailure(unavailable('status', true), { ...sent, failures }, now)
      return (retryAt?.getTime() ?? 0) - now.getTime()
    })
    assert.ok(waits.every((wait) => wait >= longest / 2 && wait <= longest))
    assert.ok(new Set(waits).size > 10)
  }
})
