import type { ReactNode } from 'react'

const paths = {
  overview: 'M3 12.500 8 7l3.500 3.500L17 4.500M3 17h14',
  connectors: 'M8 6H6.500a4 4 0 0 0 0 8H8m4-8h1.500a4 4 0 0 1 0 8H12m-5-4h6',
  providers: 'M3.500 3.500h5v5h-5zM11.500 3.500h5v5h-5zM3.500 11.500h5v5h-5zM11.500 11.500h5v5h-5z',
  events: 'M3 10h3l2-5.500 3.500 11L14 10h3',
  audit: 'M5 3h10v14H5zM8 7h4M8 10h4M8 13h2',
  keys: 'M12.500 3.500a4 4 0 1 1-3.200 6.400L3.500 15.700V17H6v-2h2v-2l1.300-1.300',
  settings: 'M3 6h7m4 0h3M3 14h3m4 0h7M12 4v4M8 12v4',
  menu: 'M3 5.500h14M3 10h14M3 14.500h14',
  close: 'm5 5 10 10M15 5 5 15',
  copy: 'M7 7h9v9H7zM13 7V4H4v9h3',
  search: 'M9 3.500a5.500 5.500 0 1 1 0 11 5.500 5.500 0 0 1 0-11zM13 13l4 4',
  out: 'M11 4h5v5m0-5-7 7M14 12v4H4V6h4',
  tick: 'm4 10.500 4 4 8-9',
  warning: 'M10 3 2.500 16.500h15zM10 8v4m0 2.300v.1',
} as const

export type IconName = keyof typeof paths

/** Beside words that say the same; a picture alone says nothing to somebody who cannot see it. */
export function Icon({
  name,
  className = 'size-4',
}: {
  readonly name: IconName
  readonly className?: string
}): ReactNode {
  return (
    <svg
      viewBox="0 0 20 20"
      className={`shrink-0 ${className}`}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={paths[name]} />
    </svg>
  )
}
