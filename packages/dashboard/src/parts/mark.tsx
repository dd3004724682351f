import type { ReactNode } from 'react'

/** The product's own mark. */
export function Mark(): ReactNode {
  return (
    <svg viewBox="0 0 32 32" className="size-7 shrink-0" aria-hidden="true">
      <rect width="32" height="32" rx="8" className="fill-accent" />
      <path
        d="M13 10h-1.500a6 6 0 0 0 0 12H13m6-12h1.500a6 6 0 0 1 0 12H19m-7-6h8"
        fill="none"
        className="stroke-on-accent"
        strokeWidth="2.6"
        strokeLinecap="round"
      />
    </svg>
  )
}
