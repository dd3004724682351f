import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent, type ReactNode } from 'react'
import { orderRevocation, revocationsPath, type MassRevocation, type MassRevocationFilter } from '../api/kill-switch.ts'
import { useGrowingList } from '../api/lists.ts'
import { Button } from '../parts/button.tsx'
import { Actions, Dialog } from '../parts/dialog.tsx'
import { complaintOf, TextField } from '../parts/field.tsx'
import { Ago } from '../parts/moment.tsx'
import { EmptyNote, ProblemNote } from '../parts/notes.tsx'
import { Card, PageHead } from '../parts/page.tsx'
import { RecordList, type Column } from '../parts/record-list.tsx'
import { filterWords, OrderBadge } from './kill-switch/order-words.tsx'

const columns: readonly Column<MassRevocation>[] = [
  {
    title: 'Which',
    width: 'minmax(0, 2.5fr)',
    cell: (order) => (
      <Link
        to="/connectors/kill-switch/$revocationId"
        params={{ revocationId: order.id }}
        className="block rounded font-medium wrap-anywhere hover:underline"
      >
        {filterWords(order.filter)}
        <span className="block text-xs font-normal text-soft">{order.id}</span>
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

/** Disconnecting all that fit, at once: after a leak, or when a provider or a person leaves. */
export function KillSwitch(): ReactNode {
  const list = useGrowingList<MassRevocation>(['revocations'], revocationsPath)
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

const fields = [
  ['provider_slug', 'Provider', 'google'],
  ['space_id', 'Space id', ''],
  ['principal_id', 'Person', ''],
] as const

function OrderForm(): ReactNode {
  const queries = useQueryClient()
  const navigate = useNavigate()
  const [values, setValues] = useState<Readonly<Record<string, string>>>({})
  const [asked, setAsked] = useState<{ readonly filter: MassRevocationFilter; readonly key: string }>()
  const [confirmation, setConfirmation] = useState('')
  const ordering = useMutation({
    mutationFn: ({ filter, key }: NonNullable<typeof asked>) => orderRevocation(filter, key),
    onSuccess: async (order) => {
      await navigate({ to: '/connectors/kill-switch/$revocationId', params: { revocationId: order.id } })
      await queries.invalidateQueries({ queryKey: ['revocations'] })
    },
    onError: () => setAsked(undefined),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const { connected_before: before, ...words } = values
    const filter = {
      ...Object.fromEntries(Object.entries(words).filter(([, value]) => value.trim() !== '')),
      ...(before === undefined || before === '' ? {} : { connected_before: new Date(before).toISOString() }),
    }
    setConfirmation('')
    setAsked({ filter, key: crypto.randomUUID() })
  }
  const words = asked === undefined ? '' : filterWords(asked.filter)
  return (
    <Card title="New order">
      <form onSubmit={submit} className="space-y-4">
        <div className="grid gap-4 sm:grid-cols-2">
          {fields.map(([name, label, placeholder]) => (
            <TextField
              key={name}
              label={label}
              placeholder={placeholder}
              value={values[name] ?? ''}
              onChange={(event) => setValues({ ...values, [name]: event.target.value })}
              complaint={complaintOf(ordering.error, name)}
            />
          ))}
          <TextField
            label="Connected before"
            type="datetime-local"
            value={values['connected_before'] ?? ''}
            onChange={(event) => setValues({ ...values, connected_before: event.target.value })}
            complaint={complaintOf(ordering.error, 'connected_before')}
          />
        </div>
        <p className="text-soft">All of them must fit; an empty field narrows nothing.</p>
        {ordering.error !== null && <ProblemNote problem={ordering.error} />}
        <Actions>
          <Button look="danger" type="submit">
            Disconnect them …
          </Button>
        </Actions>
      </form>
      {asked !== undefined && (
        <Dialog title="Disconnect all of these?" onClose={() => setAsked(undefined)}>
          <p className="font-medium wrap-anywhere">{words}</p>
          <p className="text-soft">It begins at once and cannot be undone; each person would have to connect again.</p>
          <TextField
            label="Type “disconnect” to go on"
            value={confirmation}
            onChange={(event) => setConfirmation(event.target.value)}
          />
          <Actions>
            <Button onClick={() => setAsked(undefined)}>Keep them</Button>
            <Button
              look="danger"
              disabled={confirmation.trim().toLowerCase() !== 'disconnect' || ordering.isPending}
              onClick={() => ordering.mutate(asked)}
            >
              Disconnect them
            </Button>
          </Actions>
        </Dialog>
      )}
    </Card>
  )
}
