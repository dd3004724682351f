import type { ProviderDefinition } from '../core/provider-definition.ts'
import { DiscoveryError } from './discovery-error.ts'
import type { DiscoveredProvider } from './discovery.ts'
import type { Egress } from './egress.ts'
import { isStorable } from '../core/storable-text.ts'

type Metadata = Readonly<Record<string, unknown>>

/** Scopes worth asking for when a provider offers them: who the user is, and a refresh token. */
const wantedScopes = ['openid', 'profile', 'email', 'offline_access']

/**
 * Reads an issuer's metadata (RFC 8414 §2), whose issuer was already compared, into the fields of a definition.
 *
 * Every address in it passes the egress rules, also the optional ones: a hostile document must not get the service to
 * call inwards later on.
 */
export function readMetadata(egress: Egress, issuer: string, metadata: Metadata): DiscoveredProvider | DiscoveryError {
  try {
    const authorization_url = address(egress, metadata, 'authorization_endpoint')
    const token_url = address(egress, metadata, 'token_endpoint')
    if (authorization_url === undefined || token_url === undefined) {
      return new DiscoveryError('invalid_metadata', 'the metadata lacks authorization_endpoint or token_endpoint')
    }
    requireOffer(metadata, 'response_types_supported', 'code')
    requireOffer(metadata, 'grant_types_supported', 'authorization_code')
    const algorithms = texts(metadata.id_token_signing_alg_values_supported)
    return {
      issuer,
      authorization_url,
      token_url,
      client_auth: clientAuth(texts(metadata.token_endpoint_auth_methods_supported)),
      default_scopes: wantedScopes.filter((scope) => texts(metadata.scopes_supported)?.includes(scope) === true),
      ...present('userinfo_url', address(egress, metadata, 'userinfo_endpoint')),
      ...present('revocation_url', address(egress, metadata, 'revocation_endpoint')),
      ...present('jwks_uri', address(egress, metadata, 'jwks_uri')),
      ...present('id_token_signing_alg_values_supported', algorithms),
      ...(metadata.authorization_response_iss_parameter_supported === true
        ? { authorization_response_iss_parameter_supported: true }
        : {}),
    }
  } catch (error) {
    if (error instanceof DiscoveryError) return error
    throw error
  }
}

function address(egress: Egress, metadata: Metadata, name: string): string | undefined {
  const value = metadata[name]
  if (value === undefined || value === null) return undefined
  // Braces would be taken for URL variables.
  if (
    typeof value !== 'string' ||
    value.length > 2048 ||
    /[\s{}]/.test(value) ||
    !isStorable(value) ||
    !URL.canParse(value)
  ) {
    throw new DiscoveryError('invalid_metadata', `${name} in the metadata is not an address`)
  }
  try {
    egress.assertAllowed(value)
  } catch {
    throw new DiscoveryError('not_allowed', `${name} in the metadata points where this service must not connect`)
  }
  return value
}

/** Absent lists stand for their defaults, which include what is asked for here. */
function requireOffer(metadata: Metadata, name: string, wanted: string): void {
  const offered = texts(metadata[name])
  if (offered !== undefined && !offered.includes(wanted)) {
    throw new DiscoveryError('unsupported', `the provider does not offer ${wanted}`)
  }
}

/** Absent means `client_secret_basic` (RFC 8414 §2). */
function clientAuth(offered: readonly string[] | undefined): NonNullable<ProviderDefinition['client_auth']> {
  if (offered === undefined) return 'client_secret_basic'
  const preferred = (['client_secret_basic', 'client_secret_post', 'none'] as const).find((method) =>
    offered.includes(method),
  )
  if (preferred === undefined) {
    throw new DiscoveryError('unsupported', 'the provider takes none of client_secret_basic, client_secret_post, none')
  }
  return preferred
}

function texts(value: unknown): string[] | undefined {
  return Array.isArray(value)
    ? value.filter((entry): entry is string => typeof entry === 'string' && isStorable(entry))
    : undefined
}

function present<Name extends string, Value>(name: Name, value: Value | undefined): { readonly [N in Name]?: Value } {
  // The computed key is typed as an index signature, hence the assertion.
  return value === undefined ? {} : ({ [name]: value } as { readonly [N in Name]: Value })
}
