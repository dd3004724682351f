import type { ReactNode } from 'react'
import { fits, type UrlVariable } from '../../api/providers.ts'
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
  /** `asks`: each connection is then asked for its own; `default`: where there is one. */
  readonly mayStayEmpty: 'asks' | 'default' | 'never'
}): ReactNode {
  const { title, description, pattern, example, allowed, default: fallback } = variable
  const emptyHint =
    mayStayEmpty === 'asks' ? ' Empty: whoever connects is asked.' : fallback === null ? '' : ` Empty: ${fallback}.`
  const hint = /[.!?]$/.test(description) ? description + emptyHint : `${description}.${emptyHint}`
  const required = mayStayEmpty === 'never'
  if (allowed !== null) {
    return (
      <SelectField
        label={title}
        hint={hint}
        required={required}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        complaint={complaint}
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
      required={required}
      value={value}
      onChange={(event) => onChange(event.target.value.trim())}
      placeholder={fallback ?? example ?? ''}
      hint={hint}
      complaint={complaint ?? (misfits ? `It must look like ${example ?? pattern}.` : undefined)}
    />
  )
}
