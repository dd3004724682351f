import type { ReactNode } from 'react'
import type { ServiceEvent } from '../../api/events.ts'
import { exactly } from '../../parts/moment.tsx'
import { useNow } from '../../parts/use-now.ts'

type Health = 'good' | 'warn' | 'bad' | 'none'

const after: Readonly<Record<string, Health>> = {
  'connector.connected': 'good',
  'connector.reconnected': 'good',
  'connector.recovered': 'good',
  'connector.imported': 'good',
  'connector.degraded': 'warn',
  'connector.reauth_required': 'bad',
  'connector.disconnected': 'none',
}
const fills: Readonly<Record<Health, string>> = {
  good: 'fill-good',
  warn: 'fill-warn',
  bad: 'fill-bad',
  none: 'fill-edge',
}
const words: Readonly<Record<Health, string>> = {
  good: 'connected',
  warn: 'degraded',
  bad: 'needs a person',
  none: 'disconnected',
}

interface Stretch {
  readonly health: Health
  readonly from: number
  readonly to: number
}

/** From events, the newest first: how long it was in which state, up to now. */
function stretchesOf(
  events: readonly Pick<ServiceEvent, 'event_type' | 'created_at'>[],
  now: number,
): readonly Stretch[] {
  const stretches: Stretch[] = []
  let to = now
  for (const event of events) {
    const health = after[event.event_type]
    if (health === undefined) continue
    const from = Date.parse(event.created_at)
    // What happened a moment ago may lie after a time that goes in steps.
    stretches.unshift({ health, from, to: Math.max(from, to) })
    to = from
  }
  return stretches
}

export function HealthBar({ events }: { readonly events: readonly ServiceEvent[] }): ReactNode {
  const stretches = stretchesOf(events, useNow())
  const [first] = stretches
  const last = stretches.at(-1)
  if (first === undefined || last === undefined) return null
  const span = Math.max(1, last.to - first.from)
  return (
    <figure className="rounded-lg border border-line bg-card p-4">
      <figcaption className="mb-2 flex flex-wrap justify-between gap-x-4 text-xs text-soft">
        <span>Since {exactly(new Date(first.from).toISOString())}</span>
        <span>
          Good for {Math.round((sumOf(stretches, 'good') / span) * 1000) / 10} % of the time, now {words[last.health]}
        </span>
      </figcaption>
      <svg viewBox="0 0 1000 10" preserveAspectRatio="none" className="h-3 w-full rounded-full" aria-hidden="true">
        {stretches.map(({ health, from, to }) => (
          <rect
            key={from}
            x={((from - first.from) / span) * 1000}
            y={0}
            width={Math.max(3, ((to - from) / span) * 1000)}
            height={10}
            className={fills[health]}
          />
        ))}
      </svg>
    </figure>
  )
}

function sumOf(stretches: readonly Stretch[], health: Health): number {
  return stretches.filter((stretch) => stretch.health === health).reduce((sum, { from, to }) => sum + to - from, 0)
}
