/**
 * Patterns for paths below a provider's API: `/v1/items/*` (one segment), `/v1/**` (whatever follows). Everything else
 * stands for itself.
 */
const wildcard = '*'
const rest = '**'
const maxLength = 512

/**
 * Why a text is no path pattern, in words that fit after its name; `undefined` when it is one.
 *
 * `*` stands alone between two slashes, `**` alone at the end: matching then takes one look at each segment.
 */
export function pathPatternProblem(pattern: string): string | undefined {
  if (!pattern.startsWith('/')) return 'must begin with a slash'
  if (pattern.length > maxLength) return `must have at most ${maxLength} characters`
  if (!/^[\x21-\x7e]*$/.test(pattern) || /[\\?#]/.test(pattern)) return 'must be a path of visible ASCII characters'
  const segments = pattern.slice(1).split('/')
  for (const [index, segment] of segments.entries()) {
    if (segment === rest && index < segments.length - 1) return 'may hold ** only at its end'
    if (segment !== rest && segment !== wildcard && segment.includes('*')) {
      return 'may hold * and ** only as whole segments'
    }
    if (segment === '' && index < segments.length - 1) return 'may not hold empty segments'
    const plain = decoded(segment)
    if (plain === undefined) return 'holds a percent sign that encodes nothing'
    if (/^\.{1,2}(?:;|$)/.test(plain) || plain.includes('/')) return 'may not hold dot segments or encoded slashes'
  }
  return undefined
}

/** Each server on the way may decode once more; what is still not plain after so often fits nothing. */
const maxDecodings = 5

/**
 * Whether a path fits a pattern, compared case-sensitively after percent-decoding.
 *
 * `path` begins with a slash and is still encoded. Servers disagree on how often to decode and on whether `%2F` divides segments, so a path
 * must fit every way: otherwise `/users/*` would let `/users/1%252Fadmin` through to a server that divides there. They disagree on `;x=y`
 * as well, so no `*` takes it. A path that cannot be decoded fits nothing, and neither does any to a text that is no pattern.
 */
export function matchesPath(pattern: string, path: string): boolean {
  if (pathPatternProblem(pattern) !== undefined || !path.startsWith('/')) return false
  const wanted = pattern.slice(1).split('/')
  let literals = decodedAll(wanted)
  let given = decodedAll(path.slice(1).split('/'))
  for (let decodings = 0; decodings < maxDecodings; decodings += 1) {
    if (literals === undefined || given === undefined || !fitsSegments(wanted, literals, given)) return false
    const divided = given.join('/').split('/')
    if (divided.length !== given.length && !fitsSegments(wanted, literals, divided)) return false
    const next = given.map(decodedLeniently)
    if (next.join('/') === given.join('/')) return true
    given = next
    literals = literals.map(decodedLeniently)
  }
  return false
}

function decodedAll(segments: readonly string[]): readonly string[] | undefined {
  const plain: string[] = []
  for (const segment of segments) {
    const text = decoded(segment)
    if (text === undefined) return undefined
    plain.push(text)
  }
  return plain
}

/** Byte by byte, so that no broken UTF-8 hides what follows it. */
function decodedLeniently(segment: string): string {
  if (!segment.includes('%')) return segment
  return segment.replaceAll(/%([0-9A-Fa-f]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

function fitsSegments(wanted: readonly string[], literals: readonly string[], given: readonly string[]): boolean {
  for (const [index, pattern] of wanted.entries()) {
    if (pattern === rest) return true
    const segment = given[index]
    if (segment === undefined) return false
    if (pattern === wildcard ? segment === '' || segment.includes(';') : literals[index] !== segment) return false
  }
  return given.length === wanted.length
}

function decoded(segment: string): string | undefined {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
