import { useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState, type ReactNode } from 'react'
import { connectorsPath, nameOf, placeOf, type Connector } from '../api/connectors.ts'
import { useEventStream } from '../api/event-stream.ts'
import { useGrowingList } from '../api/lists.ts'
import { buttonClass } from '../parts/button.tsx'
import { Id } from '../parts/id.tsx'
import { LiveMark } from '../parts/live-mark.tsx'
import { Ago } from '../parts/moment.tsx'
import { EmptyNote } from '../parts/notes.tsx'
import { PageHead } from '../parts/page.tsx'
import { ProviderName } from '../parts/provider-name.tsx'
import { RecordList, type Column } from '../parts/record-list.tsx'
import { ConnectorBadge } from '../parts/status-badge.tsx'
import { useSoon } from '../parts/use-soon.ts'
import { BulkBar } from './connectors/bulk-bar.tsx'
import { Filters } from './connectors/filters.tsx'

const route = getRouteApi('/connectors')

const columns: readonly Column<Connector>[] = [
  {
    title: 'Account',
    width: 'minmax(0, 2fr)',
    cell: (connector) => (
      <Link
        to="/connectors/$spaceId/$collectionId/$connectorId"
        params={placeOf(connector)}
        className="block rounded font-medium wrap-anywhere hover:underline"
      >
        {nameOf(connector)}
        <Id id={connector.id} className="block! font-sans text-xs font-normal text-soft" />
      </Link>
    ),
  },
  {
    title: 'Provider',
    width: 'minmax(0, 1fr)',
    cell: (connector) => <ProviderName slug={connector.provider_slug} />,
  },
  {
    title: 'Status',
    width: '9rem',
    cell: (connector) => (
      <>
        <ConnectorBadge status={connector.status} />
        {connector.status_reason !== null && (
          <span className="mt-0.5 block text-xs text-soft wrap-anywhere">
            {connector.status_reason.replaceAll('_', ' ')}
          </span>
        )}
      </>
    ),
  },
  {
    title: 'Person',
    width: 'minmax(0, 1fr)',
    narrow: 'hidden',
    cell: (connector) => <span className="wrap-anywhere">{connector.principal_id}</span>,
  },
  {
    title: 'Last used',
    width: '6.5rem',
    narrow: 'hidden',
    cell: (connector) => (
      <span className="text-soft">
        {connector.last_used_at === null ? 'never' : <Ago at={connector.last_used_at} />}
      </span>
    ),
  },
  {
    title: 'Connected',
    width: '6.5rem',
    narrow: 'hidden',
    cell: (connector) => (
      <span className="text-soft">
        <Ago at={connector.created_at} />
      </span>
    ),
  },
]

/** Every connected account of the tenant, as things change. */
export function Connectors(): ReactNode {
  const search = route.useSearch()
  const queries = useQueryClient()
  const list = useGrowingList<Connector>(['connectors', search], connectorsPath, search)
  const refresh = useSoon(() => void queries.invalidateQueries({ queryKey: ['connectors'] }))
  const live = useEventStream((event) => {
    if (event.category === 'connector') refresh()
  })
  const [chosen, setChosen] = useState<ReadonlyMap<string, Connector>>(new Map())
  const choose = (connector: Connector, isChosen: boolean): void => {
    const next = new Map(chosen)
    if (isChosen) next.set(connector.id, connector)
    else next.delete(connector.id)
    setChosen(next)
  }
  const areAllChosen = list.items.length > 0 && list.items.every(({ id }) => chosen.has(id))
  const isNarrowed = Object.values(search).some((value) => value !== undefined)
  return (
    <>
      <PageHead
        title="Connectors"
        actions={
          <>
            <LiveMark state={live} />
            <Link to="/connectors/kill-switch" className={buttonClass('danger')}>
              Kill switch
            </Link>
          </>
        }
      />
      <Filters />
      <BulkBar chosen={[...chosen.values()]} onDone={() => setChosen(new Map())} />
      <RecordList
        label="Connectors"
        list={list}
        columns={columns}
        keyOf={(connector) => connector.id}
        selection={{
          head: (
            <label className="flex items-center gap-4">
              <input
                type="checkbox"
                className="size-4 accent-accent"
                checked={areAllChosen}
                onChange={({ target }) =>
                  setChosen(target.checked ? new Map(list.items.map((item) => [item.id, item])) : new Map())
                }
              />
              <span className="whitespace-nowrap lg:sr-only">Choose every row read so far</span>
            </label>
          ),
          row: (connector) => (
            <input
              type="checkbox"
              aria-label={`Choose ${nameOf(connector)}`}
              className="size-4 accent-accent"
              checked={chosen.has(connector.id)}
              onChange={({ target }) => choose(connector, target.checked)}
            />
          ),
        }}
        empty={
          isNarrowed ? (
            <EmptyNote title="No connector fits">
              Search finds how an id, a display name or an account’s name begins. Take a filter away to see more.
            </EmptyNote>
          ) : (
            <EmptyNote
              title="No account is connected yet"
              action={
                <Link to="/providers" className={buttonClass('primary')}>
                  Set up a provider
                </Link>
              }
            >
              Accounts appear here as the users of your platform connect them.
            </EmptyNote>
          )
        }
      />
    </>
  )
}
