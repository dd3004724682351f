import type { ProviderDefinition } from '../../src/core/provider-definition.ts'
import type { HostileAnswer, SeenRequest } from './hostile-provider.ts'

/** What a stand-in expects and gives; the same for every provider. */
export const standIn = {
  clientId: 'client-1',
  clientSecret: 's3cret/+=',
  code: 'code-1',
  redirectUri: 'https://connect.example/v1/connectors/oauth/x/callback',
  verifier: 'v'.repeat(43),
  accessToken: 'at-1',
  refreshToken: 'rt-1',
  secondAccessToken: 'at-2',
  secondRefreshToken: 'rt-2',
  lifetimeSeconds: 3600,
} as const

export type Call = 'code' | 'refresh' | 'long-lived'

/**
 * A token endpoint that behaves as a definition says the provider does: it takes the request only in the described
 * form and answers in the described shape. Whatever else it is sent goes to `violations`.
 */
export function tokenEndpoint(
  definition: ProviderDefinition,
  call: Call,
  now: Date,
  violations: string[],
): HostileAnswer {
  return (response, request) => {
    const faults = faultsOf(definition, call, request)
    violations.push(...faults.map((fault) => `${definition.slug} ${call}: ${fault}`))
    const document = faults.length === 0 ? replyDocument(definition, call, now) : { error: 'invalid_request' }
    response.statusCode = faults.length === 0 ? 200 : 400
    if (definition.token_reply_format === 'form' && faults.length === 0) {
      response.setHeader('content-type', 'application/x-www-form-urlencoded')
      const fields = Object.entries(document).map(([name, value]): [string, string] => [name, String(value)])
      response.end(new URLSearchParams(fields).toString())
    } else {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(document))
    }
  }
}

function faultsOf(definition: ProviderDefinition, call: Call, request: SeenRequest): string[] {
  const format = formatOf(definition, call)
  const faults: string[] = []
  const parameters = parametersOf(format, request)
  const expect = (name: string, value: string | undefined) => {
    if (parameters[name] !== value) faults.push(`${name} is ${parameters[name] ?? 'absent'}`)
  }
  if (request.method !== (format === 'query' ? 'GET' : 'POST')) faults.push(`method ${request.method}`)
  for (const [name, value] of Object.entries(expectedParameters(definition, call))) expect(name, value)
  faults.push(...authenticationFaults(definition, call, request, parameters))
  return faults
}

function formatOf(definition: ProviderDefinition, call: Call): 'form' | 'json' | 'query' {
  if (call === 'long-lived') return definition.long_lived_exchange?.format ?? 'form'
  const forRefresh = call === 'refresh' ? definition.refresh_request_format : undefined
  return forRefresh ?? definition.token_request_format ?? 'form'
}

function parametersOf(format: 'form' | 'json' | 'query', request: SeenRequest): Record<string, string> {
  if (format === 'query') return Object.fromEntries(request.query)
  // A test's own stand-in: whatever does not parse fails the test.
  if (format === 'json') return JSON.parse(request.body) as Record<string, string>
  return Object.fromEntries(new URLSearchParams(request.body))
}

function expectedParameters(definition: ProviderDefinition, call: Call): Record<string, string | undefined> {
  if (call === 'long-lived') {
    const rule = definition.long_lived_exchange
    return { grant_type: rule?.grant_type, [rule?.token_parameter ?? '']: standIn.accessToken }
  }
  if (call === 'refresh') {
    return {
      ...(definition.extra_refresh_params ?? definition.extra_token_params),
      ...(definition.refresh_grant_type !== null && { grant_type: definition.refresh_grant_type ?? 'refresh_token' }),
      [definition.refresh_token_parameter ?? 'refresh_token']: standIn.refreshToken,
    }
  }
  const redirectName = definition.redirect_uri_parameter ?? 'redirect_uri'
  return {
    ...definition.extra_token_params,
    ...(definition.code_grant_type !== null && { grant_type: definition.code_grant_type ?? 'authorization_code' }),
    [definition.code_request_parameter ?? 'code']: standIn.code,
    [redirectName]: definition.redirect_uri_omitted === true ? undefined : standIn.redirectUri,
    code_verifier: definition.pkce === 'none' ? undefined : standIn.verifier,
  }
}

function authenticationFaults(
  definition: ProviderDefinition,
  call: Call,
  request: SeenRequest,
  parameters: Readonly<Record<string, string>>,
): string[] {
  const method = (call === 'refresh' ? definition.refresh_client_auth : undefined) ?? definition.client_auth
  const id = parameters[definition.client_id_parameter ?? 'client_id']
  const secret = parameters[definition.client_secret_parameter ?? 'client_secret']
  const header = request.headers['authorization']
  switch (method ?? 'client_secret_post') {
    case 'client_secret_post':
      return id === standIn.clientId && secret === standIn.clientSecret && header === undefined ? [] : ['not by post']
    case 'none':
      return id === standIn.clientId && secret === undefined && header === undefined ? [] : ['not as a public client']
    case 'client_secret_basic': {
      const isRight = header === `Basic ${Buffer.from(expectedBasic(definition)).toString('base64')}`
      return isRight && secret === undefined ? [] : ['not by Basic']
    }
  }
}

function expectedBasic(definition: ProviderDefinition): string {
  switch (definition.basic_encoding ?? 'form') {
    case 'form':
      return `client-1:s3cret%2F%2B%3D`
    case 'raw':
      return `${standIn.clientId}:${standIn.clientSecret}`
    case 'secret_as_user':
      return `${standIn.clientSecret}:`
  }
}

function replyDocument(definition: ProviderDefinition, call: Call, now: Date): Record<string, unknown> {
  const document: Record<string, unknown> = {}
  const paths = definition.token_response_paths ?? {}
  const isSecond = call !== 'code'
  for (const [name, path] of Object.entries(paths)) put(document, path, keptValue(definition, name))
  put(document, paths['refresh_token'] ?? 'refresh_token', isSecond ? standIn.secondRefreshToken : standIn.refreshToken)
  // Last of the two: where the access token itself is extended, both stand in one place.
  put(document, paths['access_token'] ?? 'access_token', isSecond ? standIn.secondAccessToken : standIn.accessToken)
  put(document, paths['token_type'] ?? 'token_type', definition.token_types?.[0] ?? 'bearer')
  const { expires_at: absolute, token_reply_error: rule } = definition
  if (absolute === undefined) put(document, paths['expires_in'] ?? 'expires_in', standIn.lifetimeSeconds)
  else put(document, absolute.path, absoluteTime(absolute.unit, now))
  if (rule !== undefined && !rule.absent_is_success) put(document, rule.path, rule.success_values[0])
  return document
}

function keptValue(definition: ProviderDefinition, name: string): string {
  const variable = definition.url_variables?.[name]
  return variable?.default ?? variable?.example ?? variable?.allowed?.[0] ?? `kept-${name}`
}

function absoluteTime(unit: 'rfc3339' | 'epoch_seconds' | 'epoch_milliseconds', now: Date): string | number {
  const atMs = now.getTime() + standIn.lifetimeSeconds * 1000
  if (unit === 'rfc3339') return new Date(atMs).toISOString()
  return unit === 'epoch_seconds' ? atMs / 1000 : atMs
}

/** Sets the value at a dotted path, making what is missing; a number names an array element. */
export function put(document: Record<string, unknown>, path: string, value: unknown): void {
  const [name = '', ...rest] = path.split('.')
  if (rest.length === 0) {
    document[name] = value
    return
  }
  const inner = document[name] ?? (/^\d+$/.test(rest[0] ?? '') ? [] : {})
  document[name] = inner
  // Made here, as an object or an array.
  put(inner as Record<string, unknown>, rest.join('.'), value)
}
