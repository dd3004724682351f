import { Value } from 'typebox/value'
import { ProviderDefinition } from '../core/provider-definition.ts'
import { checkConnection } from './check-connection.ts'
import { checkConsistency } from './check-consistency.ts'
import { checkCustom } from './check-custom.ts'
import { checkParameters } from './check-parameters.ts'
import { checkPatterns } from './check-patterns.ts'
import { checkUrls } from './check-urls.ts'
import type { DefinitionProblem } from './definition-problem.ts'

export interface CheckOptions {
  /** Set for definitions that a tenant brings: they may use less than the reviewed catalogue. */
  readonly custom?: boolean
  /** `host:port` entries that may be spoken to over plain http. */
  readonly allowHttpHosts?: readonly string[]
}

/**
 * Everything that is wrong with a definition; an empty array when it may be used.
 *
 * Takes any JSON value. The rules beyond the schema run only on what passes it, since they rely on its types.
 */
export function checkDefinition(definition: unknown, options: CheckOptions = {}): DefinitionProblem[] {
  const misfits = checkSchema(definition)
  if (misfits.length > 0 || !Value.Check(ProviderDefinition, definition)) return misfits
  return [
    ...checkUrls(definition, options.allowHttpHosts ?? []),
    ...checkPatterns(definition),
    ...checkParameters(definition),
    ...checkConsistency(definition),
    ...checkConnection(definition),
    ...(options.custom === true ? checkCustom(definition) : []),
  ]
}

function checkSchema(definition: unknown): DefinitionProblem[] {
  return Value.Errors(ProviderDefinition, definition)
    .filter((error) => error.keyword !== 'boolean')
    .map((error) => ({
      rule: 'schema',
      path: error.instancePath.split('/').slice(1),
      message: `${error.message}${extraFields(error.params)}.`,
    }))
}

const extraFields = (params: object): string =>
  'additionalProperties' in params ? `: ${String(params.additionalProperties)}` : ''
