import Format from 'typebox/format'
import { Settings } from 'typebox/system'

/** Teaches the validator the contract's formats, and to go on after the eighth problem. Safe to repeat. */
export function registerFormats(): void {
  // An unknown field counts twice, and each branch of a union counts.
  Settings.Set({ maxErrors: 500 })
  Format.Set('uuid', isUuid)
  Format.Set('http-url', (text) => urlFault(text) === undefined)
  // RFC 3339 also knows leap seconds and RFC 9557 zone names, which no `Date` can hold.
  Format.Set('date-time', (text) => Format.IsDateTime(text) && !Number.isNaN(Date.parse(text)))
  Format.Set('origin', (text) => /^https?:\/\//.test(text) && URL.parse(text)?.origin === text)
}

/** Whether PostgreSQL takes the text as a `uuid`, in the one form that the contract knows. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text)
}

/** Which part of an http(s) URL is wrong; the form alone is judged, never who may use it. */
export function urlFault(text: string): 'url-scheme' | 'url-host' | 'url-extra' | undefined {
  const scheme = /^https?:\/\//i.exec(text)
  if (scheme === null) return 'url-scheme'
  if (/[\s\\\u0000-\u001f\u007f]/.test(text)) return 'url-extra'
  const host = text.slice(scheme[0].length).split(/[/?#]/, 1)[0] ?? ''
  return host === '' || URL.parse(text) === null ? 'url-host' : undefined
}
