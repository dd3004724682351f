import type { OverviewFigures } from '../../api/overview.ts'

const hourly = new Intl.DateTimeFormat('en-GB', { weekday: 'short', hour: '2-digit', minute: '2-digit' })
const daily = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })

/** The counts of events as series over the whole span; hours without any event are there, as zero. */
export function activitySeries(figures: Pick<OverviewFigures, 'activity' | 'bucket_seconds'>): {
  readonly moments: readonly string[]
  readonly of: (eventType: string) => readonly number[]
} {
  const format = figures.bucket_seconds >= 86_400 ? daily : hourly
  return {
    moments: figures.activity.map(({ from }) => format.format(new Date(from))),
    of: (eventType) => figures.activity.map(({ counts }) => counts[eventType] ?? 0),
  }
}
