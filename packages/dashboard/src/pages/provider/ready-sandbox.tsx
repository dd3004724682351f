import type { ReactNode } from 'react'
import { GoodNote } from '../../parts/notes.tsx'

/** The sandbox brings its own client, so that there is nothing to set up. */
export function ReadySandbox(): ReactNode {
  return (
    <GoodNote>
      <p className="font-medium">Ready: there is nothing to set up.</p>
      <p className="mt-1 text-soft">
        The sandbox comes with the service, for trying things out: a real OAuth and OpenID Connect server with made-up
        accounts, at which any user name signs in; “Use another account” there signs in as somebody else. It is not
        there in production.
      </p>
    </GoodNote>
  )
}
