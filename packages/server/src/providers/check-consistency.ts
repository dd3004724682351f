import type { ProviderDefinition } from '../core/provider-definition.ts'
import type { DefinitionProblem } from './definition-problem.ts'
import { placeholdersIn, replyValueNames } from './url-values.ts'

type Rule = readonly [
  path: keyof ProviderDefinition,
  broken: (definition: ProviderDefinition) => boolean,
  message: string,
]

/** Fields that only make sense together, or that contradict each other. */
export function checkConsistency(definition: ProviderDefinition): DefinitionProblem[] {
  return rules
    .filter(([, broken]) => broken(definition))
    .map(([path, , message]) => ({ rule: 'consistency', path: [path], message }))
}

const rules: readonly Rule[] = [
  [
    'pkce',
    (d) => d.client_auth === 'none' && d.pkce === 'none',
    'Without a client secret PKCE is the only proof that the code is ours; use S256 (RFC 9700 §2.1.1).',
  ],
  [
    'default_scopes',
    (d) => d.scope_parameter === null && (d.default_scopes.length > 0 || d.second_scope !== undefined),
    'scope_parameter is null, so no scopes can be sent; leave default_scopes empty.',
  ],
  [
    'default_scopes',
    (d) => d.default_scopes.some((scope) => !isScopeToken(scope) || scope.includes(d.scope_separator ?? ' ')),
    'A scope holds a space, a quote or the separator (RFC 6749 §3.3).',
  ],
  [
    'scopes',
    (d) => new Set(d.scopes?.map((scope) => scope.name)).size !== (d.scopes?.length ?? 0),
    'A scope is described twice.',
  ],
  [
    'refreshable',
    (d) => d.refreshable === false && refreshFields.some((field) => d[field] !== undefined),
    'It says that nothing can be refreshed, yet describes how.',
  ],
  [
    'revocation',
    (d) => d.revocation !== undefined && d.revocation_url === undefined,
    'A revocation style needs a revocation_url.',
  ],
  [
    'account',
    (d) => d.account?.from === 'userinfo' && d.userinfo_url === undefined,
    'An account from userinfo needs a userinfo_url.',
  ],
  [
    'account',
    (d) => d.account?.from === 'id_token' && d.issuer === undefined,
    'An account from the ID token needs an issuer to check the token against.',
  ],
  [
    'account',
    (d) => d.account?.from === 'callback' && d.callback_params?.[d.account.id] === undefined,
    'An account from the callback needs an entry in callback_params.',
  ],
  [
    'url_variables',
    (d) => replyValueNames(d).some((name) => d.url_variables?.[name] !== undefined && isUsedInFlow(d, name)),
    'A value from a reply must not take the place of a URL variable in the addresses of the flow, only in api_base_url.',
  ],
  [
    'callback_params',
    (d) => Object.values(d.callback_params ?? {}).some((rule) => namesNoVariable(d, rule.equals_url_variable)),
    'equals_url_variable must name an entry of url_variables.',
  ],
  [
    'userinfo_response_paths',
    (d) => d.userinfo_response_paths !== undefined && d.userinfo_url === undefined,
    'Values from userinfo need a userinfo_url.',
  ],
  [
    'api_base_url_pattern',
    (d) => d.api_base_url_pattern !== undefined && !d.api_base_url?.includes('{'),
    'The pattern is for an api_base_url that a reply fills in.',
  ],
  [
    'issuer_pattern',
    (d) => d.issuer_pattern !== undefined && d.issuer === undefined,
    'A pattern for issuers needs an issuer.',
  ],
  [
    'authorization_response_iss_parameter_supported',
    (d) => d.authorization_response_iss_parameter_supported === true && d.issuer === undefined,
    'iss can only be compared with an issuer (RFC 9207 §2.4).',
  ],
]

const refreshFields = [
  'refresh_url',
  'refresh_rotates',
  'refresh_grant_type',
  'refresh_client_auth',
  'refresh_request_format',
  'refresh_token_parameter',
  'refresh_reuse_grace_seconds',
  'refresh_token_idle_days',
  'extra_refresh_params',
] as const

const isUsedInFlow = (d: ProviderDefinition, name: string): boolean =>
  [d.authorization_url, d.token_url, d.refresh_url, d.userinfo_url, d.revocation_url, d.issuer, d.jwks_uri].some(
    (url) => url !== undefined && placeholdersIn(url).includes(name),
  )

const namesNoVariable = (definition: ProviderDefinition, name: string | undefined): boolean =>
  name !== undefined && definition.url_variables?.[name] === undefined

const isScopeToken = (scope: string): boolean => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope)
