import { isStorable } from '../core/storable-text.ts'
import type { FieldProblem } from '../domain/invalid-fields.ts'
import type { Part } from './field-problems.ts'

interface Found {
  readonly value: unknown
  readonly name: string | number
  readonly parent: Found | undefined
}

const shownAtMost = 20

/**
 * Text that PostgreSQL stores in no column: with a NUL, or with half of a surrogate pair.
 *
 * Walks without recursion, since a body of a megabyte can be nested deeper than the stack.
 */
export function unstorableText(part: Part, whole: unknown): FieldProblem[] {
  const problems: FieldProblem[] = []
  const open: Found[] = [{ value: whole, name: part, parent: undefined }]
  for (let at = open.pop(); at !== undefined && problems.length < shownAtMost; at = open.pop()) {
    const { value } = at
    if (typeof value === 'string' && !isStorable(value)) problems.push(problemAt(at))
    if (typeof value !== 'object' || value === null) continue
    for (const [key, child] of Object.entries(value)) {
      if (isStorable(key)) open.push({ value: child, name: Array.isArray(value) ? Number(key) : key, parent: at })
      else problems.push(problemAt(at))
    }
  }
  return problems
}

function problemAt(found: Found): FieldProblem {
  const loc: (string | number)[] = []
  for (let at: Found | undefined = found; at !== undefined; at = at.parent) loc.unshift(at.name)
  return { loc, msg: 'text with NUL or broken characters is not permitted', type: 'value_error.str' }
}
