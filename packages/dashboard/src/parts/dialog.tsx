import { useEffect, useId, useRef, type ReactNode } from 'react'
import { Button } from './button.tsx'
import { Icon } from './icons.tsx'

/**
 * The browser's own dialog: it traps the focus, closes on Escape and makes the rest inert, without a style sheet of its
 * own, which the policy of these pages would refuse.
 */
export function Dialog({
  title,
  onClose,
  children,
}: {
  readonly title: string
  readonly onClose: () => void
  readonly children: ReactNode
}): ReactNode {
  const ref = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  useEffect(() => {
    const dialog = ref.current
    dialog?.showModal()
    return () => dialog?.close()
  }, [])
  return (
    <dialog
      ref={ref}
      aria-labelledby={titleId}
      onClose={onClose}
      className="w-[min(34rem,calc(100vw-2rem))] rounded-xl border border-line bg-card p-0 shadow-xl"
    >
      <div className="flex items-start justify-between gap-4 px-5 pt-4">
        <h2 id={titleId} className="text-base font-semibold">
          {title}
        </h2>
        <Button look="quiet" className="-mr-2 px-2!" onClick={() => ref.current?.close()} aria-label="Close">
          <Icon name="close" />
        </Button>
      </div>
      <div className="space-y-4 px-5 pt-2 pb-5">{children}</div>
    </dialog>
  )
}

/** The row of buttons that ends a dialog or a form. */
export function Actions({ children }: { readonly children: ReactNode }): ReactNode {
  return <div className="flex flex-wrap justify-end gap-2 pt-1">{children}</div>
}
