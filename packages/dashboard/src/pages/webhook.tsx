import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useGrowingList } from '../api/lists.ts'
import { deliveriesPath, readWebhook, replayOne, type Delivery, type Webhook } from '../api/webhooks.ts'
import { Absent } from '../parts/absent.tsx'
import { Button, buttonClass } from '../parts/button.tsx'
import { Id } from '../parts/id.tsx'
import { At, Ago } from '../parts/moment.tsx'
import { EmptyNote, Loading } from '../parts/notes.tsx'
import { Card, Facts, PageHead } from '../parts/page.tsx'
import { RecordList, type Column } from '../parts/record-list.tsx'
import { Badge } from '../parts/status-badge.tsx'
import { Choice } from '../parts/tabs.tsx'
import { WebhookActions } from './webhooks/webhook-actions.tsx'
import { WebhookBadge } from './webhooks/webhook-badge.tsx'

const route = getRouteApi('/webhooks/$webhookId')
const statuses = { all: 'All', pending: 'Waiting', delivered: 'Delivered', dead: 'Given up' } as const
const tones = { pending: 'warn', delivered: 'good', dead: 'bad' } as const
const reasons: Readonly<Record<string, string>> = {
  gone: 'It answered 410, so it was switched off.',
  failing: 'Nothing was delivered for five days, so it was switched off.',
}

/** One endpoint: what was sent, what it answered, and doing it again. */
export function WebhookPage(): ReactNode {
  const { webhookId } = route.useParams()
  const webhook = useQuery({
    queryKey: ['webhooks', webhookId],
    queryFn: ({ signal }) => readWebhook(webhookId, signal),
  })
  if (webhook.data === undefined) {
    return webhook.error === null ? (
      <Loading />
    ) : (
      <Absent
        title="Webhook"
        problem={webhook.error}
        onRetry={() => void webhook.refetch()}
        list={
          <Link to="/webhooks" className={buttonClass('primary')}>
            All webhooks
          </Link>
        }
      />
    )
  }
  return <OneWebhook webhook={webhook.data} />
}

function OneWebhook({ webhook }: { readonly webhook: Webhook }): ReactNode {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const status = search.status !== undefined && search.status in statuses ? search.status : 'all'
  const query = { status: status === 'all' ? undefined : status }
  const deliveries = useGrowingList<Delivery>(
    ['webhooks', webhook.id, 'deliveries', status],
    deliveriesPath(webhook.id),
    query,
  )
  return (
    <>
      <PageHead title={webhook.url}>
        <span className="flex flex-wrap items-center gap-2">
          <code>{webhook.id}</code>
          <WebhookBadge webhook={webhook} />
          {webhook.disabled_reason !== null && (
            <span>{reasons[webhook.disabled_reason] ?? webhook.disabled_reason}</span>
          )}
        </span>
      </PageHead>
      <div className="space-y-5">
        <WebhookActions webhook={webhook} />
        <Card title="Settings">
          <Facts
            of={[
              ['Description', webhook.description ?? 'none'],
              ['Events', webhook.event_types?.join(', ') ?? 'every event'],
              [
                'Last delivery',
                webhook.last_delivered_at === null ? 'none yet' : <At key="at" at={webhook.last_delivered_at} />,
              ],
              ...(webhook.failing_since === null
                ? []
                : ([['Failing since', <At key="since" at={webhook.failing_since} />]] as const)),
              ...(webhook.previous_secret_expires_at === null
                ? []
                : ([
                    ['The old secret signs until', <At key="old" at={webhook.previous_secret_expires_at} />],
                  ] as const)),
            ]}
          />
        </Card>
        <section>
          <div className="mb-3 flex flex-wrap items-center justify-between gap-3">
            <h2 className="font-semibold">Deliveries</h2>
            <span className="flex flex-wrap gap-2">
              <Choice
                label="Deliveries shown"
                choices={statuses}
                value={status}
                onChange={(value) => void navigate({ search: value === 'all' ? {} : { status: value }, replace: true })}
              />
              <Button onClick={deliveries.retry}>Refresh</Button>
            </span>
          </div>
          <RecordList
            label="Deliveries"
            list={deliveries}
            columns={deliveryColumns(webhook.id)}
            keyOf={(delivery) => delivery.event_id}
            empty={<EmptyNote title="No delivery">What this endpoint is told of from now on stands here.</EmptyNote>}
          />
        </section>
      </div>
    </>
  )
}

function deliveryColumns(webhookId: string): readonly Column<Delivery>[] {
  return [
    {
      title: 'Event',
      width: 'minmax(0, 1.6fr)',
      narrow: 'line',
      cell: (delivery) => (
        <>
          <span className="block font-medium wrap-anywhere">{delivery.event_type}</span>
          <Id id={delivery.event_id} className="block! text-xs text-soft" />
        </>
      ),
    },
    { title: 'State', width: '7rem', cell: ({ status }) => <Badge tone={tones[status]}>{statuses[status]}</Badge> },
    { title: 'Attempts', width: 'minmax(0, 2fr)', cell: (delivery) => <Attempts of={delivery} /> },
    {
      title: 'When',
      width: '6rem',
      narrow: 'hidden',
      cell: (delivery) => (
        <span className="text-soft">
          <Ago at={delivery.created_at} />
        </span>
      ),
    },
    { title: 'Again', width: '6rem', cell: (delivery) => <Replay webhookId={webhookId} delivery={delivery} /> },
  ]
}

function Attempts({ of }: { readonly of: Delivery }): ReactNode {
  const last = of.attempt_log.at(-1)
  if (last === undefined) return <span className="text-soft">not tried yet</span>
  return (
    <details>
      <summary className="rounded wrap-anywhere">
        {of.attempts} {of.attempts === 1 ? 'attempt' : 'attempts'}, last {last.status ?? last.error}
      </summary>
      <ol className="mt-1 space-y-0.5 text-xs text-soft">
        {of.attempt_log.map((attempt) => (
          <li key={attempt.at}>
            <At at={attempt.at} /> · {attempt.status ?? attempt.error} · {attempt.duration_ms} ms
          </li>
        ))}
      </ol>
    </details>
  )
}

function Replay({ webhookId, delivery }: { readonly webhookId: string; readonly delivery: Delivery }): ReactNode {
  const queries = useQueryClient()
  const replaying = useMutation({
    mutationFn: () => replayOne(webhookId, delivery.event_id),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['webhooks', webhookId] }),
  })
  if (delivery.status === 'pending') return null
  return (
    <>
      <Button
        disabled={replaying.isPending}
        onClick={() => replaying.mutate()}
        aria-label={`Replay ${delivery.event_type} ${delivery.event_id}`}
      >
        Replay
      </Button>
      {replaying.error !== null && <p className="text-xs text-bad">{replaying.error.message}</p>}
    </>
  )
}
