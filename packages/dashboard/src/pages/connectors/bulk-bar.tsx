import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { disconnect, nameOf, patchConnector, placeOf, type Connector } from '../../api/connectors.ts'
import { Button } from '../../parts/button.tsx'
import { Actions, Dialog } from '../../parts/dialog.tsx'
import { ProblemNote } from '../../parts/notes.tsx'

type Act = 'pause' | 'resume' | 'disconnect'

const deeds: Readonly<Record<Act, (connector: Connector) => Promise<unknown>>> = {
  pause: (connector) => patchConnector(placeOf(connector), { paused: true }),
  resume: (connector) => patchConnector(placeOf(connector), { paused: false }),
  disconnect: (connector) => disconnect(placeOf(connector)),
}
const done: Readonly<Record<Act, string>> = { pause: 'Paused', resume: 'Resumed', disconnect: 'Disconnected' }
const atOnce = 5

interface Outcome {
  readonly succeeded: number
  readonly failed: readonly { readonly name: string; readonly problem: Error }[]
}

/** A few at a time; one that is refused does not hold up the others. */
async function doAll(act: Act, chosen: readonly Connector[]): Promise<Outcome> {
  const waiting = [...chosen]
  const failed: { name: string; problem: Error }[] = []
  let succeeded = 0
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      try {
        await deeds[act](next)
        succeeded += 1
      } catch (error) {
        failed.push({ name: nameOf(next), problem: error instanceof Error ? error : new Error(String(error)) })
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return { succeeded, failed }
}

/** What can be done with the chosen ones together. */
export function BulkBar({
  chosen,
  onDone,
}: {
  readonly chosen: readonly Connector[]
  readonly onDone: () => void
}): ReactNode {
  const queries = useQueryClient()
  const [isAsking, setAsking] = useState(false)
  const doing = useMutation({
    mutationFn: (act: Act) => doAll(act, chosen),
    onSuccess: async () => {
      onDone()
      await queries.invalidateQueries({ queryKey: ['connectors'] })
    },
    onSettled: () => setAsking(false),
  })
  const outcome = doing.data
  return (
    <>
      {chosen.length > 0 && (
        <div className="mb-3 flex flex-wrap items-center gap-2 rounded-lg border border-accent/40 bg-accent-ground px-3 py-2">
          <span className="mr-auto font-medium max-sm:basis-full">{chosen.length} chosen</span>
          <Button disabled={doing.isPending} onClick={() => doing.mutate('pause')}>
            Pause
          </Button>
          <Button disabled={doing.isPending} onClick={() => doing.mutate('resume')}>
            Resume
          </Button>
          <Button look="danger" disabled={doing.isPending} onClick={() => setAsking(true)}>
            Disconnect
          </Button>
          <Button look="quiet" onClick={onDone}>
            Clear
          </Button>
        </div>
      )}
      <div role="status">
        {outcome !== undefined && doing.variables !== undefined && (
          <p className="mb-3 text-soft">
            {done[doing.variables]}: {outcome.succeeded}.
            {outcome.failed.length > 0 && ` Refused: ${outcome.failed.length}.`}
          </p>
        )}
      </div>
      {outcome?.failed.slice(0, 3).map(({ name, problem }) => (
        <div key={name} className="mb-3">
          <p className="mb-1 font-medium wrap-anywhere">{name}</p>
          <ProblemNote problem={problem} />
        </div>
      ))}
      {isAsking && (
        <Dialog
          title={`Disconnect ${chosen.length} ${chosen.length === 1 ? 'account' : 'accounts'}?`}
          onClose={() => setAsking(false)}
        >
          <p className="text-soft">
            Their tokens are destroyed here at once, and the providers are told. It cannot be undone; each person would
            have to connect again.
          </p>
          <Actions>
            <Button onClick={() => setAsking(false)}>Keep them</Button>
            <Button look="danger" disabled={doing.isPending} onClick={() => doing.mutate('disconnect')}>
              {doing.isPending ? 'Disconnecting …' : 'Disconnect'}
            </Button>
          </Actions>
        </Dialog>
      )}
    </>
  )
}
