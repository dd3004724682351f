import type { ReactNode } from 'react'

/** Whether the page follows what happens. */
export function LiveMark({ state }: { readonly state: 'live' | 'waiting' }): ReactNode {
  return (
    <span className="inline-flex min-h-9 items-center gap-2 text-xs text-soft">
      <span aria-hidden="true" className={`size-2 rounded-full ${state === 'live' ? 'bg-good' : 'bg-edge'}`} />
      {state === 'live' ? 'Live' : 'Connecting to the stream …'}
    </span>
  )
}
