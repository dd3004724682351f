import type { ReactNode } from 'react'

/** An id on one line: where there is no room for all of it, it ends in dots, and the whole is there on hover and to copy. */
export function Id({ id, className = '' }: { readonly id: string; readonly className?: string }): ReactNode {
  return (
    <code title={id} className={`inline-block max-w-full truncate align-bottom ${className}`}>
      {id}
    </code>
  )
}
