import type { ReactNode } from 'react'

export interface Series {
  readonly name: string
  /** Of `--chart-1` to `--chart-3`. */
  readonly colour: 1 | 2 | 3
  readonly values: readonly number[]
}

const fills = { 1: 'fill-chart-1', 2: 'fill-chart-2', 3: 'fill-chart-3' } as const
const swatches = { 1: 'bg-chart-1', 2: 'bg-chart-2', 3: 'bg-chart-3' } as const
const box = { width: 600, height: 120 }

/** Bars over time, stacked; the same figures stand in a table for whoever does not see them. */
export function Bars({
  title,
  moments,
  series,
}: {
  readonly title: string
  /** What to call each place on the axis. */
  readonly moments: readonly string[]
  readonly series: readonly Series[]
}): ReactNode {
  const totals = moments.map((_, index) => series.reduce((sum, { values }) => sum + (values[index] ?? 0), 0))
  const top = niceTop(Math.max(...totals, 0))
  const step = box.width / Math.max(1, moments.length)
  const sums = series.map(({ values }) => values.reduce((sum, value) => sum + value, 0))
  return (
    <figure className="relative">
      <figcaption className="mb-3 flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
        <span className="font-semibold">{title}</span>
        <span className="flex flex-wrap gap-x-4 text-xs text-soft">
          {series.map(({ name, colour }, index) => (
            <span key={name} className="inline-flex items-center gap-1.5">
              <span aria-hidden="true" className={`size-2 rounded-sm ${swatches[colour]}`} />
              {name}{' '}
              <strong className="font-semibold text-ink tabular-nums">{(sums[index] ?? 0).toLocaleString('en')}</strong>
            </span>
          ))}
        </span>
      </figcaption>
      <div className="flex gap-2">
        <div
          aria-hidden="true"
          className="flex w-8 flex-col justify-between text-right text-[0.6875rem] text-soft tabular-nums"
        >
          <span>{compact(top)}</span>
          <span>{compact(top / 2)}</span>
          <span>0</span>
        </div>
        <svg
          viewBox={`0 0 ${box.width} ${box.height}`}
          preserveAspectRatio="none"
          className="h-28 w-0 min-w-0 flex-1"
          aria-hidden="true"
        >
          {[0, 0.5, 1].map((part) => (
            <line
              key={part}
              x1={0}
              x2={box.width}
              y1={Math.max(0.5, box.height * part - 0.5)}
              y2={Math.max(0.5, box.height * part - 0.5)}
              className="stroke-line"
              strokeWidth={1}
              vectorEffect="non-scaling-stroke"
            />
          ))}
          {moments.map((moment, index) => (
            <g key={moment}>
              <title>
                {[moment, ...series.map(({ name, values }) => `${name}: ${values[index] ?? 0}`)].join('\n')}
              </title>
              <rect x={index * step} y={0} width={step} height={box.height} className="fill-transparent" />
              {stack(series, index, top).map(({ colour, y, height }) => (
                <rect
                  key={colour}
                  x={index * step + step * 0.12}
                  y={y}
                  width={step * 0.76}
                  height={height}
                  className={fills[colour]}
                />
              ))}
            </g>
          ))}
        </svg>
      </div>
      <div aria-hidden="true" className="mt-1 flex justify-between pl-10 text-[0.6875rem] text-soft">
        <span>{moments[0]}</span>
        <span>{moments.at(-1)}</span>
      </div>
      {/* A table takes the height of its rows whatever it is told, and would make the page longer. */}
      <div className="sr-only">
        <FiguresTable title={title} moments={moments} series={series} />
      </div>
    </figure>
  )
}

function stack(series: readonly Series[], index: number, top: number) {
  let y = box.height
  return series.flatMap(({ colour, values }) => {
    const value = values[index] ?? 0
    if (value === 0) return []
    // One of a hundred thousand must still be seen.
    const height = Math.max(2, (value / top) * box.height)
    y -= height
    return [{ colour, y, height }]
  })
}

function FiguresTable({
  title,
  moments,
  series,
}: {
  readonly title: string
  readonly moments: readonly string[]
  readonly series: readonly Series[]
}): ReactNode {
  return (
    <table>
      <caption>{title}</caption>
      <thead>
        <tr>
          <th scope="col">From</th>
          {series.map(({ name }) => (
            <th scope="col" key={name}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {moments.map((moment, index) => (
          <tr key={moment}>
            <th scope="row">{moment}</th>
            {series.map(({ name, values }) => (
              <td key={name}>{values[index] ?? 0}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** The next of 2, 4, 10, 20, 40, 100 … */
function niceTop(value: number): number {
  if (value <= 2) return 2
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 4, 10].map((step) => step * power).find((step) => step >= value) ?? value
}

function compact(value: number): string {
  return Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 }).format(value)
}
