import type { ProviderDefinition } from '../core/provider-definition.ts'
import { checkRenames } from './check-renames.ts'
import type { DefinitionProblem } from './definition-problem.ts'
import { reservedHeaders, reservedParameters } from './reserved-names.ts'
import { placeholdersIn } from './url-values.ts'

/** No extra parameter, renamed parameter or header may stand in for one that the protocol sets. */
export function checkParameters(definition: ProviderDefinition): DefinitionProblem[] {
  return [
    ...checkExtras(definition),
    ...checkResponseMode(definition),
    ...checkClashes(definition),
    ...checkRenames(definition),
    ...checkHeaders(definition),
  ]
}

const extraFields = ['extra_authorize_params', 'extra_token_params', 'extra_refresh_params'] as const

function checkExtras(definition: ProviderDefinition): DefinitionProblem[] {
  const variables = new Set(Object.keys(definition.url_variables ?? {}))
  return extraFields.flatMap((field) =>
    Object.entries(definition[field] ?? {}).flatMap(([name, value]) => {
      const path = [field, name]
      const problems: DefinitionProblem[] = []
      if (reservedParameters.has(name.toLowerCase())) {
        problems.push({ rule: 'reserved-parameter', path, message: `"${name}" is set by this service; leave it out.` })
      }
      if (placeholdersIn(value).some((placeholder) => !variables.has(placeholder))) {
        problems.push({ rule: 'placeholder', path, message: 'A value in braces needs an entry in url_variables.' })
      }
      return problems
    }),
  )
}

/** A fragment never reaches the callback, and a web message goes to whoever listens. */
function checkResponseMode(definition: ProviderDefinition): DefinitionProblem[] {
  const mode = definition.extra_authorize_params?.response_mode
  if (mode === undefined || mode === 'query' || mode === 'form_post') return []
  const path = ['extra_authorize_params', 'response_mode']
  return [{ rule: 'reserved-parameter', path, message: 'Only query and form_post reach the callback.' }]
}

function checkClashes(definition: ProviderDefinition): DefinitionProblem[] {
  return Object.entries(requestParameters(definition)).flatMap(([request, names]) => {
    const twice = names.filter((name, index) => names.indexOf(name) !== index)
    return twice.map((name) => ({
      rule: 'parameter-clash' as const,
      path: [],
      message: `"${name}" would stand for two things in the ${request} request; rename one.`,
    }))
  })
}

/** The names that each request would carry, with every renaming applied. */
function requestParameters(definition: ProviderDefinition): Record<string, string[]> {
  const callback = Object.values(definition.callback_params ?? {})
  const clientId = definition.client_id_parameter ?? 'client_id'
  const secret = definition.client_secret_parameter ?? 'client_secret'
  const redirectUri = definition.redirect_uri_parameter ?? 'redirect_uri'
  const given = (names: readonly (string | undefined)[]): string[] => names.filter((name) => name !== undefined)
  return {
    authorization: [
      'response_type',
      'state',
      'code_challenge',
      'code_challenge_method',
      'nonce',
      clientId,
      redirectUri,
      ...given([definition.scope_parameter ?? 'scope', definition.second_scope?.parameter]),
      ...Object.keys(definition.extra_authorize_params ?? {}),
    ],
    token: [
      'grant_type',
      'code_verifier',
      clientId,
      secret,
      redirectUri,
      definition.code_request_parameter ?? 'code',
      ...given(callback.map((rule) => rule.token_parameter)),
      ...Object.keys(definition.extra_token_params ?? {}),
    ],
    refresh: [
      'grant_type',
      clientId,
      secret,
      definition.refresh_token_parameter ?? 'refresh_token',
      ...given(callback.map((rule) => rule.refresh_parameter)),
      ...Object.keys(definition.extra_refresh_params ?? definition.extra_token_params ?? {}),
    ],
  }
}

function checkHeaders(definition: ProviderDefinition): DefinitionProblem[] {
  const problems = (['api_headers', 'token_request_headers'] as const).flatMap((field) =>
    Object.entries(definition[field] ?? {}).flatMap(([name, value]) => {
      const path = [field, name]
      const found: DefinitionProblem[] = []
      if (isReservedHeader(name))
        found.push({ rule: 'reserved-header', path, message: 'This header is not for definitions to set.' })
      if (placeholdersIn(value).some((placeholder) => placeholder !== 'client_id')) {
        found.push({ rule: 'placeholder', path, message: 'Only {client_id} may stand in a header.' })
      }
      return found
    }),
  )
  const token = definition.api_token
  if (token?.in === 'header' && token.name.toLowerCase() !== 'authorization' && isReservedHeader(token.name)) {
    problems.push({
      rule: 'reserved-header',
      path: ['api_token', 'name'],
      message: 'The token cannot travel in this header.',
    })
  }
  return problems
}

const isReservedHeader = (name: string): boolean =>
  reservedHeaders.has(name.toLowerCase()) || /^(?:proxy|sec)-/i.test(name)
