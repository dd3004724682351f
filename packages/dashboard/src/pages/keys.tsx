import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { readKeys, rotateKeys, type Keys as KeysView } from '../api/keys.ts'
import { Button } from '../parts/button.tsx'
import { Actions, Dialog } from '../parts/dialog.tsx'
import { At } from '../parts/moment.tsx'
import { EmptyNote, GoodNote, Loading, ProblemNote } from '../parts/notes.tsx'
import { Card, PageHead } from '../parts/page.tsx'
import { Badge } from '../parts/status-badge.tsx'

/** What the tenant's tokens and secrets are sealed with. */
export function Keys(): ReactNode {
  const queries = useQueryClient()
  const [isAsking, setAsking] = useState(false)
  const keys = useQuery({
    queryKey: ['keys'],
    queryFn: ({ signal }) => readKeys(signal),
    refetchInterval: (query) => (query.state.data?.rotation ? 1_500 : false),
  })
  const rotating = useMutation({
    mutationFn: rotateKeys,
    onSuccess: () => queries.invalidateQueries({ queryKey: ['keys'] }),
    onSettled: () => setAsking(false),
  })
  return (
    <>
      <PageHead
        title="Keys"
        actions={
          <Button look="primary" disabled={(keys.data?.rotation ?? null) !== null} onClick={() => setAsking(true)}>
            Rotate the data key
          </Button>
        }
      >
        Tokens and secrets are sealed with a data key of the tenant’s, which a key-encryption key of the deployment
        wraps. The keys themselves are never shown.
      </PageHead>
      <div className="space-y-4">
        {rotating.error !== null && <ProblemNote problem={rotating.error} />}
        <div role="status">
          {rotating.data !== undefined && (
            <GoodNote>
              New values are sealed with epoch {rotating.data.epoch}, made <At at={rotating.data.created_at} />.
            </GoodNote>
          )}
        </div>
        {keys.error !== null && <ProblemNote problem={keys.error} onRetry={() => void keys.refetch()} />}
        {keys.isPending && <Loading />}
        {keys.data !== undefined && <KeyTable keys={keys.data} />}
      </div>
      {isAsking && (
        <Dialog title="Rotate the data key?" onClose={() => setAsking(false)}>
          <p className="text-soft">
            New values are sealed with a new key from now on. What the old one sealed is sealed anew in the background
            while everything stays in use, and then the old key is destroyed.
          </p>
          <Actions>
            <Button onClick={() => setAsking(false)}>Not now</Button>
            <Button look="primary" disabled={rotating.isPending} onClick={() => rotating.mutate()}>
              Rotate
            </Button>
          </Actions>
        </Dialog>
      )}
    </>
  )
}

function KeyTable({ keys }: { readonly keys: KeysView }): ReactNode {
  return (
    <>
      <div role="status">
        {keys.rotation !== null && (
          <p className="rounded-lg border border-accent/40 bg-accent-ground p-3">
            Rotating to epoch {keys.rotation.epoch} since <At at={keys.rotation.started_at} />;{' '}
            {keys.rotation.superseded} {keys.rotation.superseded === 1 ? 'older key is' : 'older keys are'} still in
            use.
          </p>
        )}
      </div>
      {keys.data_keys.length === 0 ? (
        <EmptyNote title="No data key yet">The first is made when something is sealed.</EmptyNote>
      ) : (
        <Card title="Data keys">
          <ul className="-my-3 divide-y divide-line">
            {keys.data_keys.map((key) => (
              <li key={key.epoch} className="flex flex-wrap items-center gap-x-6 gap-y-1 py-3">
                <span className="font-medium">Epoch {key.epoch}</span>
                {key.state === 'seals' ? <Badge tone="good">Seals</Badge> : <Badge tone="quiet">Opens only</Badge>}
                <span className="text-soft wrap-anywhere">
                  wrapped by <code>{key.key_encryption_key_id}</code>
                </span>
                <span className="text-soft">
                  {key.encryptions.toLocaleString('en')} {key.encryptions === 1 ? 'sealing' : 'sealings'}
                </span>
                <span className="text-soft">
                  made <At at={key.created_at} />
                </span>
              </li>
            ))}
          </ul>
        </Card>
      )}
    </>
  )
}
