import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { readOverview, type OverviewFigures } from '../api/overview.ts'
import { Bars } from '../parts/bars.tsx'
import { Loading, ProblemNote } from '../parts/notes.tsx'
import { Card, PageHead } from '../parts/page.tsx'
import { Choice } from '../parts/tabs.tsx'
import { NewestConnectors } from './overview/newest-connectors.tsx'
import { ByProvider } from './overview/by-provider.tsx'
import { SandboxOffer } from './overview/sandbox-offer.tsx'
import { activitySeries } from './overview/activity.ts'

const route = getRouteApi('/')
const spans = { '24': '24 hours', '168': '7 days', '720': '30 days' } as const

/** How the tenant's connections are, and how they were. */
export function Overview(): ReactNode {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const hours = search.hours !== undefined && search.hours in spans ? search.hours : '24'
  const figures = useQuery({
    queryKey: ['overview', hours],
    queryFn: ({ signal }) => readOverview(Number(hours), signal),
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  })
  return (
    <>
      <PageHead
        title="Overview"
        actions={
          <Choice
            label="Time span"
            choices={spans}
            value={hours}
            onChange={(value) => void navigate({ search: value === '24' ? {} : { hours: value }, replace: true })}
          />
        }
      />
      <div className="space-y-5">
        <SandboxOffer />
        {figures.error !== null && <ProblemNote problem={figures.error} onRetry={() => void figures.refetch()} />}
        {figures.isPending && <Loading lines={6} />}
        {figures.data !== undefined && <StatusFigures of={figures.data} />}
        <NewestConnectors />
        {figures.data !== undefined && <Pictures figures={figures.data} />}
        {figures.data !== undefined && figures.data.by_provider.length > 0 && (
          <ByProvider of={figures.data.by_provider} />
        )}
      </div>
    </>
  )
}

function StatusFigures({ of }: { readonly of: OverviewFigures }): ReactNode {
  const { by_status: counts } = of.connectors
  return (
    <ul className="grid grid-cols-2 gap-3 sm:grid-cols-4" aria-label="Connectors by status">
      <Figure title="Connected" status="active" value={counts.active} tone="bg-good" />
      <Figure title="Degraded" status="degraded" value={counts.degraded} tone="bg-warn" />
      <Figure title="Needs a person" status="reauth_required" value={of.needs_person} tone="bg-bad" />
      <Figure title="Paused" status="paused" value={counts.paused} tone="bg-edge" />
    </ul>
  )
}

function Pictures({ figures }: { readonly figures: OverviewFigures }): ReactNode {
  const { moments, of } = activitySeries(figures)
  if (moments.length === 0) return null
  return (
    <div className="grid grid-cols-1 gap-3 lg:grid-cols-2">
      <Card title="Tokens">
        <Bars
          title="Refreshes and exports"
          moments={moments}
          series={[
            { name: 'Refreshed', colour: 1, values: of('token.refreshed') },
            { name: 'Exported', colour: 2, values: of('token.exported') },
          ]}
        />
      </Card>
      <Card title="Trouble">
        <Bars
          title="Provider errors"
          moments={moments}
          series={[
            { name: 'Degraded', colour: 2, values: of('connector.degraded') },
            { name: 'Needs a person', colour: 3, values: of('connector.reauth_required') },
          ]}
        />
      </Card>
    </div>
  )
}

function Figure({
  title,
  status,
  value,
  tone,
}: {
  readonly title: string
  readonly status: string
  readonly value: number
  readonly tone: string
}): ReactNode {
  return (
    <li>
      <Link
        to="/connectors"
        search={{ status }}
        className="block rounded-lg border border-line bg-card px-4 py-3 hover:border-edge"
      >
        <span className="flex items-center gap-2 text-soft">
          <span aria-hidden="true" className={`size-2 rounded-full ${tone}`} />
          {title}
        </span>
        <span className="mt-1 block text-2xl font-semibold tracking-tight tabular-nums">
          {value.toLocaleString('en')}
        </span>
      </Link>
    </li>
  )
}
