import { Type, type Static, type TObject, type TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { Problem } from '../core/problem.ts'
import { InvalidFields, type FieldProblem } from '../domain/invalid-fields.ts'
import { fieldProblems, type Part } from './field-problems.ts'
import { urlFault } from './formats.ts'
import { shownProblems, sizeProblems } from './size-problems.ts'
import { unstorableText } from './unstorable.ts'

/** The schemas of a request's parts. */
export interface RequestSchemas<P extends TSchema, Q extends TSchema, B extends TSchema, H extends TSchema> {
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  readonly headers?: H
  /** A body that may be left out counts as `{}`. */
  readonly bodyIsOptional?: true
}

export interface Parts<P extends TSchema, Q extends TSchema, B extends TSchema, H extends TSchema> {
  readonly params: Static<P>
  readonly query: Static<Q>
  readonly body: Static<B>
  readonly headers: Static<H>
}

/** A request as the HTTP layer hands it over. */
export interface RawParts {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
  readonly headers: unknown
  readonly urlLength: number
}

const maxUrlLength = 8192

/**
 * Judges all parts of a request at once, so that a caller learns of every problem in one answer, up to a hundred.
 *
 * The answered function throws `InvalidFields` (422), or 414 for a URL over 8 KiB in which no single parameter is to blame.
 */
export function requestValidator<P extends TSchema, Q extends TSchema, B extends TSchema, H extends TSchema>(
  schemas: RequestSchemas<P, Q, B, H>,
): (raw: RawParts) => Parts<P, Q, B, H> {
  const params = compiled(schemas.params)
  const query = compiled(schemas.query)
  const body = compiled(schemas.body)
  const headers = compiled(schemas.headers)
  const integers = integerNames(schemas.query)
  return (raw) => {
    const given = coerceIntegers(raw.query, integers)
    const content = raw.body ?? (schemas.bodyIsOptional ? {} : undefined)
    const problems = [
      ...judge('path', params(), raw.params),
      ...judge('query', query(), given),
      ...judge('header', headers(), raw.headers),
      ...(schemas.body !== undefined && content === undefined ? [missingBody] : judge('body', body(), content)),
    ]
    if (problems.length > 0) throw new InvalidFields(problems.slice(0, shownProblems))
    if (raw.urlLength > maxUrlLength) throw new Problem('uri_too_long')
    // Judged above: the parts have the shape of their schemas.
    return { params: raw.params, query: given, body: content, headers: raw.headers } as Parts<P, Q, B, H>
  }
}

const missingBody: FieldProblem = { loc: ['body'], msg: 'field required', type: 'value_error.missing' }

/** Compiled at the first request: the start would take twice as long for routes of which many are never called. */
function compiled(schema: TSchema | undefined): () => Validator | undefined {
  let validator: Validator | undefined
  return () => (validator ??= schema && Compile(schema))
}

function judge(part: Part, validator: Validator | undefined, value: unknown): FieldProblem[] {
  if (validator === undefined) return []
  if (validator.Check(value)) return unstorableText(part, value)
  const oversized = sizeProblems([part], validator.Type(), value)
  if (oversized.length > 0) return oversized
  const errors = validator.Errors(value).map((error) =>
    error.keyword === 'format' && error.params.format === 'http-url'
      ? // One format, three ways to be wrong.
        { ...error, params: { format: urlFault(valueAt(value, error.instancePath)) ?? 'url-extra' } }
      : error,
  )
  const problems = fieldProblems(part, errors)
  // The check above has said no: without a problem to name, the request would pass.
  return problems.length > 0 ? problems : [{ loc: [part], msg: 'value is not valid', type: 'value_error' }]
}

function valueAt(value: unknown, pointer: string): string {
  const found = pointer
    .split('/')
    .slice(1)
    .reduce<unknown>((at, name) => (typeof at === 'object' && at !== null ? Reflect.get(at, name) : undefined), value)
  return typeof found === 'string' ? found : ''
}

/** Query values are text; only what the schema calls an integer is read as one, and bodies are never coerced. */
function coerceIntegers(query: unknown, names: readonly string[]): unknown {
  if (names.length === 0 || typeof query !== 'object' || query === null) return query
  const read = (name: string, value: unknown) =>
    names.includes(name) && typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, read(name, value)]))
}

function integerNames(schema: TSchema | undefined): readonly string[] {
  if (!isObject(schema)) return []
  return Object.entries(schema.properties).flatMap(([name, property]) => (Type.IsInteger(property) ? name : []))
}

function isObject(schema: TSchema | undefined): schema is TObject {
  return schema !== undefined && Type.IsObject(schema)
}
