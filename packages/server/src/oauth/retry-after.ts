const maxSeconds = 86_400

/** Seconds to wait by a `Retry-After` header in either form (RFC 9110 §10.2.3): at least 0, at most a day. */
export function retryAfterSeconds(header: string | undefined, now: Date): number | undefined {
  if (header === undefined) return undefined
  const text = header.trim()
  const isDate = /^[A-Z][a-z]{2,8},? /.test(text)
  if (!isDate && !/^\d{1,9}$/.test(text)) return undefined
  const seconds = isDate ? Math.ceil((Date.parse(text) - now.getTime()) / 1000) : Number(text)
  if (Number.isNaN(seconds)) return undefined
  return Math.min(Math.max(seconds, 0), maxSeconds)
}
