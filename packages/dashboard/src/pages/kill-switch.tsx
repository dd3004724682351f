import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { revocationsPath, type MassRevocation } from '../api/kill-switch.ts'
import { useGrowingList } from '../api/lists.ts'
import { Id } from '../parts/id.tsx'
import { Ago } from '../parts/moment.tsx'
import { EmptyNote } from '../parts/notes.tsx'
import { PageHead } from '../parts/page.tsx'
import { useProviderNames } from '../parts/provider-name.tsx'
import { RecordList, type Column } from '../parts/record-list.tsx'
import { OrderForm } from './kill-switch/order-form.tsx'
import { filterWords, OrderBadge } from './kill-switch/order-words.tsx'

const columns: readonly Column<MassRevocation>[] = [
  {
    title: 'Which',
    width: 'minmax(0, 2.5fr)',
    narrow: 'line',
    cell: (order) => (
      <Link
        to="/connectors/kill-switch/$revocationId"
        params={{ revocationId: order.id }}
        className="block rounded font-medium wrap-anywhere hover:underline"
      >
        <Which filter={order.filter} />
        <Id id={order.id} className="block! font-sans text-xs font-normal text-soft" />
      </Link>
    ),
  },
  { title: 'Disconnected', width: '9rem', cell: ({ counts }) => `${counts.disconnected} of ${counts.matched}` },
  { title: 'State', width: '8rem', cell: (order) => <OrderBadge order={order} /> },
  {
    title: 'When',
    width: '6rem',
    cell: (order) => (
      <span className="text-soft">
        <Ago at={order.created_at} />
      </span>
    ),
  },
]

function Which({ filter }: Pick<MassRevocation, 'filter'>): ReactNode {
  return filterWords(filter, useProviderNames())
}

/** Disconnecting all that fit, at once: after a leak, or when a provider or a person leaves. */
export function KillSwitch(): ReactNode {
  const list = useGrowingList<MassRevocation>(['revocations'], revocationsPath, { order: 'desc' })
  return (
    <>
      <PageHead title="Kill switch">
        Disconnects every connector that fits, destroys its tokens here and has them revoked at the provider. What is
        connected after the order is not touched.
      </PageHead>
      <div className="space-y-5">
        <OrderForm />
        <section>
          <h2 className="mb-3 font-semibold">Orders</h2>
          <RecordList
            label="Orders"
            list={list}
            columns={columns}
            keyOf={(order) => order.id}
            empty={<EmptyNote title="No order was ever given" />}
          />
        </section>
      </div>
    </>
  )
}
