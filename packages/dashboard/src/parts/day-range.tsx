import type { ReactNode } from 'react'
import { inputClass } from './field.tsx'

/** From one day to another, both included, in the person's own time zone. */
export function DayRange({
  from = '',
  to = '',
  onChange,
}: {
  readonly from: string | undefined
  readonly to: string | undefined
  readonly onChange: (part: { readonly from?: string | undefined; readonly to?: string | undefined }) => void
}): ReactNode {
  return (
    <div className="grid w-full grid-cols-2 gap-2 text-soft sm:flex sm:w-auto sm:items-center">
      <label className="items-center gap-2 sm:flex">
        From
        <input
          type="date"
          value={from}
          onChange={(event) => onChange({ from: event.target.value || undefined })}
          className={`${inputClass} sm:w-36`}
        />
      </label>
      <label className="items-center gap-2 sm:flex">
        To
        <input
          type="date"
          value={to}
          onChange={(event) => onChange({ to: event.target.value || undefined })}
          className={`${inputClass} sm:w-36`}
        />
      </label>
    </div>
  )
}

/** The range as the API takes it. */
export function asTimes(
  from: string | undefined,
  to: string | undefined,
): {
  readonly from_date: string | undefined
  readonly to_date: string | undefined
} {
  const start = from === undefined ? undefined : new Date(`${from}T00:00:00`)
  const end = to === undefined ? undefined : new Date(`${to}T23:59:59.999`)
  return {
    from_date: start === undefined || Number.isNaN(start.getTime()) ? undefined : start.toISOString(),
    to_date: end === undefined || Number.isNaN(end.getTime()) ? undefined : end.toISOString(),
  }
}
