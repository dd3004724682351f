import type { ReactNode } from 'react'
import { CallProblem } from '../api/call.ts'
import { Button } from './button.tsx'
import { Icon } from './icons.tsx'

/** What went wrong, in the service's own sentence, with what to quote to whoever runs it. */
export function ProblemNote({
  problem,
  onRetry,
}: {
  readonly problem: Error
  readonly onRetry?: (() => void) | undefined
}): ReactNode {
  const told = problem instanceof CallProblem ? problem : undefined
  return (
    <div role="alert" className="flex flex-wrap items-start gap-3 rounded-lg border border-bad/40 bg-bad-ground p-3">
      <Icon name="warning" className="mt-0.5 size-4 text-bad" />
      <div className="min-w-0 flex-1 basis-48">
        <p className="wrap-anywhere text-ink">{told?.message ?? 'Something went wrong on this page. Load it again.'}</p>
        {told !== undefined && (
          <p className="mt-1 text-xs text-soft wrap-anywhere">
            <code>{told.code}</code>
            {told.correlationId !== undefined && (
              <>
                {' '}
                · correlation id <code>{told.correlationId}</code>
              </>
            )}
          </p>
        )}
      </div>
      {onRetry !== undefined && <Button onClick={onRetry}>Try again</Button>}
    </div>
  )
}

/** That there is nothing, why that may be, and what to do about it. */
export function EmptyNote({
  title,
  children,
  action,
}: {
  readonly title: string
  readonly children?: ReactNode
  readonly action?: ReactNode
}): ReactNode {
  return (
    <div className="flex flex-col items-center gap-2 rounded-lg border border-dashed border-line px-4 py-10 text-center">
      <p className="font-medium">{title}</p>
      {children !== undefined && <p className="max-w-prose text-soft">{children}</p>}
      {action}
    </div>
  )
}

export function GoodNote({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <div className="flex items-start gap-3 rounded-lg border border-good/40 bg-good-ground p-3">
      <Icon name="tick" className="mt-0.5 size-4 text-good" />
      <div className="min-w-0 flex-1 wrap-anywhere">{children}</div>
    </div>
  )
}

/** Grey lines where content is on its way. */
export function Loading({ lines = 4 }: { readonly lines?: number }): ReactNode {
  return (
    <div role="status" className="space-y-2">
      <span className="sr-only">Loading</span>
      {Array.from({ length: lines }, (_, index) => (
        <div key={index} className="h-9 animate-pulse rounded-md bg-raised" />
      ))}
    </div>
  )
}
