import type { ReactNode } from 'react'
import type { UrlVariable } from '../../api/providers.ts'
import { SelectField, TextField } from '../../parts/field.tsx'

/** A subdomain, a shop, a region: explained, and held against its pattern while it is typed. */
export function VariableField({
  variable,
  value,
  onChange,
  complaint,
  mayStayEmpty,
}: {
  readonly variable: UrlVariable
  readonly value: string
  readonly onChange: (value: string) => void
  readonly complaint: string | undefined
  /** `asks`: each connection is then asked for its own. */
  readonly mayStayEmpty: 'asks' | 'default'
}): ReactNode {
  const { title, description, pattern, example, allowed, default: fallback } = variable
  const emptyHint =
    mayStayEmpty === 'asks' ? ' Empty: whoever connects is asked.' : fallback === null ? '' : ` Empty: ${fallback}.`
  if (allowed !== null) {
    return (
      <SelectField
        label={title}
        hint={description + emptyHint}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      >
        <option value="">{fallback === null ? 'Choose one' : `Default: ${fallback}`}</option>
        {allowed.map((choice) => (
          <option key={choice}>{choice}</option>
        ))}
      </SelectField>
    )
  }
  const misfits = value !== '' && !fits(pattern, value)
  return (
    <TextField
      label={title}
      value={value}
      onChange={(event) => onChange(event.target.value.trim())}
      placeholder={fallback ?? example ?? ''}
      hint={description + emptyHint}
      complaint={complaint ?? (misfits ? `It must look like ${example ?? pattern}.` : undefined)}
    />
  )
}

/** The service judges for itself; a pattern that the browser reads otherwise hinders nobody. */
function fits(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(value)
  } catch {
    return true
  }
}
