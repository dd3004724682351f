import type { Course, Measured } from './measure/rounds.ts'

/** How a question is asked: how long, how many, and whether the service is profiled. */
export interface Asking extends Course {
  readonly connections: number
  readonly tenants: number
  readonly connectorsEach: number
  /** A folder for CPU profiles of the service. */
  readonly profileTo: string | undefined
}

/** What rounds of contenders said. */
export interface Comparison {
  readonly title: string
  readonly unit: string
  /** The contender that is this service. */
  readonly ours: string
  /** What the ratio to a contender should be at least. */
  readonly goals: Readonly<Record<string, number>>
  readonly results: ReadonlyMap<string, readonly Measured[]>
  /** The version of PostgreSQL. */
  readonly postgresql: string
  /** What could not be measured here, and why. */
  readonly skipped: readonly string[]
}
