import type { Spread } from '../measure/statistics.ts'
import type { Results } from './results.ts'

interface Bar {
  readonly label: string
  readonly ratio: Spread
  readonly goal: number | undefined
}

const rowHeight = 34
const left = 260
const width = 760
const top = 34

/**
 * Our rate as a share of each contender's: a bar to the median, a whisker over the rounds, a mark at the goal. The
 * colours follow the reader's colour scheme.
 */
export function picture(results: Results): string {
  const bars = results.comparisons.flatMap(({ title, contenders }) =>
    contenders.flatMap(({ name, ratio, goal }): Bar[] =>
      ratio === undefined ? [] : [{ label: `${title} ÷ ${name}`, ratio, goal }],
    ),
  )
  const end = Math.max(1, ...bars.map(({ ratio }) => ratio.max)) * 1.05
  const x = (ratio: number): string => (left + (ratio / end) * (width - left - 60)).toFixed(1)
  const height = top + bars.length * rowHeight + 10
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Our rate as a share of each contender’s">`,
    `<style>${style}</style>`,
    `<text class="quiet" x="${x(0)}" y="16">0</text>`,
    `<text class="quiet" x="${x(1)}" y="16" text-anchor="middle">1 = as fast</text>`,
    `<path class="axis" d="M${x(1)} 22V${height - 8}"/>`,
    ...bars.flatMap((bar, row) => drawBar(bar, top + row * rowHeight, x)),
    '</svg>',
    '',
  ].join('\n')
}

const style = `text{font:13px system-ui,sans-serif;fill:#1f2328}.quiet{fill:#59636e}.bar{fill:#2f6feb}.whisker{stroke:#1f2328;stroke-width:1.5}.goal{stroke:#d1242f;stroke-width:2.5}.axis{stroke:#8c959f;stroke-dasharray:3 3}@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.quiet{fill:#9198a1}.bar{fill:#4493f8}.whisker{stroke:#f0f6fc}.goal{stroke:#ff7b72}.axis{stroke:#656c76}}`

function drawBar({ label, ratio, goal }: Bar, y: number, x: (ratio: number) => string): string[] {
  const middle = y + 11
  const goalMark =
    goal === undefined ? [] : [`<path class="goal" d="M${x(goal)} ${y - 3}v28"><title>goal ${goal}</title></path>`]
  return [
    `<text x="${left - 12}" y="${middle + 4}" text-anchor="end">${label.replaceAll('&', '&amp;')}</text>`,
    `<rect class="bar" x="${x(0)}" y="${y}" width="${(Number(x(ratio.median)) - Number(x(0))).toFixed(1)}" height="22" rx="2"/>`,
    `<path class="whisker" d="M${x(ratio.min)} ${middle}H${x(ratio.max)}M${x(ratio.min)} ${middle - 5}v10M${x(ratio.max)} ${middle - 5}v10"/>`,
    ...goalMark,
    `<text x="${Number(x(Math.max(ratio.max, goal ?? 0))) + 8}" y="${middle + 4}">${ratio.median.toFixed(2)}</text>`,
  ]
}
