import { useId, type ComponentProps, type ReactNode } from 'react'
import { CallProblem } from '../api/call.ts'

export const inputClass =
  'min-h-9 w-full min-w-0 rounded-md border border-edge/70 bg-card px-2.5 py-1.5 text-sm text-ink placeholder:text-soft'

interface Labelled {
  readonly label: string
  readonly hint?: ReactNode
  /** What the service said of this field. */
  readonly complaint?: string | undefined
}

export function TextField({
  label,
  hint,
  complaint,
  className = '',
  ...rest
}: Labelled & ComponentProps<'input'>): ReactNode {
  const id = useId()
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1 block text-sm font-medium">
        {label}
      </label>
      <input id={id} autoComplete="off" spellCheck={false} {...aboutField(id, hint, complaint)} {...rest} />
      <Below id={id} hint={hint} complaint={complaint} />
    </div>
  )
}

export function SelectField({
  label,
  hint,
  complaint,
  className = '',
  children,
  ...rest
}: Labelled & ComponentProps<'select'>): ReactNode {
  const id = useId()
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1 block text-sm font-medium">
        {label}
      </label>
      <select id={id} {...aboutField(id, hint, complaint)} {...rest}>
        {children}
      </select>
      <Below id={id} hint={hint} complaint={complaint} />
    </div>
  )
}

/** Ties a field to what stands below it. */
function aboutField(id: string, hint: ReactNode, complaint: string | undefined) {
  const described = [hint !== undefined && `${id}-hint`, complaint !== undefined && `${id}-bad`].filter(Boolean)
  return {
    'aria-invalid': complaint !== undefined,
    'aria-describedby': described.length > 0 ? described.join(' ') : undefined,
    className: `${inputClass} ${complaint === undefined ? '' : 'border-bad'}`,
  }
}

function Below({
  id,
  hint,
  complaint,
}: {
  readonly id: string
  readonly hint: ReactNode
  readonly complaint: string | undefined
}): ReactNode {
  return (
    <>
      {complaint !== undefined && (
        <p id={`${id}-bad`} className="mt-1 text-xs text-bad">
          {complaint}
        </p>
      )}
      {hint !== undefined && (
        <div id={`${id}-hint`} className="mt-1 text-xs text-soft wrap-anywhere">
          {hint}
        </div>
      )}
    </>
  )
}

/** What a refused form says of one field. */
export function complaintOf(problem: Error | null, field: string): string | undefined {
  if (!(problem instanceof CallProblem)) return undefined
  return problem.fields.find((candidate) => candidate.field === field)?.message
}
