import { Link, type ErrorComponentProps } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { buttonClass } from '../parts/button.tsx'
import { EmptyNote, ProblemNote } from '../parts/notes.tsx'
import { PageHead } from '../parts/page.tsx'

export function NotHere(): ReactNode {
  return (
    <>
      <PageHead title="Nothing here" />
      <EmptyNote
        title="There is no page at this address"
        action={
          <Link to="/" className={buttonClass('primary')}>
            Go to the overview
          </Link>
        }
      >
        The address may be mistyped, or what stood here is gone.
      </EmptyNote>
    </>
  )
}

/** A page that fell over, in its place; the others still work. */
export function PageBroke({ error }: ErrorComponentProps): ReactNode {
  return (
    <>
      <PageHead title="Something went wrong" />
      <ProblemNote
        problem={error instanceof Error ? error : new Error(String(error))}
        onRetry={() => location.reload()}
      />
    </>
  )
}
