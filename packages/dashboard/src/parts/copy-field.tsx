import { useState, type ReactNode } from 'react'
import { Button } from './button.tsx'
import { Icon } from './icons.tsx'

/** A value to be taken elsewhere exactly as it stands. */
export function CopyField({ label, value }: { readonly label: string; readonly value: string }): ReactNode {
  const [copied, setCopied] = useState(false)
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(value)
    setCopied(true)
    setTimeout(() => setCopied(false), 2_000)
  }
  return (
    <div>
      <p className="mb-1 text-xs font-medium text-soft">{label}</p>
      <div className="flex flex-wrap items-stretch gap-2">
        <code className="min-w-0 flex-1 basis-full self-center rounded-md border border-line bg-raised px-2.5 py-1.5 text-[0.8125rem] wrap-anywhere sm:basis-0">
          {value}
        </code>
        <Button onClick={() => void copy()} aria-label={`Copy ${label.toLowerCase()}`}>
          <Icon name={copied ? 'tick' : 'copy'} />
          <span aria-live="polite">{copied ? 'Copied' : 'Copy'}</span>
        </Button>
      </div>
    </div>
  )
}
