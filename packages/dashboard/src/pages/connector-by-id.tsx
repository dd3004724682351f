import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, Navigate } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { findPlace } from '../api/connectors.ts'
import { buttonClass } from '../parts/button.tsx'
import { EmptyNote, Loading, ProblemNote } from '../parts/notes.tsx'
import { PageHead } from '../parts/page.tsx'

const route = getRouteApi('/connectors/$connectorId')

/** Leads on to a connector's page from its id alone, which is all that most events say of it. */
export function ConnectorById(): ReactNode {
  const { connectorId } = route.useParams()
  const found = useQuery({
    queryKey: ['connector-place', connectorId],
    queryFn: async ({ signal }) => (await findPlace(connectorId, signal)) ?? null,
  })
  if (found.isPending) return <Loading />
  if (found.data) {
    return <Navigate to="/connectors/$spaceId/$collectionId/$connectorId" params={{ ...found.data }} replace />
  }
  return (
    <>
      <PageHead title="Connector" />
      {found.error === null ? (
        <EmptyNote
          title="There is no connector with this id"
          action={
            <Link to="/connectors" className={buttonClass('primary')}>
              All connectors
            </Link>
          }
        >
          <code className="wrap-anywhere">{connectorId}</code>
        </EmptyNote>
      ) : (
        <ProblemNote problem={found.error} onRetry={() => void found.refetch()} />
      )}
    </>
  )
}
