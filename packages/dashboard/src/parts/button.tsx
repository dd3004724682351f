import type { ComponentProps, ReactNode } from 'react'

const shape =
  'inline-flex min-h-9 items-center justify-center gap-2 rounded-md border px-3 py-1.5 text-sm font-medium whitespace-nowrap transition-colors disabled:opacity-55'

const looks = {
  plain: 'border-edge/60 bg-card text-ink enabled:hover:bg-raised',
  primary: 'border-transparent bg-accent text-on-accent enabled:hover:bg-accent-strong',
  danger: 'border-bad/60 bg-card text-bad enabled:hover:bg-bad-ground',
  quiet: 'border-transparent bg-transparent text-soft enabled:hover:bg-raised enabled:hover:text-ink',
} as const

export type ButtonLook = keyof typeof looks

/** How a button looks; also for links that stand beside buttons. */
export function buttonClass(look: ButtonLook = 'plain'): string {
  return `${shape} ${looks[look]}`
}

export function Button({
  look = 'plain',
  className = '',
  ...rest
}: ComponentProps<'button'> & { readonly look?: ButtonLook }): ReactNode {
  return <button type="button" className={`${buttonClass(look)} ${className}`} {...rest} />
}
