import { useEffect, type ReactNode } from 'react'

/** A page's head; its title is also the window's. */
export function PageHead({
  title,
  children,
  actions,
}: {
  readonly title: string
  readonly children?: ReactNode
  readonly actions?: ReactNode
}): ReactNode {
  useEffect(() => {
    document.title = `${title} · connector-oauth`
  }, [title])
  return (
    <div className="mb-5 flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
      <div className="min-w-0">
        <h1 className="text-xl font-semibold tracking-tight wrap-anywhere">{title}</h1>
        {children !== undefined && <div className="mt-1 max-w-prose text-soft">{children}</div>}
      </div>
      {actions !== undefined && <div className="flex flex-wrap gap-2">{actions}</div>}
    </div>
  )
}

/** A part of a page with a heading of its own. */
export function Card({
  title,
  children,
  actions,
}: {
  readonly title: string
  readonly children: ReactNode
  readonly actions?: ReactNode
}): ReactNode {
  return (
    <section className="rounded-lg border border-line bg-card">
      <div className="flex min-h-11 flex-wrap items-center justify-between gap-2 border-b border-line px-4 py-2">
        <h2 className="font-semibold">{title}</h2>
        {actions}
      </div>
      <div className="p-4">{children}</div>
    </section>
  )
}

/** Names and values, below each other on a phone. */
export function Facts({ of }: { readonly of: readonly (readonly [name: string, value: ReactNode])[] }): ReactNode {
  return (
    <dl className="grid grid-cols-1 gap-x-4 sm:grid-cols-[10rem_1fr] sm:gap-y-2">
      {of.map(([name, value]) => (
        <div key={name} className="contents last:*:mb-0">
          <dt className="text-soft">{name}</dt>
          <dd className="mb-3 min-w-0 wrap-anywhere sm:mb-0">{value}</dd>
        </div>
      ))}
    </dl>
  )
}
