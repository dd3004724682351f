import type { ReactNode } from 'react'

/** A few choices of which one holds; a group of buttons, each of which says whether it is pressed. */
export function Choice<Value extends string>({
  label,
  choices,
  value,
  onChange,
}: {
  readonly label: string
  readonly choices: Readonly<Record<Value, string>>
  readonly value: string
  readonly onChange: (value: Value) => void
}): ReactNode {
  return (
    <div
      role="group"
      aria-label={label}
      className="inline-flex flex-wrap rounded-md border border-edge/60 bg-card p-0.5"
    >
      {(Object.keys(choices) as Value[]).map((choice) => (
        <button
          key={choice}
          type="button"
          aria-pressed={choice === value}
          onClick={() => onChange(choice)}
          className={`min-h-8 rounded px-2.5 text-sm font-medium ${
            choice === value ? 'bg-accent-ground text-accent' : 'text-soft hover:text-ink'
          }`}
        >
          {choices[choice]}
        </button>
      ))}
    </div>
  )
}

const tab = 'inline-flex min-h-9 items-center border-b-2 px-1 font-medium'

/** The look of a link that leads to another part of the same page. */
export function tabClass(isHere: boolean): string {
  return `${tab} ${isHere ? 'border-accent text-ink' : 'border-transparent text-soft hover:text-ink'}`
}

export function TabBar({ label, children }: { readonly label: string; readonly children: ReactNode }): ReactNode {
  return (
    <nav aria-label={label} className="mb-5 flex flex-wrap gap-x-5 border-b border-line">
      {children}
    </nav>
  )
}
