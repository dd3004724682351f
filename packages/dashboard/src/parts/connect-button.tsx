import { useEffect, useRef, useState, type ReactNode } from 'react'
import { blockedSentence, connectAccount, openPopup, type Attempt } from '../api/connect-account.ts'
import { Button, type ButtonLook } from './button.tsx'

export type ConnectState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'failed'; readonly problem: Error }
  | { readonly kind: 'connected'; readonly connectorId: string }

/** A flow in a popup, begun by `start` inside a click; one at a time. */
export function useConnect(onConnected: (connectorId: string) => void): {
  readonly state: ConnectState
  readonly start: (attempt: Attempt) => void
} {
  const [state, setState] = useState<ConnectState>({ kind: 'idle' })
  const current = useRef(new AbortController())
  useEffect(() => () => current.current.abort(), [])
  const start = (attempt: Attempt): void => {
    const popup = openPopup()
    if (popup === undefined) return setState({ kind: 'failed', problem: new Error(blockedSentence) })
    current.current.abort()
    const { signal } = (current.current = new AbortController())
    setState({ kind: 'waiting' })
    const onClosed = (): void => setState({ kind: 'closed' })
    connectAccount(popup, attempt, { signal, onClosed }).then(
      (connectorId) => {
        setState({ kind: 'connected', connectorId })
        onConnected(connectorId)
      },
      (error: unknown) => {
        if (signal.aborted) return
        setState({ kind: 'failed', problem: error instanceof Error ? error : new Error(String(error)) })
      },
    )
  }
  return { state, start }
}

export function ConnectButton({
  look = 'primary',
  state,
  disabled = false,
  onClick,
  children,
}: {
  readonly look?: ButtonLook
  readonly state: ConnectState
  readonly disabled?: boolean
  readonly onClick: () => void
  readonly children: ReactNode
}): ReactNode {
  return (
    <Button look={look} disabled={disabled || state.kind === 'waiting'} onClick={onClick}>
      {children}
    </Button>
  )
}

/** How the flow stands, announced as it changes. Takes no room until there is something to say. */
export function ConnectNote({ state, done }: { readonly state: ConnectState; readonly done: ReactNode }): ReactNode {
  return (
    <div role="status" className="wrap-anywhere">
      {state.kind === 'waiting' && <p className="pt-2 text-soft">Waiting for your consent in the other window …</p>}
      {state.kind === 'closed' && (
        <p className="pt-2 text-bad">The window was closed before consent. Nothing was connected; you can try again.</p>
      )}
      {state.kind === 'failed' && <p className="pt-2 text-bad">{state.problem.message}</p>}
      {state.kind === 'connected' && <p className="pt-2 text-good">{done}</p>}
    </div>
  )
}
