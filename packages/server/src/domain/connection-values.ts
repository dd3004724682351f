import type { ProviderDefinition } from '../core/provider-definition.ts'
import { isAllowedValue } from '../oauth/endpoints.ts'
import { openVariables } from '../providers/connection-variables.ts'
import { InvalidFields, type FieldProblem } from './invalid-fields.ts'
import { understandValue } from './understand-value.ts'

/** Values of URL variables, by name. */
export type UrlValues = Readonly<Record<string, string>>

type Variable = NonNullable<ProviderDefinition['url_variables']>[string]

/** As much of a provider app as these questions need. */
interface AppVariables {
  readonly definition: ProviderDefinition
  /** What an administrator fixed. */
  readonly variables: UrlValues
}

/**
 * The values a connection is made with: those given now, else those of the connector that is connected again.
 *
 * `given` is undefined where the caller had no way to name any; what is missing then is `forConnection`'s to tell. Throws 422 for
 * what is unknown, does not fit or is missing, all at once.
 */
export function connectionValues(
  { definition, variables: fixed }: AppVariables,
  given: UrlValues | undefined,
  known: UrlValues,
): UrlValues {
  const open = openVariables(definition, fixed)
  const problems: FieldProblem[] = []
  const values: Record<string, string> = {}
  for (const name of open) {
    const value = ownValue(known, name)
    if (value !== undefined && isAllowedValue(definition, name, value)) values[name] = value
  }
  for (const [name, text] of Object.entries(given ?? {})) {
    const variable = ownValue(definition.url_variables ?? {}, name)
    const loc = ['body', 'url_variables', name]
    if (variable?.per !== 'connection') {
      problems.push({ loc, msg: 'extra fields not permitted', type: 'value_error.extra' })
      continue
    }
    const value = understandValue(definition, name, text)
    if (!open.includes(name)) {
      if (value !== fixed[name]) problems.push({ loc, ...unexpected(fixed[name] ?? '') })
    } else if (value === undefined) {
      problems.push({ loc, ...misfit(variable) })
    } else values[name] = value
  }
  for (const name of open) {
    const variable = ownValue(definition.url_variables ?? {}, name)
    const hasValue = ownValue(values, name) !== undefined || ownValue(given ?? {}, name) !== undefined
    if (given === undefined || variable === undefined || variable.default !== undefined || hasValue) continue
    const msg = `field required; ${explain(variable)}`
    problems.push({ loc: ['body', 'url_variables', name], msg, type: 'value_error.missing' })
  }
  if (problems.length > 0) throw new InvalidFields(problems)
  return withoutDefaults(definition, values)
}

/** Whether a connection made with these values goes to another host than the connector it would replace. */
export function areOtherValues(
  { definition, variables: fixed }: AppVariables,
  known: UrlValues,
  values: UrlValues,
): boolean {
  return openVariables(definition, fixed).some((name) => {
    const fallback = ownValue(definition.url_variables ?? {}, name)?.default
    return (ownValue(known, name) ?? fallback) !== (ownValue(values, name) ?? fallback)
  })
}

/** The values a connector, a transaction or a revocation keeps: written from text under each name by this service alone. */
export function keptValues(row: { readonly url_variables: unknown }): UrlValues {
  return row.url_variables as UrlValues
}

/** For the record and the platform: where the account is, if anybody had to say so. */
export function toldValues(values: UrlValues): { readonly url_variables?: UrlValues } {
  return Object.keys(values).length === 0 ? {} : { url_variables: values }
}

/** The default is as good as no value, and so the same context. */
function withoutDefaults(definition: ProviderDefinition, values: UrlValues): UrlValues {
  const variables = definition.url_variables ?? {}
  return Object.fromEntries(
    Object.entries(values).filter(([name, value]) => ownValue(variables, name)?.default !== value),
  )
}

function unexpected(value: string): Pick<FieldProblem, 'msg' | 'type'> {
  return { msg: `unexpected value; permitted: '${value}'`, type: 'value_error.const' }
}

/** What is wrong with a value that does not fit, and what would. */
export function misfit(variable: Variable): Pick<FieldProblem, 'msg' | 'type'> {
  if (variable.allowed !== undefined) {
    const shown = variable.allowed.map((value) => `'${value}'`).join(', ')
    return { msg: `value is not a valid enumeration member; permitted: ${shown}`, type: 'type_error.enum' }
  }
  return {
    msg: `string does not match regex "${variable.pattern}"; ${explain(variable)}`,
    type: 'value_error.str.regex',
  }
}

function explain({ title, description, example }: Variable): string {
  const name = title === undefined ? '' : `${title}: `
  return `${name}${description}${example === undefined ? '' : `, for example ${example}`}`
}

function ownValue<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}
