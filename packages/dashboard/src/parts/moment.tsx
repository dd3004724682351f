import type { ReactNode } from 'react'
import { useNow } from './use-now.ts'

const steps: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, seconds: number])[] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' })
const absolute = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })

/** `3 min. ago`; the time itself on hover. */
export function Ago({ at }: { readonly at: string }): ReactNode {
  const seconds = (Date.parse(at) - useNow()) / 1000
  const [unit, size] = steps.find(([, step]) => Math.abs(seconds) >= step) ?? ['second', 1]
  const words = unit === 'second' ? 'just now' : relative.format(Math.round(seconds / size), unit)
  return (
    <time dateTime={at} title={exactly(at)} className="whitespace-nowrap">
      {words}
    </time>
  )
}

/** A time in the person's own words and zone; on hover as the service wrote it (RFC 3339). */
export function At({ at }: { readonly at: string }): ReactNode {
  return (
    <time dateTime={at} title={at} className="whitespace-nowrap">
      {exactly(at)}
    </time>
  )
}

export function exactly(at: string): string {
  return absolute.format(new Date(at))
}
