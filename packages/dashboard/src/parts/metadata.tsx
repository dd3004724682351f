import type { ReactNode } from 'react'

/** The small facts of an event, one beside the other. */
export function Metadata({ of }: { readonly of: Readonly<Record<string, unknown>> }): ReactNode {
  const shown = Object.entries(of).filter(([, value]) => value !== null && value !== '')
  if (shown.length === 0) return null
  return (
    <span className="flex flex-wrap gap-x-3 gap-y-0.5 text-xs text-soft">
      {shown.map(([name, value]) => (
        <span key={name} className="wrap-anywhere">
          {name.replaceAll('_', ' ')} <code className="text-ink">{asText(value)}</code>
        </span>
      ))}
    </span>
  )
}

/** A fact of several parts as `name: value`, and without the marks of JSON. */
function asText(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return value.map(asText).join(' ')
  return Object.entries(value)
    .map(([name, part]) => `${name.replaceAll('_', ' ')}: ${asText(part)}`)
    .join(', ')
}
