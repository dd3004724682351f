import type { ProviderDefinition } from '../core/provider-definition.ts'
import type { DefinitionProblem } from './definition-problem.ts'
import { reservedParameters } from './reserved-names.ts'

interface Rename {
  readonly path: readonly string[]
  readonly name: string
  /** Reserved names that this field may have all the same. */
  readonly own: readonly string[]
}

/** Not for extra parameters to avoid, but for a renamed one: it would fill them with values of its own. */
const alsoTaken = new Set(['error', 'login_hint', 'response_mode'])

/**
 * No parameter may be renamed to one that means something else: a `scope_parameter` of `redirect_uri` would let the
 * scopes of a request say where the code goes.
 */
export function checkRenames(definition: ProviderDefinition): DefinitionProblem[] {
  const renames = [...renamesOf(definition), ...nestedRenamesOf(definition)]
  return [
    ...renames
      .filter(({ name, own }) => isTaken(name) && !own.includes(name.toLowerCase()))
      .map(({ path, name }) => ({
        rule: 'reserved-parameter' as const,
        path,
        message: `"${name}" has a meaning of its own in the protocol.`,
      })),
    ...checkTwins(renamesOf(definition)),
  ]
}

const isTaken = (name: string): boolean =>
  reservedParameters.has(name.toLowerCase()) || alsoTaken.has(name.toLowerCase())

function renamesOf(definition: ProviderDefinition): Rename[] {
  return [
    ...rename(['client_id_parameter'], definition.client_id_parameter, ['client_id']),
    ...rename(['client_secret_parameter'], definition.client_secret_parameter, ['client_secret']),
    ...rename(['redirect_uri_parameter'], definition.redirect_uri_parameter, ['redirect_uri']),
    ...rename(['scope_parameter'], definition.scope_parameter ?? undefined, ['scope']),
    ...rename(['code_parameter'], definition.code_parameter, ['code']),
    ...rename(['code_request_parameter'], definition.code_request_parameter, ['code']),
    // Instagram and Threads extend the access token itself.
    ...rename(['refresh_token_parameter'], definition.refresh_token_parameter, ['refresh_token', 'access_token']),
  ]
}

function nestedRenamesOf(definition: ProviderDefinition): Rename[] {
  const { second_scope, long_lived_exchange, revocation } = definition
  const callback = Object.entries(definition.callback_params ?? {}).flatMap(([name, rule]) => [
    ...rename(['callback_params', name, 'token_parameter'], rule.token_parameter, []),
    ...rename(['callback_params', name, 'refresh_parameter'], rule.refresh_parameter, []),
  ])
  const tokens = ['token', 'access_token', 'refresh_token']
  return [
    ...callback,
    ...rename(['second_scope', 'parameter'], second_scope?.parameter, []),
    ...rename(['long_lived_exchange', 'token_parameter'], long_lived_exchange?.token_parameter, ['access_token']),
    ...rename(['revocation', 'token_parameter'], revocation?.token_parameter, tokens),
  ]
}

function rename(path: readonly string[], name: string | undefined, own: readonly string[]): Rename[] {
  return name === undefined ? [] : [{ path, name, own }]
}

/** The code may have one name of its own on the callback and in the token request; no others may be alike. */
function checkTwins(renames: readonly Rename[]): DefinitionProblem[] {
  return renames.flatMap(({ path, name }, index) => {
    const twin = renames.slice(0, index).find((other) => other.name.toLowerCase() === name.toLowerCase())
    if (twin === undefined || (twin.path[0] === 'code_parameter' && path[0] === 'code_request_parameter')) return []
    return [{ rule: 'parameter-clash' as const, path, message: `"${name}" is also the ${String(twin.path[0])}.` }]
  })
}
