import { isStorable } from '../core/storable-text.ts'

/**
 * The value at a dotted path of a parsed JSON document; a number picks an array element.
 *
 * Only own properties count, so that no path reaches a prototype.
 */
export function valueAt(document: unknown, path: string): unknown {
  let value = document
  for (const step of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = Reflect.get(value, step)
  }
  return value
}

/**
 * Text of a string, number or boolean value; `undefined` for anything else, for the empty string, beyond `maxLength`
 * and for what the database cannot store.
 */
export function textAt(document: unknown, path: string, maxLength: number): string | undefined {
  const value = valueAt(document, path)
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined
  const text = String(value)
  return text === '' || text.length > maxLength || !isStorable(text) ? undefined : text
}

/** A parsed top-level JSON object; `undefined` for everything else. */
export function jsonObject(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const document: unknown = JSON.parse(body.toString('utf8'))
    if (typeof document !== 'object' || document === null || Array.isArray(document)) return undefined
    return { ...document }
  } catch {
    // The parser's error quotes the body, so it goes no further.
    return undefined
  }
}
