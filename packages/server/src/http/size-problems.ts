import { Type, type TObject, type TSchema } from 'typebox'
import type { FieldProblem } from '../domain/invalid-fields.ts'

/** As many problems as one answer lists; a caller with more has sent something else than the contract. */
export const shownProblems = 100

/**
 * Lists and objects over their limits, found by counting alone.
 *
 * To be asked before the single parts are judged: thousands of broken items would keep the event loop from everybody else.
 */
export function sizeProblems(loc: FieldProblem['loc'], schema: TSchema, value: unknown): FieldProblem[] {
  if (Type.IsUnion(schema)) return schema.anyOf.flatMap((branch) => sizeProblems(loc, branch, value))
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) {
    if (!Type.IsArray(schema)) return []
    if (value.length > (schema.maxItems ?? Infinity)) return [tooMany(loc, Number(schema.maxItems), 'list')]
    return value.flatMap((item, index) => sizeProblems([...loc, index], schema.items, item))
  }
  if (Type.IsRecord(schema)) {
    const limit = 'maxProperties' in schema ? Number(schema.maxProperties) : Infinity
    return Object.keys(value).length > limit ? [tooMany(loc, limit, 'dict')] : []
  }
  return Type.IsObject(schema) ? objectProblems(loc, schema, value) : []
}

function objectProblems(loc: FieldProblem['loc'], schema: TObject, value: object): FieldProblem[] {
  const extra = schema.additionalProperties === false ? Object.keys(value).filter((name) => !(name in schema.properties)) : []
  if (extra.length > shownProblems) {
    return extra
      .slice(0, shownProblems)
      .map((name) => ({ loc: [...loc, name], msg: 'extra fields not permitted', type: 'value_error.extra' }))
  }
  return Object.entries(schema.properties).flatMap(([name, property]) =>
    sizeProblems([...loc, name], property, Reflect.get(value, name)),
  )
}

function tooMany(loc: FieldProblem['loc'], limit: number, kind: 'list' | 'dict'): FieldProblem {
  return { loc, msg: `ensure this value has at most ${limit} items`, type: `value_error.${kind}.max_items` }
}
