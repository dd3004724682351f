/**
 * Whether an `Accept` header prefers HTML over JSON, as a browser's navigation does (RFC 9110 §12.5.1).
 *
 * Absent, or a bare wildcard as curl sends it, prefers JSON.
 */
export function prefersHtml(accept: string | undefined): boolean {
  if (accept === undefined) return false
  const ranges = accept.split(',').map(readRange)
  return qualityOf(ranges, 'text/html') > qualityOf(ranges, 'application/json')
}

interface MediaRange {
  readonly type: string
  readonly quality: number
}

function readRange(text: string): MediaRange {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const q = parameters.find((parameter) => parameter.startsWith('q='))
  const quality = q === undefined ? 1 : Number(q.slice(2))
  return { type, quality: Number.isFinite(quality) ? quality : 0 }
}

/** The most specific range decides. */
function qualityOf(ranges: readonly MediaRange[], type: string): number {
  for (const candidate of [type, `${type.split('/')[0]}/*`, '*/*']) {
    const range = ranges.find((given) => given.type === candidate)
    if (range !== undefined) return range.quality
  }
  return 0
}
