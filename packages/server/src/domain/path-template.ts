const maxSegments = 12
const maxLength = 200

/**
 * A path with what names single things left out, for records that count calls: `/repos/{id}/issues/{id}`.
 *
 * Digits, UUIDs, hexadecimal and long or mixed segments become `{id}`: records must neither hold what may be a secret or a person, nor
 * be as many as there are ids. Query strings never come here.
 */
export function pathTemplate(path: string): string {
  const segments = path.slice(1).split('/')
  const masked = segments.slice(0, maxSegments).map((segment) => (isWord(segment) ? segment : '{id}'))
  const text = `/${masked.join('/')}${segments.length > maxSegments ? '/…' : ''}`
  return text.length <= maxLength ? text : `${text.slice(0, maxLength - 1)}…`
}

/** Short, of letters, and no more digits than a version has: `v1`, `oauth2`, `Messages.json`. */
function isWord(segment: string): boolean {
  if (segment === '') return true
  return /^[A-Za-z][A-Za-z._~:$-]{0,39}\d{0,2}(?:\.\d{1,2})?$/.test(segment) && !/^[0-9a-f-]{16,}$/i.test(segment)
}
