import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, Navigate } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { findPlace } from '../api/connectors.ts'
import { Absent } from '../parts/absent.tsx'
import { buttonClass } from '../parts/button.tsx'
import { Loading } from '../parts/notes.tsx'

const route = getRouteApi('/connectors/$connectorId')

/** Leads on to a connector's page from its id alone, which is all that most events say of it. */
export function ConnectorById(): ReactNode {
  const { connectorId } = route.useParams()
  const found = useQuery({
    queryKey: ['connector-place', connectorId],
    queryFn: ({ signal }) => findPlace(connectorId, signal),
  })
  if (found.isPending) return <Loading />
  if (found.data !== undefined) {
    return <Navigate to="/connectors/$spaceId/$collectionId/$connectorId" params={{ ...found.data }} replace />
  }
  return (
    <Absent
      title="Connector"
      problem={found.error}
      onRetry={() => void found.refetch()}
      list={
        <Link to="/connectors" className={buttonClass('primary')}>
          All connectors
        </Link>
      }
    />
  )
}
