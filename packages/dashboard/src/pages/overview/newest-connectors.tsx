import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { call } from '../../api/call.ts'
import { connectorsPath, nameOf, placeOf, type Connector } from '../../api/connectors.ts'
import type { ListBody } from '../../api/lists.ts'
import { Id } from '../../parts/id.tsx'
import { Ago } from '../../parts/moment.tsx'
import { EmptyNote, Loading, ProblemNote } from '../../parts/notes.tsx'
import { Card } from '../../parts/page.tsx'
import { ProviderName } from '../../parts/provider-name.tsx'
import { ConnectorBadge } from '../../parts/status-badge.tsx'

/** The accounts that were connected last. */
export function NewestConnectors(): ReactNode {
  const newest = useQuery({
    queryKey: ['connectors', 'newest'],
    queryFn: ({ signal }) => call<ListBody<Connector>>('GET', connectorsPath, { query: { limit: 6 }, signal }),
    refetchInterval: 30_000,
  })
  const shown = newest.data?.data.filter((connector) => connector.status !== 'disconnected') ?? []
  return (
    <Card
      title="Newest accounts"
      actions={
        <Link to="/connectors" className="rounded text-accent hover:underline">
          All connectors
        </Link>
      }
    >
      {newest.isPending && <Loading lines={3} />}
      {newest.error !== null && <ProblemNote problem={newest.error} onRetry={() => void newest.refetch()} />}
      {newest.data !== undefined && shown.length === 0 && (
        <EmptyNote title="No account is connected yet">
          Accounts appear here as the users of your platform connect them.
        </EmptyNote>
      )}
      {shown.length > 0 && (
        <ul className="-my-2 divide-y divide-line" aria-label="Newest accounts">
          {shown.map((connector) => (
            <li key={connector.id} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 py-2">
              <Link
                to="/connectors/$spaceId/$collectionId/$connectorId"
                params={placeOf(connector)}
                className="min-w-0 flex-1 basis-60 rounded font-medium wrap-anywhere hover:underline"
              >
                {nameOf(connector)}
                <span className="block text-xs font-normal text-soft">
                  <ProviderName slug={connector.provider_slug} /> ·{' '}
                  <Id id={connector.id} className="font-sans text-xs" />
                </span>
              </Link>
              <span className="flex items-center gap-4 text-xs text-soft">
                <Ago at={connector.created_at} />
                <ConnectorBadge status={connector.status} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}
