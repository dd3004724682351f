import { useMutation, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { downloadReport, readRevocation, type MassRevocation, type MassRevocationReceipt } from '../api/kill-switch.ts'
import { Absent } from '../parts/absent.tsx'
import { Button, buttonClass } from '../parts/button.tsx'
import { save } from '../parts/download.ts'
import { Id } from '../parts/id.tsx'
import { At } from '../parts/moment.tsx'
import { EmptyNote, Loading, ProblemNote } from '../parts/notes.tsx'
import { Card, Facts, PageHead } from '../parts/page.tsx'
import { ProviderName, useProviderNames } from '../parts/provider-name.tsx'
import { RecordList, type Column } from '../parts/record-list.tsx'
import { Badge } from '../parts/status-badge.tsx'
import { filterWords, OrderBadge } from './kill-switch/order-words.tsx'

const route = getRouteApi('/connectors/kill-switch/$revocationId')
const tones = { queued: 'warn', revoked: 'good', unsupported: 'quiet', failed: 'bad' } as const
const words = {
  queued: 'Being told',
  revoked: 'Revoked',
  unsupported: 'No way to revoke',
  failed: 'Not revoked',
} as const

const columns: readonly Column<MassRevocationReceipt>[] = [
  {
    title: 'Connector',
    width: 'minmax(0, 2fr)',
    cell: (receipt) => (
      <Link
        to="/connectors/$spaceId/$collectionId/$connectorId"
        params={{ spaceId: receipt.space_id, collectionId: receipt.collection_id, connectorId: receipt.connector_id }}
        className="block rounded hover:underline"
      >
        <Id id={receipt.connector_id} />
      </Link>
    ),
  },
  { title: 'Provider', width: 'minmax(0, 1fr)', cell: (receipt) => <ProviderName slug={receipt.provider_slug} /> },
  {
    title: 'At the provider',
    width: 'minmax(0, 1.5fr)',
    cell: ({ status, reason }) => (
      <>
        <Badge tone={tones[status]}>{words[status]}</Badge>
        {reason !== null && <span className="block text-xs text-soft">{reason.replaceAll('_', ' ')}</span>}
      </>
    ),
  },
  {
    title: 'Destroyed here',
    width: '11rem',
    narrow: 'hidden',
    cell: (receipt) => (
      <span className="text-xs text-soft">
        <At at={receipt.disconnected_at} />
      </span>
    ),
  },
]

/** How far an order has come, and what became of each connector. */
export function KillOrder(): ReactNode {
  const { revocationId } = route.useParams()
  const names = useProviderNames()
  const order = useQuery({
    queryKey: ['revocations', revocationId],
    queryFn: ({ signal }) => readRevocation(revocationId, signal),
    refetchInterval: (query) => (query.state.data?.data.status === 'completed' ? false : 1_000),
  })
  const reporting = useMutation({
    mutationFn: () => downloadReport(revocationId),
    onSuccess: (content) => save(content, `${revocationId}.csv`),
  })
  if (order.data === undefined) {
    return order.error === null ? (
      <Loading />
    ) : (
      <Absent
        title="Order"
        problem={order.error}
        onRetry={() => void order.refetch()}
        list={
          <Link to="/connectors/kill-switch" className={buttonClass('primary')}>
            All orders
          </Link>
        }
      />
    )
  }
  const { data } = order.data
  return (
    <>
      <PageHead
        title={filterWords(data.filter, names)}
        actions={
          <Button disabled={reporting.isPending} onClick={() => reporting.mutate()}>
            Download every receipt
          </Button>
        }
      >
        <span className="flex flex-wrap items-center gap-2">
          <code>{data.id}</code> <OrderBadge order={data} />
        </span>
      </PageHead>
      <div className="space-y-5">
        {reporting.error !== null && <ProblemNote problem={reporting.error} />}
        <Progress of={data} />
        <section>
          <h2 className="mb-3 font-semibold">Receipts{order.data.meta.has_more && ', the first hundred'}</h2>
          <RecordList
            label="Receipts"
            columns={columns}
            keyOf={(receipt) => receipt.revocation_id}
            list={{
              items: data.receipts,
              isLoading: false,
              problem: order.error,
              hasMore: false,
              isGrowing: false,
              grow: () => {},
              retry: () => void order.refetch(),
            }}
            empty={<EmptyNote title={data.counts.matched === 0 ? 'No connector fitted' : 'The first is on its way'} />}
          />
        </section>
      </div>
    </>
  )
}

function Progress({ of }: { readonly of: MassRevocation }): ReactNode {
  const { counts } = of
  const settled = counts.revoked + counts.unsupported + counts.failed
  return (
    <Card title="Progress">
      <div className="space-y-4" aria-live="polite">
        {counts.matched > 0 && (
          <>
            <Bar label="Tokens destroyed here" value={counts.disconnected} of={counts.matched} />
            <Bar label="Providers told" value={settled} of={counts.matched} />
          </>
        )}
        <Facts
          of={[
            ['Revoked', counts.revoked],
            ['No way to revoke', counts.unsupported],
            ['Not revoked', counts.failed],
            ['Still to be told', counts.pending],
            ['Ordered', <At key="at" at={of.created_at} />],
            ...(of.finished_at === null ? [] : ([['Finished', <At key="end" at={of.finished_at} />]] as const)),
          ]}
        />
      </div>
    </Card>
  )
}

/** Each browser has its own names for the parts of a bar, and its own grey, which no colour scheme changes. */
const barClass =
  'block h-2 w-full appearance-none overflow-hidden rounded-full bg-raised [&::-moz-progress-bar]:bg-accent [&::-webkit-progress-bar]:bg-raised [&::-webkit-progress-value]:bg-accent'

function Bar({ label, value, of }: { readonly label: string; readonly value: number; readonly of: number }): ReactNode {
  return (
    <label className="block">
      <span className="mb-1 flex justify-between text-soft">
        {label}
        <span className="tabular-nums">
          {value} of {of}
        </span>
      </span>
      <progress className={barClass} value={value} max={of} />
    </label>
  )
}
