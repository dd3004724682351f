import { useEffect, useEffectEvent, useRef, useState, type ReactNode } from 'react'
import { inputClass } from './field.tsx'
import { Icon } from './icons.tsx'

const settleMs = 250

/** A search that goes into the address once the typing pauses. */
export function SearchBox({
  label,
  value = '',
  onChange,
  className = 'basis-52',
}: {
  readonly label: string
  readonly value: string | undefined
  readonly onChange: (value: string | undefined) => void
  /** The room it takes at first; it grows into what is left. */
  readonly className?: string
}): ReactNode {
  const [typed, setTyped] = useState(value)
  const told = useRef(value)
  const tell = useEffectEvent((text: string) => {
    if (text === value) return
    told.current = text
    onChange(text === '' ? undefined : text)
  })
  useEffect(() => {
    const timer = setTimeout(() => tell(typed), settleMs)
    return () => clearTimeout(timer)
  }, [typed])
  // Back and forward change the address under the box; what it told itself must not undo what was typed since.
  useEffect(() => {
    if (value !== told.current) setTyped(value)
    told.current = value
  }, [value])
  return (
    <div className={`relative min-w-0 flex-1 ${className}`}>
      <Icon name="search" className="pointer-events-none absolute top-2.5 left-2.5 size-4 text-soft" />
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        autoComplete="off"
        spellCheck={false}
        className={`${inputClass} pl-8`}
      />
    </div>
  )
}
