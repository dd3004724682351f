import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState, type ReactNode } from 'react'
import {
  changeWebhook,
  removeWebhook,
  replayDead,
  rotateSecret,
  testWebhook,
  type Webhook,
} from '../../api/webhooks.ts'
import { Button } from '../../parts/button.tsx'
import { Actions, Dialog } from '../../parts/dialog.tsx'
import { ProblemNote } from '../../parts/notes.tsx'
import { SecretOnce } from './secret-once.tsx'

/** What can be done with an endpoint, and what came of it. */
export function WebhookActions({ webhook }: { readonly webhook: Webhook }): ReactNode {
  const queries = useQueryClient()
  const [isRemoving, setRemoving] = useState(false)
  const reread = (): Promise<void> => queries.invalidateQueries({ queryKey: ['webhooks'] })
  const testing = useMutation({ mutationFn: () => testWebhook(webhook.id), onSettled: reread })
  const replaying = useMutation({ mutationFn: () => replayDead(webhook.id), onSettled: reread })
  const rotating = useMutation({ mutationFn: () => rotateSecret(webhook.id), onSettled: reread })
  const switching = useMutation({
    mutationFn: (enabled: boolean) => changeWebhook(webhook.id, { enabled }),
    onSettled: reread,
  })
  const problem = testing.error ?? replaying.error ?? rotating.error ?? switching.error
  const tested = testing.data
  return (
    <div className="space-y-3">
      <div className="flex flex-wrap gap-2">
        <Button look="primary" disabled={testing.isPending} onClick={() => testing.mutate()}>
          {testing.isPending ? 'Sending …' : 'Send a test'}
        </Button>
        <Button disabled={replaying.isPending} onClick={() => replaying.mutate()}>
          Replay what was given up
        </Button>
        <Button disabled={rotating.isPending} onClick={() => rotating.mutate()}>
          Rotate the secret
        </Button>
        <Button disabled={switching.isPending} onClick={() => switching.mutate(!webhook.enabled)}>
          {webhook.enabled ? 'Disable' : 'Enable'}
        </Button>
        <Button look="danger" onClick={() => setRemoving(true)}>
          Remove
        </Button>
      </div>
      <div role="status">
        {tested !== undefined && (
          <p className={tested.delivered ? 'text-good' : 'text-bad'}>
            {tested.delivered ? 'The test was delivered' : 'The test was not delivered'}:{' '}
            {tested.status ?? tested.error} in {tested.duration_ms} ms.
          </p>
        )}
        {replaying.data !== undefined && (
          <p className="text-good">{replaying.data} deliveries are on their way again.</p>
        )}
      </div>
      {problem !== null && <ProblemNote problem={problem} />}
      {rotating.data !== undefined && (
        <SecretOnce title="The secret is rotated" secret={rotating.data.secret} onClose={() => rotating.reset()} />
      )}
      {isRemoving && <Remove webhook={webhook} onClose={() => setRemoving(false)} />}
    </div>
  )
}

function Remove({ webhook, onClose }: { readonly webhook: Webhook; readonly onClose: () => void }): ReactNode {
  const queries = useQueryClient()
  const navigate = useNavigate()
  const removing = useMutation({
    mutationFn: () => removeWebhook(webhook.id),
    onSuccess: async () => {
      await navigate({ to: '/webhooks' })
      await queries.invalidateQueries({ queryKey: ['webhooks'] })
    },
  })
  return (
    <Dialog title="Remove this endpoint?" onClose={onClose}>
      <p className="text-soft wrap-anywhere">
        {webhook.url} is told of nothing more, and what waits for it is dropped.
      </p>
      {removing.error !== null && <ProblemNote problem={removing.error} />}
      <Actions>
        <Button onClick={onClose}>Keep it</Button>
        <Button look="danger" disabled={removing.isPending} onClick={() => removing.mutate()}>
          Remove
        </Button>
      </Actions>
    </Dialog>
  )
}
