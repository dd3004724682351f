import { createHmac, timingSafeEqual } from 'node:crypto'
import { Secret } from '../core/secret.ts'
import type { ProviderClient } from '../core/token.ts'
import { fillLater, isAllowedValue } from './endpoints.ts'
import { fitPattern, fitsPattern } from './pattern.ts'
import { isStorable } from '../core/storable-text.ts'
import { safeCode, safeDescription } from './provider-text.ts'

/** What an authorization response says. */
export type CallbackReading =
  | { readonly kind: 'code'; readonly code: Secret; readonly kept: Readonly<Record<string, string>> }
  /** The provider said no; both texts are escaped and cut. */
  | { readonly kind: 'refused'; readonly code: string; readonly description: string | undefined }
  | { readonly kind: 'invalid'; readonly reason: 'issuer' | 'signature' | 'callback_parameter' | 'no_code' }

// Providers that name their refusals otherwise: Deezer, Facebook, Huawei, Mixcloud.
const errorNames = ['error', 'error_reason', 'error_code', 'errorcode', 'err_code'] as const
const descriptionNames = ['error_description', 'error_message', 'sub_error', 'error_msg'] as const

/**
 * Reads an authorization response (RFC 6749 §4.1.2, RFC 9207) whose state was already found good.
 *
 * `parameters` are all of the callback's, decoded, `state` included: a signed callback covers every one. The
 * issuer is judged before anything else, so a response of another server can neither bring a code nor end the attempt.
 */
export function readCallback(client: ProviderClient, parameters: Readonly<Record<string, string>>): CallbackReading {
  const given = new Map(Object.entries(parameters))
  if (!isFromIssuer(client, given.get('iss'))) return { kind: 'invalid', reason: 'issuer' }

  const code = given.get(client.definition.code_parameter ?? 'code')
  const errorName = errorNames.find((name) => given.has(name))
  if (errorName === 'error' || (errorName !== undefined && code === undefined)) {
    const description = descriptionNames.map((name) => given.get(name)).find((text) => text !== undefined)
    return {
      kind: 'refused',
      code: safeCode(given.get(errorName), 'unknown_error'),
      description: safeDescription(description),
    }
  }

  if (client.definition.callback_signature !== undefined && !isSigned(client.clientSecret, given)) {
    return { kind: 'invalid', reason: 'signature' }
  }
  if (code === undefined || !/^[\x20-\x7e]{1,4096}$/.test(code)) return { kind: 'invalid', reason: 'no_code' }
  const kept = keptParameters(client, given)
  if (kept === undefined) return { kind: 'invalid', reason: 'callback_parameter' }
  return { kind: 'code', code: new Secret(code), kept }
}

/** Simple string comparison (RFC 9207 §2.4). Without a known issuer there is nothing to compare with. */
function isFromIssuer(client: ProviderClient, iss: string | undefined): boolean {
  const isPromised = client.definition.authorization_response_iss_parameter_supported === true
  if (iss === undefined) return !isPromised
  const { issuer_pattern } = client.definition
  if (issuer_pattern !== undefined) return fitsPattern(issuer_pattern, iss)
  return client.endpoints.issuer === undefined ? !isPromised : iss === client.endpoints.issuer
}

/** Shopify signs `name=value` pairs, decoded and sorted by name, without `hmac` itself. */
function isSigned(secret: Secret | undefined, given: ReadonlyMap<string, string>): boolean {
  const signature = given.get('hmac')
  if (secret === undefined || signature === undefined || !/^[0-9a-f]{64}$/.test(signature)) return false
  const message = [...given]
    .filter(([name]) => name !== 'hmac')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
  const expected = createHmac('sha256', secret.reveal()).update(message).digest()
  return timingSafeEqual(expected, Buffer.from(signature, 'hex'))
}

/** The values to keep, by the names the definition gives them; `undefined` when one does not fit or the token URL lacks one. */
function keptParameters(
  client: ProviderClient,
  given: ReadonlyMap<string, string>,
): Readonly<Record<string, string>> | undefined {
  const kept: Record<string, string> = {}
  for (const [name, rule] of Object.entries(client.definition.callback_params ?? {})) {
    const text = given.get(name)
    if (text === undefined) continue
    const value = fitPattern(rule.pattern, text)
    // Not left out: a value that is to be compared with the one asked for must not be able to go missing.
    if (value === undefined || !isStorable(value)) return undefined
    if (rule.url_variable !== undefined && !isAllowedValue(client.definition, rule.url_variable, value))
      return undefined
    const asked = rule.equals_url_variable
    if (asked !== undefined && client.endpoints.variables?.[asked] !== value) return undefined
    kept[rule.url_variable ?? name] = value
  }
  return fillLater(client.endpoints.tokenUrl, kept, client.definition) === undefined ? undefined : kept
}
