import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { Id } from './id.tsx'
import { ProviderName } from './provider-name.tsx'

const look = 'block max-w-full rounded text-accent hover:underline'

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
  switch (type) {
    case 'connector':
      return <ConnectorLink id={id} place={place} />
    case 'webhook':
      return (
        <Link to="/webhooks/$webhookId" params={{ webhookId: id }} className={look}>
          <Id id={id} />
        </Link>
      )
    case 'mass_revocation':
      return (
        <Link to="/connectors/kill-switch/$revocationId" params={{ revocationId: id }} className={look}>
          <Id id={id} />
        </Link>
      )
    case 'provider_app':
      return (
        <Link to="/providers/$slug" params={{ slug: id }} className={look}>
          <ProviderName slug={id} />
        </Link>
      )
    default:
      return <Id id={id} />
  }
}

/** Most events do not say where their connector stands; its page is found by its id then. */
function ConnectorLink({ id, place }: Omit<Parameters<typeof ResourceLink>[0], 'type'>): ReactNode {
  const { space_id: spaceId, collection_id: collectionId } = place
  if (typeof spaceId !== 'string' || typeof collectionId !== 'string') {
    return (
      <Link to="/connectors/$connectorId" params={{ connectorId: id }} className={look}>
        <Id id={id} />
      </Link>
    )
  }
  return (
    <Link
      to="/connectors/$spaceId/$collectionId/$connectorId"
      params={{ spaceId, collectionId, connectorId: id }}
      className={look}
    >
      <Id id={id} />
    </Link>
  )
}
