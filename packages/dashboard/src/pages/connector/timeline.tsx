import type { ReactNode } from 'react'
import { useGrowingList } from '../../api/lists.ts'
import type { ServiceEvent } from '../../api/events.ts'
import { Button } from '../../parts/button.tsx'
import { eventTone, eventWords, type EventTone } from '../../parts/event-words.ts'
import { Metadata } from '../../parts/metadata.tsx'
import { Ago, At } from '../../parts/moment.tsx'
import { EmptyNote, Loading, ProblemNote } from '../../parts/notes.tsx'
import { Card } from '../../parts/page.tsx'
import { HealthBar } from './health-bar.tsx'

const dots: Readonly<Record<EventTone, string>> = { good: 'bg-good', warn: 'bg-warn', bad: 'bg-bad', quiet: 'bg-edge' }

/** What happened to it, the newest first, with its health as a picture above. */
export function Timeline({ connectorId }: { readonly connectorId: string }): ReactNode {
  const query = { resource_id: connectorId, order: 'desc' }
  const list = useGrowingList<ServiceEvent>(['connector', connectorId, 'events'], '/v1/events', query)
  if (list.isLoading) return <Loading />
  if (list.problem !== null && list.items.length === 0)
    return <ProblemNote problem={list.problem} onRetry={list.retry} />
  if (list.items.length === 0) return <EmptyNote title="Nothing happened yet" />
  return (
    <div className="space-y-4">
      <HealthBar events={list.items} />
      <Card title="Timeline">
        <ol className="space-y-4">
          {list.items.map((event) => (
            <li key={event.id} className="flex gap-3">
              <span
                aria-hidden="true"
                className={`mt-1.5 size-2 shrink-0 rounded-full ${dots[eventTone(event.event_type)]}`}
              />
              <div className="min-w-0 flex-1">
                <p className="flex flex-wrap items-baseline justify-between gap-x-4">
                  <span>
                    <span className="font-medium">{eventWords(event.event_type)}</span>{' '}
                    <code className="text-xs text-soft">{event.event_type}</code>
                  </span>
                  <span className="text-xs text-soft">
                    <Ago at={event.created_at} /> · <At at={event.created_at} />
                  </span>
                </p>
                <Metadata of={{ by: event.actor_id ?? 'the service', ...reasonsOf(event) }} />
              </div>
            </li>
          ))}
        </ol>
        {list.hasMore && (
          <Button className="mt-4" onClick={list.grow} disabled={list.isGrowing}>
            Earlier
          </Button>
        )}
      </Card>
    </div>
  )
}

function reasonsOf({ metadata }: ServiceEvent): Readonly<Record<string, unknown>> {
  const { provider_slug: _provider, session_id: _session, ...rest } = metadata
  return rest
}
