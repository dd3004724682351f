import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { Receipt } from '../../api/connectors.ts'
import { newestEvents, type ServiceEvent } from '../../api/events.ts'
import { Button } from '../../parts/button.tsx'
import { save } from '../../parts/download.ts'
import { At } from '../../parts/moment.tsx'
import { Card, Facts } from '../../parts/page.tsx'
import { Badge } from '../../parts/status-badge.tsx'

const lookEveryMs = 1_000
/** That the tokens are gone here, and what became of them at the provider. */
export function DisconnectReceipt({ receipt }: { readonly receipt: Receipt }): ReactNode {
  const { revocation } = receipt
  const end = useQuery({
    queryKey: ['receipt', revocation.id],
    queryFn: async ({ signal }) => {
      const { data } = await newestEvents(receipt.id, 10, signal)
      // The event of the disconnect names the revocation, too; only that of its end says how it ended.
      const isEnd = ({ metadata }: ServiceEvent): boolean =>
        metadata['revocation_id'] === revocation.id && 'status' in metadata
      return data.find(isEnd) ?? null
    },
    refetchInterval: (query) => (query.state.data ? false : lookEveryMs),
    enabled: revocation.status === 'queued',
  })
  const event = end.data ?? undefined
  const document = { ...receipt, revocation_event: event ?? null }
  return (
    <Card
      title="Receipt"
      actions={
        <Button
          onClick={() =>
            save(
              new Blob([JSON.stringify(document, null, 2)], { type: 'application/json' }),
              `disconnected-${receipt.id}.json`,
            )
          }
        >
          Download
        </Button>
      }
    >
      <div role="status">
        <Facts
          of={[
            [
              'Here',
              <span key="here">
                Tokens destroyed, <At at={revocation.created_at} />
              </span>,
            ],
            ['At the provider', <AtProvider key="there" of={endOf(revocation, event)} />],
            ['Revocation', <code key="id">{revocation.id}</code>],
          ]}
        />
      </div>
    </Card>
  )
}

interface End {
  readonly status: string
  readonly reason: string | undefined
}

/** The answer to the disconnect says how it stood then; the event says how it ended. */
function endOf(revocation: Receipt['revocation'], event: ServiceEvent | undefined): End {
  const { status, reason } = event?.metadata ?? revocation
  return {
    status: typeof status === 'string' ? status : revocation.status,
    reason: typeof reason === 'string' ? reason.replaceAll('_', ' ') : undefined,
  }
}

function AtProvider({ of }: { readonly of: End }): ReactNode {
  switch (of.status) {
    case 'revoked':
      return <Badge tone="good">Revoked</Badge>
    case 'unsupported':
      return <Badge tone="quiet">It has no way to revoke</Badge>
    case 'failed':
      return (
        <>
          <Badge tone="bad">Not revoked</Badge> {of.reason}
        </>
      )
    default:
      return <Badge tone="warn">Being told</Badge>
  }
}
