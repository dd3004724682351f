import type { ReactNode } from 'react'
import { CallProblem } from '../api/call.ts'
import { EmptyNote, ProblemNote } from './notes.tsx'
import { PageHead } from './page.tsx'

/** Instead of a page about one thing: that it is not there, which no further try changes, or what went wrong. */
export function Absent({
  title,
  problem,
  onRetry,
  list,
}: {
  /** What it is: `Provider`. */
  readonly title: string
  readonly problem: Error
  readonly onRetry: () => void
  /** The way to what there is. */
  readonly list: ReactNode
}): ReactNode {
  const isGone = problem instanceof CallProblem && problem.status === 404
  return (
    <>
      <PageHead title={title} />
      {isGone ? (
        <EmptyNote title={`There is no such ${title.toLowerCase()}`} action={list}>
          The address may be mistyped, or what stood here is gone.
        </EmptyNote>
      ) : (
        <ProblemNote problem={problem} onRetry={onRetry} />
      )}
    </>
  )
}
