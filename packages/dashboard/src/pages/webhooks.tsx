import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState, type FormEvent, type ReactNode } from 'react'
import { useGrowingList } from '../api/lists.ts'
import { addWebhook, webhooksPath, type NewWebhook, type Webhook } from '../api/webhooks.ts'
import { Button } from '../parts/button.tsx'
import { Actions, Dialog } from '../parts/dialog.tsx'
import { EventTabs } from '../parts/event-tabs.tsx'
import { complaintOf, TextField } from '../parts/field.tsx'
import { Ago } from '../parts/moment.tsx'
import { EmptyNote, ProblemNote } from '../parts/notes.tsx'
import { PageHead } from '../parts/page.tsx'
import { RecordList, type Column } from '../parts/record-list.tsx'
import { SecretOnce } from './webhooks/secret-once.tsx'
import { WebhookBadge } from './webhooks/webhook-badge.tsx'

const columns: readonly Column<Webhook>[] = [
  {
    title: 'Endpoint',
    width: 'minmax(0, 3fr)',
    cell: (webhook) => (
      <Link
        to="/webhooks/$webhookId"
        params={{ webhookId: webhook.id }}
        className="block rounded font-medium wrap-anywhere hover:underline"
      >
        {webhook.url}
        {webhook.description !== null && (
          <span className="block text-xs font-normal text-soft">{webhook.description}</span>
        )}
      </Link>
    ),
  },
  {
    title: 'Events',
    width: 'minmax(0, 1.5fr)',
    narrow: 'hidden',
    cell: (webhook) => (
      <span className="text-soft wrap-anywhere">{webhook.event_types?.join(', ') ?? 'every event'}</span>
    ),
  },
  {
    title: 'Last delivery',
    width: '8rem',
    narrow: 'hidden',
    cell: (webhook) => (
      <span className="text-soft">
        {webhook.last_delivered_at === null ? 'none yet' : <Ago at={webhook.last_delivered_at} />}
      </span>
    ),
  },
  { title: 'State', width: '8rem', cell: (webhook) => <WebhookBadge webhook={webhook} /> },
]

/** The endpoints that events are brought to. */
export function Webhooks(): ReactNode {
  const list = useGrowingList<Webhook>(['webhooks'], webhooksPath)
  const [isAdding, setAdding] = useState(false)
  return (
    <>
      <PageHead
        title="Webhooks"
        actions={
          <Button look="primary" onClick={() => setAdding(true)}>
            Add an endpoint
          </Button>
        }
      >
        Events are brought to your endpoints, signed, and tried again for days when one is down.
      </PageHead>
      <EventTabs here="webhooks" />
      <RecordList
        label="Webhooks"
        list={list}
        columns={columns}
        keyOf={(webhook) => webhook.id}
        empty={
          <EmptyNote title="No endpoint yet">
            Name an address of your platform; it is told of each event, above all when somebody has to connect again.
          </EmptyNote>
        }
      />
      {isAdding && <AddWebhook onClose={() => setAdding(false)} />}
    </>
  )
}

function AddWebhook({ onClose }: { readonly onClose: () => void }): ReactNode {
  const queries = useQueryClient()
  const [url, setUrl] = useState('')
  const [description, setDescription] = useState('')
  const [types, setTypes] = useState('')
  const [added, setAdded] = useState<NewWebhook>()
  const adding = useMutation({
    mutationFn: addWebhook,
    onSuccess: async (webhook) => {
      setAdded(webhook)
      await queries.invalidateQueries({ queryKey: ['webhooks'] })
    },
  })
  if (added !== undefined) return <SecretOnce title="The endpoint is added" secret={added.secret} onClose={onClose} />
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const eventTypes = types.split(/[\s,]+/).filter((type) => type !== '')
    adding.mutate({
      url,
      ...(description === '' ? {} : { description }),
      ...(eventTypes.length === 0 ? {} : { event_types: eventTypes }),
    })
  }
  return (
    <Dialog title="Add an endpoint" onClose={onClose}>
      <form onSubmit={submit} className="space-y-4">
        <TextField
          label="URL"
          type="url"
          required
          placeholder="https://app.example.com/hooks/connectors"
          value={url}
          onChange={(event) => setUrl(event.target.value)}
          complaint={complaintOf(adding.error, 'url')}
        />
        <TextField
          label="Description"
          value={description}
          onChange={(event) => setDescription(event.target.value)}
          complaint={complaintOf(adding.error, 'description')}
        />
        <TextField
          label="Events"
          placeholder="connector.* token.exported"
          hint="Names, or all of a category as in connector.*; empty for every event."
          value={types}
          onChange={(event) => setTypes(event.target.value)}
          complaint={complaintOf(adding.error, 'event_types')}
        />
        {adding.error !== null && <ProblemNote problem={adding.error} />}
        <Actions>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" disabled={adding.isPending}>
            Add
          </Button>
        </Actions>
      </form>
    </Dialog>
  )
}
