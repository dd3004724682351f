import type { ReactNode } from 'react'

/** Who did something: a person's id on one line, or the service itself. */
export function Actor({ id }: { readonly id: string | null }): ReactNode {
  if (id === null) return 'the service'
  return (
    <span title={id} className="block truncate">
      {id}
    </span>
  )
}
