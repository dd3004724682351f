/** One thing that is measured beside others. */
export interface Contender {
  readonly name: string
  /** Puts load on it for so long. Throws when any answer was wrong. */
  measure(seconds: number): Promise<Measured>
}

/** What one round said of one contender. */
export interface Measured {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** CPU time of the server's process for one unit of work, and of all of PostgreSQL. */
  readonly serverMsEach: number
  readonly databaseMsEach: number
}

export interface Plan {
  readonly rounds: number
  readonly seconds: number
  readonly warmUpSeconds: number
}

/** How it is measured. */
export interface Course {
  readonly plan: Plan
  readonly log: (line: string) => void
  /** Ends the measuring at once with its reason, so that what was started for it is cleaned up. */
  readonly signal: AbortSignal
}

/**
 * Measures the contenders in turn, round by round, so that what changes on the machine meanwhile changes for all. Each
 * round begins with another one.
 */
export async function inRounds(
  contenders: readonly Contender[],
  { plan, log, signal }: Course,
): Promise<ReadonlyMap<string, readonly Measured[]>> {
  const stopped = new Promise<never>((_, reject) => {
    // Aborted by the run, always with an error.
    const stop = (): void => reject(signal.reason as Error)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
  stopped.catch(() => {})
  const measure = (contender: Contender, seconds: number) => Promise.race([contender.measure(seconds), stopped])
  for (const contender of contenders) await measure(contender, plan.warmUpSeconds)
  const results = new Map<string, Measured[]>(contenders.map(({ name }) => [name, []]))
  for (let round = 0; round < plan.rounds; round += 1) {
    const first = round % contenders.length
    for (const contender of [...contenders.slice(first), ...contenders.slice(0, first)]) {
      const measured = await measure(contender, plan.seconds)
      results.get(contender.name)?.push(measured)
      log(
        `  round ${round + 1}: ${contender.name.padEnd(28)} ${measured.perSecond.toFixed(0).padStart(7)}/s` +
          `  p50 ${measured.p50Ms.toFixed(1)} ms  p99 ${measured.p99Ms.toFixed(1)} ms  CPU each:` +
          ` server ${measured.serverMsEach.toFixed(3)} ms, database ${measured.databaseMsEach.toFixed(3)} ms`,
      )
    }
  }
  return results
}
