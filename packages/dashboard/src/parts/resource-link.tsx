import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'

/** What an event is about, as a link where there is a page for it. */
export function ResourceLink({
  type,
  id,
  place,
}: {
  readonly type: string
  readonly id: string
  readonly place: { readonly space_id?: unknown; readonly collection_id?: unknown }
}): ReactNode {
  const { space_id: spaceId, collection_id: collectionId } = place
  const look = 'rounded font-mono text-[0.8125rem] text-accent hover:underline wrap-anywhere'
  if (type === 'connector' && typeof spaceId === 'string' && typeof collectionId === 'string') {
    return (
      <Link
        to="/connectors/$spaceId/$collectionId/$connectorId"
        params={{ spaceId, collectionId, connectorId: id }}
        className={look}
      >
        {id}
      </Link>
    )
  }
  if (type === 'webhook') {
    return (
      <Link to="/webhooks/$webhookId" params={{ webhookId: id }} className={look}>
        {id}
      </Link>
    )
  }
  if (type === 'provider_app') {
    return (
      <Link to="/providers/$slug" params={{ slug: id }} className={look}>
        {id}
      </Link>
    )
  }
  return <code className="text-[0.8125rem] wrap-anywhere">{id}</code>
}
