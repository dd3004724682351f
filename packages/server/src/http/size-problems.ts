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
    const limit = limitOf(schema, 'maxItems')
    if (value.length > limit) return [tooMany(loc, limit, 'list')]
    return value.flatMap((item, index) => sizeProblems([...loc, index], schema.items, item))
  }
  if (Type.IsRecord(schema)) {
    const limit = limitOf(schema, 'maxProperties')
    return Object.keys(value).length > limit ? [tooMany(loc, limit, 'dict')] : []
  }
  return Type.IsObject(schema) ? objectProblems(loc, schema, value) : []
}

function objectProblems(loc: FieldProblem['loc'], schema: TObject, value: object): FieldProblem[] {
  const isClosed = 'additionalProperties' in schema && schema.additionalProperties === false
  const extra = isClosed ? Object.keys(value).filter((name) => !Object.hasOwn(schema.properties, name)) : []
  if (extra.length > shownProblems) {
    return extra
      .slice(0, shownProblems)
      .map((name) => ({ loc: [...loc, name], msg: 'extra fields not permitted', type: 'value_error.extra' }))
  }
  return Object.entries(schema.properties).flatMap(([name, property]) =>
    sizeProblems([...loc, name], property, Reflect.get(value, name)),
  )
}

/** The schema's own type does not tell its options. */
function limitOf(schema: TSchema, name: 'maxItems' | 'maxProperties'): number {
  const limit: unknown = Reflect.get(schema, name)
  return typeof limit === 'number' ? limit : Infinity
}

function tooMany(loc: FieldProblem['loc'], limit: number, kind: 'list' | 'dict'): FieldProblem {
  return { loc, msg: `ensure this value has at most ${limit} items`, type: `value_error.${kind}.max_items` }
}
