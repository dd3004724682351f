import type { Spread } from '../measure/statistics.ts'
import type { ComparisonResult, Results } from './results.ts'

/** The generated part of `docs/performance.md`: the machine, one table a question, memory. */
export function markdown(results: Results): string {
  const { machine, versions, plan } = results
  return [
    `Measured ${results.measuredAt.slice(0, 10)} on ${machine.cores} cores of ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.system}, ` +
      `Node.js ${versions.node}, PostgreSQL ${versions.postgresql}; ${plan.connections} connections, ` +
      `${plan.rounds} rounds of ${plan.seconds} s each. Figures are medians, spreads go from the lowest to the highest round.`,
    '![Our rate as a share of each contender’s, with spread and goal](images/performance.svg)',
    ...results.comparisons.flatMap((comparison) => comparisonTable(comparison)),
    '### Memory at rest',
    table(
      ['what', 'processes', 'MiB (PSS)', `goal`],
      results.memory.figures.map(({ name, processes, miB }) => [
        name,
        String(processes),
        miB.toFixed(0),
        `< ${results.memory.goalMiB} ${miB < results.memory.goalMiB ? 'met' : 'missed'}`,
      ]),
    ),
    ...results.memory.skipped.map((reason) => `Skipped: ${reason}.`),
  ].join('\n\n')
}

function comparisonTable(comparison: ComparisonResult): string[] {
  return [
    `### ${comparison.title}`,
    table(
      [
        'server',
        `${comparison.unit}/s`,
        'our rate ÷ its rate',
        'goal',
        'p50 ms',
        'p99 ms',
        'CPU ms each: server',
        'PostgreSQL',
      ],
      comparison.contenders.map(({ name, perSecond, ratio, goal, p50Ms, p99Ms, serverMsEach, databaseMsEach }) => [
        name === comparison.ours ? `**${name}**` : name,
        spread(perSecond, 0),
        ratio === undefined ? '' : spread(ratio, 2),
        goal === undefined || ratio === undefined ? '' : `≥ ${goal} ${ratio.median >= goal ? 'met' : 'missed'}`,
        p50Ms.median.toFixed(1),
        p99Ms.median.toFixed(1),
        serverMsEach.median.toFixed(3),
        databaseMsEach.median.toFixed(3),
      ]),
    ),
    ...comparison.skipped.map((reason) => `Skipped: ${reason}.`),
  ]
}

const spread = ({ median, min, max }: Spread, digits: number): string =>
  `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map((row) => line(row))].join('\n')
}
