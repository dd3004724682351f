import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { providersKey, readProviders } from '../../api/providers.ts'
import { Button } from '../../parts/button.tsx'
import { inputClass } from '../../parts/field.tsx'
import { SearchBox } from '../../parts/search-box.tsx'
import { connectorStatusWord } from '../../parts/status-badge.tsx'

const route = getRouteApi('/connectors')
const statuses = ['active', 'degraded', 'reauth_required', 'paused', 'disconnected']

/** What the list is narrowed to; all of it stands in the address. */
export function Filters(): ReactNode {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const providers = useQuery({ queryKey: providersKey, queryFn: ({ signal }) => readProviders(signal) })
  const known = providers.data?.filter((provider) => provider.setup_complete) ?? []
  const change = (part: Partial<typeof search>): void =>
    void navigate({ search: (old) => ({ ...old, ...part }), replace: true })
  const isNarrowed = Object.values(search).some((value) => value !== undefined)
  return (
    <div className="mb-4 flex flex-wrap items-center gap-2">
      <SearchBox
        label="Name or id begins with"
        value={search.q}
        onChange={(q) => change({ q })}
        className="basis-full sm:basis-52"
      />
      <select
        aria-label="Status"
        className={`${inputClass} max-sm:flex-1 max-sm:basis-32 sm:w-36`}
        value={search.status ?? ''}
        onChange={(event) => change({ status: event.target.value || undefined })}
      >
        <option value="">Every status</option>
        {statuses.map((status) => (
          <option key={status} value={status}>
            {connectorStatusWord(status)}
          </option>
        ))}
      </select>
      <select
        aria-label="Provider"
        className={`${inputClass} max-sm:flex-1 max-sm:basis-32 sm:w-36`}
        value={search.provider_slug ?? ''}
        onChange={(event) => change({ provider_slug: event.target.value || undefined })}
      >
        <option value="">Every provider</option>
        {search.provider_slug !== undefined &&
          !known.some(({ provider_slug }) => provider_slug === search.provider_slug) && (
            <option value={search.provider_slug}>{search.provider_slug}</option>
          )}
        {known.map((provider) => (
          <option key={provider.provider_slug} value={provider.provider_slug}>
            {provider.display_name}
          </option>
        ))}
      </select>
      <SearchBox
        label="Space id"
        value={search.space_id}
        onChange={(id) => change({ space_id: id })}
        className="basis-36"
      />
      <SearchBox
        label="Person"
        value={search.principal_id}
        onChange={(id) => change({ principal_id: id })}
        className="basis-36"
      />
      {isNarrowed && (
        <Button look="quiet" onClick={() => void navigate({ search: {}, replace: true })}>
          Clear
        </Button>
      )}
    </div>
  )
}
