import type { TLocalizedValidationError } from 'typebox/error'
import type { FieldProblem } from '../domain/invalid-fields.ts'

/** Where a value came from; the first element of every `loc`. */
export type Part = 'path' | 'query' | 'header' | 'body'

/** Puts the validator's findings into the words of pydantic 1, which callers of the service know. */
export function fieldProblems(part: Part, errors: readonly TLocalizedValidationError[]): FieldProblem[] {
  const seen = new Set<string>()
  return errors
    .flatMap((error) => toProblems(part, error))
    .filter((problem) => {
      // A union reports each of its branches; the first says enough.
      const key = JSON.stringify(problem.loc)
      return !seen.has(key) && seen.add(key)
    })
}

function toProblems(part: Part, error: TLocalizedValidationError): FieldProblem[] {
  const loc = [part, ...pathOf(error.instancePath)]
  const one = (msg: string, type: string): FieldProblem[] => [{ loc, msg, type }]
  switch (error.keyword) {
    case 'required':
      return error.params.requiredProperties.map((name) => ({
        loc: [...loc, name],
        msg: 'field required',
        type: 'value_error.missing',
      }))
    case 'additionalProperties':
      return error.params.additionalProperties.map((name) => ({
        loc: [...loc, name],
        msg: 'extra fields not permitted',
        type: 'value_error.extra',
      }))
    case 'boolean':
      // Comes along with `additionalProperties`, which names the field.
      return []
    case 'type':
      return [{ loc, ...wrongType(String(error.params.type)) }]
    case 'format':
      return [{ loc, ...wrongFormat(error.params.format) }]
    case 'pattern':
      return one(`string does not match regex "${String(error.params.pattern)}"`, 'value_error.str.regex')
    case 'maxLength':
      return one(`ensure this value has at most ${error.params.limit} characters`, 'value_error.any_str.max_length')
    case 'minLength':
      return one(`ensure this value has at least ${error.params.limit} characters`, 'value_error.any_str.min_length')
    case 'maximum':
      return one(`ensure this value is less than or equal to ${error.params.limit}`, 'value_error.number.not_le')
    case 'minimum':
      return one(`ensure this value is greater than or equal to ${error.params.limit}`, 'value_error.number.not_ge')
    case 'maxItems':
      return one(`ensure this value has at most ${error.params.limit} items`, 'value_error.list.max_items')
    case 'minItems':
      return one(`ensure this value has at least ${error.params.limit} items`, 'value_error.list.min_items')
    case 'maxProperties':
      return one(`ensure this value has at most ${error.params.limit} items`, 'value_error.dict.max_items')
    case '~refine':
      return one(error.params.message, 'value_error')
    case 'enum':
      return one(permitted(error.params.allowedValues), 'type_error.enum')
    case 'const':
      return one(permitted([error.params.allowedValue]), 'type_error.enum')
    default:
      return one('value is not valid', 'value_error')
  }
}

function permitted(values: readonly unknown[]): string {
  const shown = values.map((value) => (typeof value === 'string' ? `'${value}'` : String(value))).join(', ')
  return `value is not a valid enumeration member; permitted: ${shown}`
}

function wrongType(type: string): Pick<FieldProblem, 'msg' | 'type'> {
  switch (type) {
    case 'integer':
      return { msg: 'value is not a valid integer', type: 'type_error.integer' }
    case 'number':
      return { msg: 'value is not a valid float', type: 'type_error.float' }
    case 'boolean':
      return { msg: 'value could not be parsed to a boolean', type: 'type_error.bool' }
    case 'array':
      return { msg: 'value is not a valid list', type: 'type_error.list' }
    case 'object':
      return { msg: 'value is not a valid dict', type: 'type_error.dict' }
    default:
      return { msg: 'str type expected', type: 'type_error.str' }
  }
}

function wrongFormat(format: string): Pick<FieldProblem, 'msg' | 'type'> {
  switch (format) {
    case 'uuid':
      return { msg: 'value is not a valid uuid', type: 'type_error.uuid' }
    case 'date-time':
      return { msg: 'invalid datetime format', type: 'value_error.datetime' }
    case 'url-scheme':
      return { msg: 'invalid or missing URL scheme', type: 'value_error.url.scheme' }
    case 'url-host':
      return { msg: 'URL host invalid', type: 'value_error.url.host' }
    case 'url-extra':
      return { msg: 'URL invalid, extra characters found after valid URL', type: 'value_error.url.extra' }
    case 'origin':
      return { msg: 'value is not an origin such as https://app.example.com', type: 'value_error.url.extra' }
    default:
      return { msg: 'value is not valid', type: 'value_error' }
  }
}

function pathOf(pointer: string): (string | number)[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part))
}
