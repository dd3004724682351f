import { useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { nameOf, readConnector, type Connector } from '../api/connectors.ts'
import { useEventStream } from '../api/event-stream.ts'
import { Absent } from '../parts/absent.tsx'
import { buttonClass } from '../parts/button.tsx'
import { Loading } from '../parts/notes.tsx'
import { PageHead } from '../parts/page.tsx'
import { ProviderName } from '../parts/provider-name.tsx'
import { ConnectorBadge } from '../parts/status-badge.tsx'
import { TabBar, tabClass } from '../parts/tabs.tsx'
import { useSoon } from '../parts/use-soon.ts'
import { About } from './connector/about.tsx'
import { ConnectorActions } from './connector/connector-actions.tsx'
import { TestCall } from './connector/test-call.tsx'
import { Timeline } from './connector/timeline.tsx'
import { Uses } from './connector/uses.tsx'

const route = getRouteApi('/connectors/$spaceId/$collectionId/$connectorId')
const tabs = { about: 'Account', timeline: 'Health', uses: 'Uses', call: 'Test call' } as const

/** One connected account. */
export function ConnectorPage(): ReactNode {
  const place = route.useParams()
  const queries = useQueryClient()
  const connector = useQuery({
    queryKey: ['connector', place.connectorId],
    queryFn: ({ signal }) => readConnector(place, signal),
  })
  const refresh = useSoon(() => void queries.invalidateQueries({ queryKey: ['connector', place.connectorId] }))
  useEventStream((event) => {
    if (event.resource_id === place.connectorId) refresh()
  })
  if (connector.data !== undefined) return <OneConnector connector={connector.data} />
  if (connector.error === null) return <Loading />
  return (
    <Absent
      title="Connector"
      problem={connector.error}
      onRetry={() => void connector.refetch()}
      list={
        <Link to="/connectors" className={buttonClass('primary')}>
          All connectors
        </Link>
      }
    />
  )
}

function OneConnector({ connector }: { readonly connector: Connector }): ReactNode {
  const { tab = 'about' } = route.useSearch()
  const place = route.useParams()
  return (
    <>
      <PageHead title={nameOf(connector)}>
        <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <ConnectorBadge status={connector.status} />
          <Link
            to="/providers/$slug"
            params={{ slug: connector.provider_slug }}
            className="rounded text-accent hover:underline"
          >
            <ProviderName slug={connector.provider_slug} />
          </Link>
          <code className="wrap-anywhere">{connector.id}</code>
        </span>
      </PageHead>
      <ConnectorActions connector={connector} />
      <TabBar label="About this connector">
        {Object.entries(tabs).map(([name, title]) => (
          <Link
            key={name}
            to="/connectors/$spaceId/$collectionId/$connectorId"
            params={place}
            search={name === 'about' ? {} : { tab: name }}
            replace
            className={tabClass(name === tab)}
            aria-current={name === tab ? 'page' : undefined}
          >
            {title}
          </Link>
        ))}
      </TabBar>
      {tab === 'timeline' && <Timeline connectorId={connector.id} />}
      {tab === 'uses' && <Uses connectorId={connector.id} />}
      {tab === 'call' && <TestCall connector={connector} />}
      {!['timeline', 'uses', 'call'].includes(tab) && <About connector={connector} />}
    </>
  )
}
