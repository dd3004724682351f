import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { runSchedule, type Policy, type Step } from '../support/refresh-schedules.ts'
import { sized } from '../support/size.ts'
import { startTestService, type TestService } from '../support/service.ts'

let service: TestService
before(async () => {
  service = await startTestService()
})
after(() => service[Symbol.asyncDispose]())

const process = fc.constantFrom(0, 1)
/** Times that matter: shorter and longer than the lease, the grace, the backoff, the life of a token. */
const time = fc.constantFrom(1_000, 8_000, 26_000, 45_000, 61_000, 900_000)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('read' as const), process }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('force' as const), process }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('sweep' as const), process }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: time }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('provider' as const),
      script: fc.constantFrom(
        'answers' as const,
        'answers' as const,
        'in-trouble' as const,
        'unreachable' as const,
        'loses-reply' as const,
        'loses-request' as const,
      ),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('hold' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('let-go' as const) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('crash' as const), process, steps: fc.nat({ max: 14 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('reconnect' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reseal' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose-grant' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('settle' as const) }) },
)
const schedules = fc.noBias(
  fc.array(fc.array(step, { minLength: 2, maxLength: 16, size: 'max' }), { minLength: 1, maxLength: 60, size: 'max' }),
)

/** Schedules in a run stand beside one another, each with a connector, a provider and a time of its own. */
const runs: Readonly<Record<Policy, number>> = {
  documented: sized(12, 120),
  graced: sized(12, 120),
  plain: sized(6, 40),
  unknown: sized(6, 40),
}

describe('however reads, refreshes, reconnects, a delete, re-seals, crashes and lost replies fall together', () => {
  for (const policy of ['documented', 'graced', 'plain', 'unknown'] as const) {
    it(`no refresh token is spent twice, none is lost, a delete is final and nobody is stuck: ${policy}`, async (t) => {
      const told = new Map<string, number>()
      const count = (what: string, by = 1) => told.set(what, (told.get(what) ?? 0) + by)
      const property = fc.asyncProperty(schedules, async (batch) => {
        const ends = await Promise.allSettled(batch.map((steps) => runSchedule(service, policy, steps)))
        for (const end of ends) {
          if (end.status === 'rejected') throw end.reason
          count('schedules')
          count('requests', end.value.requests)
          count('deaths', end.value.deaths)
          count(end.value.ended)
        }
      })
      await fc.assert(property, { numRuns: runs[policy] })
      t.diagnostic(JSON.stringify(Object.fromEntries(told)))
    })
  }
})
