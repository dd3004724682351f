import type { ProviderDefinition } from '../core/provider-definition.ts'
import { openVariables } from './connection-variables.ts'
import type { DefinitionProblem } from './definition-problem.ts'

/**
 * What only the reviewed catalogue may say. A tenant's own definition must not weaken the flow, let a callback choose
 * where the code is redeemed, or pass itself off as reviewed.
 */
export function checkCustom(definition: ProviderDefinition): DefinitionProblem[] {
  return reviewedOnly
    .filter(([, used]) => used(definition))
    .map(([path, , message]) => ({ rule: 'custom-only', path: [path], message }))
}

const reviewedOnly: readonly (readonly [
  path: string,
  used: (definition: ProviderDefinition) => boolean,
  message: string,
])[] = [
  [
    'pkce',
    (d) => d.pkce === 'none',
    'PKCE cannot be switched off here (RFC 9700 §2.1.1); servers without it ignore the parameters.',
  ],
  [
    'token_request_format',
    (d) => d.token_request_format === 'query',
    'Secrets must not travel in addresses; use form or json.',
  ],
  [
    'refresh_request_format',
    (d) => d.refresh_request_format === 'query',
    'Secrets must not travel in addresses; use form or json.',
  ],
  [
    'long_lived_exchange',
    (d) => d.long_lived_exchange !== undefined,
    'A second exchange is for reviewed providers only.',
  ],
  ['response_type_omitted', (d) => d.response_type_omitted === true, 'The request must say response_type=code.'],
  [
    'callback_params',
    (d) => Object.values(d.callback_params ?? {}).some((rule) => rule.url_variable !== undefined),
    'A callback must not choose where the code is redeemed.',
  ],
  [
    'url_variables',
    (d) => openVariables(d, {}).length > 0,
    'Who runs the hosts that a pattern admits must have been reviewed; leave out "per" and set the value with the app.',
  ],
  ['nonce', (d) => d.nonce === false, 'A nonce is part of every OpenID Connect request here (OIDC Core §3.1.3.7).'],
  ['issuer_pattern', (d) => d.issuer_pattern !== undefined, 'The issuer is compared as an exact string.'],
  ['api_token', (d) => d.api_token?.in === 'query', 'The token must not travel in addresses; use a header.'],
  ['checked_on', (d) => d.checked_on !== undefined, 'Only reviewed entries carry a date of review.'],
  ['variant_of', (d) => d.variant_of !== undefined, 'Only catalogue entries are variants of each other.'],
]
