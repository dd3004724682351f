/**
 * A provider's error code made safe for logs, pages and JSON: only `[A-Za-z0-9_.-]`, at most 64 characters.
 * `fallback` when nothing of it is left.
 */
export function safeCode(code: unknown, fallback: string): string {
  if (typeof code !== 'string' && typeof code !== 'number') return fallback
  const safe = String(code)
    .slice(0, 256)
    .trim()
    .replaceAll(/[^A-Za-z0-9_.-]+/g, '_')
    .slice(0, 64)
  return /[A-Za-z0-9]/.test(safe) ? safe : fallback
}

/** A provider's description cut to 300 characters of printable ASCII; other characters become `?`. */
export function safeDescription(description: string | undefined): string | undefined {
  if (description === undefined) return undefined
  const safe = description
    .slice(0, 300)
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .trim()
  return safe === '' ? undefined : safe
}
