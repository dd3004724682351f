import { arch, cpus, platform, release, totalmem } from 'node:os'
import type { MemoryReport } from '../memory.ts'
import type { Measured, Plan } from '../measure/rounds.ts'
import { pairedRatios, spreadOf, type Spread } from '../measure/statistics.ts'
import type { Comparison } from '../question.ts'

/** What a whole run said, as it stands in `results/latest.json`. */
export interface Results {
  readonly measuredAt: string
  readonly machine: {
    readonly cpu: string
    readonly cores: number
    readonly memoryGiB: number
    readonly system: string
  }
  readonly versions: { readonly node: string; readonly postgresql: string }
  readonly plan: Plan & { readonly connections: number }
  readonly comparisons: readonly ComparisonResult[]
  readonly memory: MemoryReport
}

export interface ComparisonResult {
  readonly title: string
  readonly unit: string
  readonly ours: string
  readonly contenders: readonly ContenderResult[]
  readonly skipped: readonly string[]
}

export interface ContenderResult {
  readonly name: string
  readonly perSecond: Spread
  readonly p50Ms: Spread
  readonly p99Ms: Spread
  readonly serverMsEach: Spread
  readonly databaseMsEach: Spread
  /** Our rate over this one's, round by round; absent for ourselves. */
  readonly ratio?: Spread
  readonly goal?: number
}

export function summarize(comparison: Comparison): ComparisonResult {
  const { title, unit, ours, goals, results, skipped } = comparison
  const rates = (rounds: readonly Measured[]): readonly number[] => rounds.map((round) => round.perSecond)
  const ourRates = rates(results.get(ours) ?? [])
  const contenders = [...results].map(([name, rounds]): ContenderResult => {
    const spread = (figure: keyof Measured): Spread => spreadOf(rounds.map((round) => round[figure]))
    return {
      name,
      perSecond: spread('perSecond'),
      p50Ms: spread('p50Ms'),
      p99Ms: spread('p99Ms'),
      serverMsEach: spread('serverMsEach'),
      databaseMsEach: spread('databaseMsEach'),
      ...(name !== ours && { ratio: spreadOf(pairedRatios(ourRates, rates(rounds))) }),
      ...(goals[name] !== undefined && { goal: goals[name] }),
    }
  })
  return { title, unit, ours, contenders, skipped }
}

/** What the figures depend on. */
export function machine(): Results['machine'] {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
  }
}
