import type { ReactNode } from 'react'
import { Id } from './id.tsx'
import { At, exactly } from './moment.tsx'
import { ProviderName } from './provider-name.tsx'

/** RFC 3339, as the service writes it. */
const time = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/

/** The small facts of an event, one beside the other; where it happened stands behind the link to what it is about. */
export function Metadata({ of }: { readonly of: Readonly<Record<string, unknown>> }): ReactNode {
  const { space_id: _space, collection_id: _collection, ...rest } = of
  const shown = factsOf(rest)
  if (shown.length === 0) return null
  return (
    <span className="flex flex-wrap gap-x-3 gap-y-0.5 text-xs text-soft">
      {shown.map(([name, value]) => (
        <span key={name} className="max-w-full">
          {name === 'provider_slug' ? 'provider' : name.replaceAll('_', ' ')}{' '}
          <span className="text-ink">
            <Fact name={name} value={value} />
          </span>
        </span>
      ))}
    </span>
  )
}

function Fact({ name, value }: { readonly name: string; readonly value: unknown }): ReactNode {
  if (typeof value !== 'string') return <code className="wrap-anywhere">{asText(value)}</code>
  if (name === 'provider_slug') return <ProviderName slug={value} />
  if (time.test(value)) return <At at={value} />
  if (value.includes(' ')) return <span className="wrap-anywhere">{value}</span>
  return <Id id={value} />
}

/** Those that say something. */
function factsOf(of: object): (readonly [name: string, value: unknown])[] {
  return Object.entries(of).filter(([, value]) => {
    if (Array.isArray(value)) return value.length > 0
    return value !== null && value !== ''
  })
}

/** A fact of several parts as `name: value`, and without the marks of JSON. */
function asText(value: unknown): string {
  if (typeof value === 'string') return time.test(value) ? exactly(value) : value
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return value.map(asText).join(' ')
  return factsOf(value)
    .map(([name, part]) => `${name.replaceAll('_', ' ')}: ${asText(part)}`)
    .join(', ')
}
