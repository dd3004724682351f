/** Where a call to a provider's API goes, or why it goes nowhere. */
export type ApiUrl =
  | { readonly kind: 'joined'; readonly url: string }
  | { readonly kind: 'refused'; readonly reason: ApiUrlFault }

/**
 * - `path`: it could leave the place below the base, or servers do not agree on what it means
 * - `query`: it would set a parameter that is not the caller's
 * - `base`: the base is none that could be called
 */
export type ApiUrlFault = 'path' | 'query' | 'base'

/** The caller's part of an address, exactly as it stood in the request line. */
export interface RawTarget {
  /** Begins with a slash. */
  readonly path: string
  /** Without the question mark; `undefined` when there was none. */
  readonly query: string | undefined
}

/**
 * Puts a caller's path and query below a provider's API address.
 *
 * The caller's text is judged before and the whole address after it was put together: same origin, same prefix, and the very text that
 * was judged. What passes is sent byte for byte. `own` are query parameters that the caller may not set: the token where the provider takes it there.
 */
export function joinApiUrl(base: string, target: RawTarget, own: Readonly<Record<string, string>>): ApiUrl {
  if (isPathRefused(target.path)) return { kind: 'refused', reason: 'path' }
  const parsed = URL.parse(base)
  if (
    parsed === null ||
    parsed.hash !== '' ||
    parsed.username !== '' ||
    parsed.password !== '' ||
    parsed.origin === 'null'
  ) {
    return { kind: 'refused', reason: 'base' }
  }
  const constant = parsed.search.slice(1)
  const names = [...Object.keys(own), ...new URLSearchParams(constant).keys()]
  if (target.query !== undefined && isQueryRefused(target.query, names)) return { kind: 'refused', reason: 'query' }

  const prefix = parsed.pathname.replace(/\/+$/, '')
  const path = prefix + target.path
  const added = Object.entries(own).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
  const query = [constant, target.query ?? '', ...added].filter((part) => part !== '').join('&')
  const url = `${parsed.origin}${path}${query === '' ? '' : `?${query}`}`

  // Whatever the checks above may have missed shows here.
  const final = URL.parse(url)
  const isUnchanged =
    final?.origin === parsed.origin &&
    final.username === '' &&
    final.password === '' &&
    final.hash === '' &&
    final.pathname === path &&
    final.pathname.startsWith(`${prefix}/`)
  return isUnchanged ? { kind: 'joined', url } : { kind: 'refused', reason: 'path' }
}

/**
 * What a path segment may hold: RFC 3986 §3.3 and what parsers leave alone besides (`[`, `]`, `|`). All else must come
 * percent-encoded; a backslash is refused in either form, since half the world reads it as a slash.
 */
const pathText = /^\/[A-Za-z0-9\-._~!$&'()*+,;=:@%/[\]|]*$/
const maxNesting = 4

/** Whether a raw path is none that may be put below a prefix. */
export function isPathRefused(path: string): boolean {
  if (!pathText.test(path) || path.includes('//') || /%(?![0-9A-Fa-f]{2})/.test(path)) return true
  let text = path
  // Each server on the way may decode once more.
  for (let depth = 0; depth <= maxNesting; depth += 1) {
    // 0xc0 and 0xc1 begin no character, only the overlong dots and slashes that old decoders fall for.
    if (/[\\\x00-\x1f\x7f\xc0\xc1]/.test(text) || hasDotSegment(text)) return true
    const decoded = decodeOnce(text)
    if (decoded === text) return false
    text = decoded
  }
  return true
}

/** `..;x` counts: some servers cut the parameters off first and then go up. */
function hasDotSegment(text: string): boolean {
  return /(?:^|[/\\])\.{1,2}(?:[/\\;?#]|$)/.test(text)
}

/** Byte by byte, so that no broken UTF-8 hides what follows it. */
function decodeOnce(text: string): string {
  return text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

const queryText = /^[\x21-\x7e]*$/

function isQueryRefused(query: string, names: readonly string[]): boolean {
  if (!queryText.test(query) || query.includes('#')) return true
  if (names.length === 0) return false
  const taken = new Set(names.map(plainName))
  return query.split(/[&;]/).some((part) => taken.has(plainName(part.split('=', 1)[0] ?? '')))
}

/** A parameter's name as the most lenient server would read it: PHP takes `a.b[]` for `a_b`. */
function plainName(name: string): string {
  let text = name
  for (let depth = 0; depth <= maxNesting; depth += 1) text = decodeOnce(text)
  return (
    text.replaceAll('+', ' ').replaceAll('\0', '').trim().split('[', 1)[0]?.replaceAll(/[ .-]/g, '_').toLowerCase() ??
    ''
  )
}
