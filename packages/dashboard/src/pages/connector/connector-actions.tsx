import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { disconnect, nameOf, patchConnector, placeOf, type Connector } from '../../api/connectors.ts'
import { Button } from '../../parts/button.tsx'
import { ConnectNote, useConnect } from '../../parts/connect-button.tsx'
import { Actions, Dialog } from '../../parts/dialog.tsx'
import { ProblemNote } from '../../parts/notes.tsx'
import { DisconnectReceipt } from './disconnect-receipt.tsx'
import { Reconnect } from './reconnect.tsx'

/** Connecting anew, pausing, ending. */
export function ConnectorActions({ connector }: { readonly connector: Connector }): ReactNode {
  const queries = useQueryClient()
  const place = placeOf(connector)
  const [isAsking, setAsking] = useState(false)
  const reread = async (): Promise<void> => {
    await queries.invalidateQueries({ queryKey: ['connector', connector.id] })
    await queries.invalidateQueries({ queryKey: ['connectors'] })
  }
  const flow = useConnect(() => void reread())
  const pausing = useMutation({ mutationFn: (paused: boolean) => patchConnector(place, { paused }), onSuccess: reread })
  const ending = useMutation({
    mutationFn: () => disconnect(place),
    onSuccess: reread,
    onSettled: () => setAsking(false),
  })
  const isEnded = connector.status === 'disconnected'
  return (
    <div className="mb-5 space-y-3">
      <div>
        <div className="flex flex-wrap gap-2">
          <Reconnect connector={connector} flow={flow} />
          {!isEnded && (
            <>
              <Button disabled={pausing.isPending} onClick={() => pausing.mutate(connector.status !== 'paused')}>
                {connector.status === 'paused' ? 'Resume' : 'Pause'}
              </Button>
              <Button look="danger" onClick={() => setAsking(true)}>
                Disconnect
              </Button>
            </>
          )}
        </div>
        <ConnectNote state={flow.state} done="Connected anew; id, settings and history stay." />
      </div>
      {pausing.error !== null && <ProblemNote problem={pausing.error} />}
      {ending.error !== null && <ProblemNote problem={ending.error} />}
      {ending.data !== undefined && <DisconnectReceipt receipt={ending.data} />}
      {isAsking && (
        <Dialog title={`Disconnect ${nameOf(connector)}?`} onClose={() => setAsking(false)}>
          <p className="text-soft">
            The tokens are destroyed here at once, and the provider is told to revoke them. It cannot be undone; the
            person would have to connect again.
          </p>
          <Actions>
            <Button onClick={() => setAsking(false)}>Keep it</Button>
            <Button look="danger" disabled={ending.isPending} onClick={() => ending.mutate()}>
              {ending.isPending ? 'Disconnecting …' : 'Disconnect'}
            </Button>
          </Actions>
        </Dialog>
      )}
    </div>
  )
}
