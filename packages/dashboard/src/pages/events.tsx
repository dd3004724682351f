import { useQueryClient } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useEventStream } from '../api/event-stream.ts'
import type { ServiceEvent } from '../api/events.ts'
import { useGrowingList } from '../api/lists.ts'
import { Actor } from '../parts/actor.tsx'
import { asTimes, DayRange } from '../parts/day-range.tsx'
import { eventTone, eventWords } from '../parts/event-words.ts'
import { EventTabs } from '../parts/event-tabs.tsx'
import { inputClass } from '../parts/field.tsx'
import { LiveMark } from '../parts/live-mark.tsx'
import { Metadata } from '../parts/metadata.tsx'
import { Ago } from '../parts/moment.tsx'
import { EmptyNote } from '../parts/notes.tsx'
import { PageHead } from '../parts/page.tsx'
import { RecordList, type Column } from '../parts/record-list.tsx'
import { ResourceLink } from '../parts/resource-link.tsx'
import { SearchBox } from '../parts/search-box.tsx'
import { Badge } from '../parts/status-badge.tsx'
import { useSoon } from '../parts/use-soon.ts'

const route = getRouteApi('/events')
const categories = ['connector', 'token', 'provider_app', 'key', 'sync']

const columns: readonly Column<ServiceEvent>[] = [
  {
    title: 'What happened',
    width: 'minmax(11.5rem, 1.6fr)',
    narrow: 'line',
    cell: (event) => (
      <>
        <Badge tone={eventTone(event.event_type)}>{event.event_type}</Badge>
        <span className="mt-0.5 block text-xs text-soft">{eventWords(event.event_type)}</span>
      </>
    ),
  },
  {
    title: 'About',
    width: 'minmax(0, 1.75fr)',
    cell: (event) => <ResourceLink type={event.resource_type} id={event.resource_id} place={event.metadata} />,
  },
  {
    title: 'By',
    width: 'minmax(0, 0.9fr)',
    narrow: 'hidden',
    cell: (event) => <Actor id={event.actor_id} />,
  },
  {
    title: 'Details',
    width: 'minmax(0, 2.1fr)',
    narrow: 'hidden',
    cell: (event) => <Metadata of={detailsOf(event)} />,
  },
  {
    title: 'When',
    width: '6rem',
    cell: (event) => (
      <span className="text-soft">
        <Ago at={event.created_at} />
      </span>
    ),
  },
]

function detailsOf({ metadata }: ServiceEvent): Readonly<Record<string, unknown>> {
  const { session_id: _session, ...rest } = metadata
  return rest
}

/** What happened to the tenant's connections, the newest first, as it happens. */
export function Events(): ReactNode {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const queries = useQueryClient()
  const query = {
    order: 'desc',
    category: search.category,
    resource_id: search.resource_id,
    ...asTimes(search.from, search.to),
  }
  const list = useGrowingList<ServiceEvent>(['events', query], '/v1/events', query)
  const refresh = useSoon(() => void queries.invalidateQueries({ queryKey: ['events'] }))
  const live = useEventStream(refresh)
  const change = (part: Partial<typeof search>): void =>
    void navigate({ search: (old) => ({ ...old, ...part }), replace: true })
  return (
    <>
      <PageHead title="Events" actions={<LiveMark state={live} />} />
      <EventTabs here="events" />
      <div className="mb-4 flex flex-wrap items-center gap-2">
        <select
          aria-label="Category"
          className={`${inputClass} sm:w-44`}
          value={search.category ?? ''}
          onChange={(event) => change({ category: event.target.value || undefined })}
        >
          <option value="">Every category</option>
          {categories.map((category) => (
            <option key={category}>{category}</option>
          ))}
        </select>
        <SearchBox
          label="Exact id, such as conn_…"
          value={search.resource_id}
          onChange={(id) => change({ resource_id: id })}
        />
        <DayRange from={search.from} to={search.to} onChange={change} />
      </div>
      <RecordList
        label="Events"
        list={list}
        columns={columns}
        keyOf={(event) => event.id}
        empty={
          <EmptyNote title="No event fits">Events appear here as accounts are connected, refreshed and used.</EmptyNote>
        }
      />
    </>
  )
}
