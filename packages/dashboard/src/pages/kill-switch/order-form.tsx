import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState, type FormEvent, type ReactNode } from 'react'
import { orderRevocation, type MassRevocationFilter } from '../../api/kill-switch.ts'
import { readOverview, type OverviewFigures } from '../../api/overview.ts'
import { filled } from '../../api/providers.ts'
import { Button } from '../../parts/button.tsx'
import { Actions, Dialog } from '../../parts/dialog.tsx'
import { complaintOf, SelectField, TextField } from '../../parts/field.tsx'
import { ProblemNote } from '../../parts/notes.tsx'
import { Card } from '../../parts/page.tsx'
import { useProviderNames } from '../../parts/provider-name.tsx'
import { filterWords } from './order-words.tsx'

type Values = Readonly<Partial<Record<'provider_slug' | 'space_id' | 'principal_id' | 'connected_before', string>>>

/** Which connectors to disconnect; asked once more, in words, before it is done. */
export function OrderForm(): ReactNode {
  const queries = useQueryClient()
  const navigate = useNavigate()
  const names = useProviderNames()
  const figures = useQuery({ queryKey: ['overview', '24'], queryFn: ({ signal }) => readOverview(24, signal) })
  const [values, setValues] = useState<Values>({})
  const [asked, setAsked] = useState<{ readonly filter: MassRevocationFilter; readonly key: string }>()
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
    setAsked({ filter: filterOf(values), key: crypto.randomUUID() })
  }
  const field = (name: keyof Values) => ({
    value: values[name] ?? '',
    onChange: (event: { readonly target: { readonly value: string } }) =>
      setValues({ ...values, [name]: event.target.value }),
    complaint: complaintOf(ordering.error, name),
  })
  return (
    <Card title="New order">
      <form onSubmit={submit} className="space-y-4">
        <div className="grid gap-4 sm:grid-cols-2">
          <SelectField
            label="Provider"
            hint="Those with connected accounts, and how many."
            disabled={figures.data === undefined}
            {...field('provider_slug')}
          >
            <option value="">Every provider</option>
            {connectedOf(figures.data).map(({ slug, accounts }) => (
              <option key={slug} value={slug}>
                {names.get(slug) ?? slug} ({accounts.toLocaleString('en')})
              </option>
            ))}
          </SelectField>
          <TextField
            label="Person"
            placeholder="Everybody"
            hint="The subject of their bearer token, as the list of connectors shows it."
            {...field('principal_id')}
          />
          <TextField
            label="Space id"
            placeholder="Every space"
            hint="A UUID, such as 123e4567-e89b-12d3-a456-426614174001."
            {...field('space_id')}
          />
          <TextField
            label="Connected before"
            type="datetime-local"
            hint="In your own time zone. Empty: up to now."
            {...field('connected_before')}
          />
        </div>
        <p className="text-soft">All of them must fit; an empty field narrows nothing.</p>
        {figures.error !== null && <ProblemNote problem={figures.error} onRetry={() => void figures.refetch()} />}
        {ordering.error !== null && <ProblemNote problem={ordering.error} />}
        <Actions>
          <Button look="danger" type="submit" disabled={figures.isPending}>
            Disconnect them …
          </Button>
        </Actions>
      </form>
      {asked !== undefined && (
        <Confirm
          words={filterWords(asked.filter, names)}
          isPending={ordering.isPending}
          onConfirm={() => ordering.mutate(asked)}
          onClose={() => setAsked(undefined)}
        />
      )}
    </Card>
  )
}

/** Providers with accounts that are not disconnected yet, also those that are set up no longer. */
function connectedOf(
  figures: OverviewFigures | undefined,
): readonly { readonly slug: string; readonly accounts: number }[] {
  return (figures?.by_provider ?? [])
    .map(({ provider_slug: slug, total, by_status: counts }) => ({ slug, accounts: total - counts.disconnected }))
    .filter(({ accounts }) => accounts > 0)
}

function filterOf({ connected_before: before = '', ...words }: Values): MassRevocationFilter {
  const trimmed = Object.fromEntries(Object.entries(words).map(([name, value]) => [name, value.trim()]))
  return { ...filled(trimmed), ...(before === '' ? {} : { connected_before: new Date(before).toISOString() }) }
}

function Confirm({
  words,
  isPending,
  onConfirm,
  onClose,
}: {
  readonly words: string
  readonly isPending: boolean
  readonly onConfirm: () => void
  readonly onClose: () => void
}): ReactNode {
  const [confirmation, setConfirmation] = useState('')
  return (
    <Dialog title="Disconnect all of these?" onClose={onClose}>
      <p className="font-medium wrap-anywhere">{words}</p>
      <p className="text-soft">It begins at once and cannot be undone; each person would have to connect again.</p>
      <TextField
        label="Type “disconnect” to go on"
        value={confirmation}
        onChange={(event) => setConfirmation(event.target.value)}
      />
      <Actions>
        <Button onClick={onClose}>Keep them</Button>
        <Button
          look="danger"
          disabled={confirmation.trim().toLowerCase() !== 'disconnect' || isPending}
          onClick={onConfirm}
        >
          Disconnect them
        </Button>
      </Actions>
    </Dialog>
  )
}
