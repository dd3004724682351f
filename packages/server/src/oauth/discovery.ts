import type { ProviderDefinition } from '../core/provider-definition.ts'
import type { Clock } from '../core/clock.ts'
import type { Egress, EgressReply } from './egress.ts'
import { DiscoveryError } from './discovery-error.ts'
import { readMetadata } from './discovery-metadata.ts'
import { jsonObject } from './json-path.ts'

export { DiscoveryError } from './discovery-error.ts'

/** The fields of a definition that an issuer's metadata gives (RFC 8414 §2, OIDC Discovery §3). */
export type DiscoveredProvider = Required<Pick<ProviderDefinition, 'authorization_url' | 'token_url' | 'issuer'>> &
  Pick<
    ProviderDefinition,
    | 'userinfo_url'
    | 'revocation_url'
    | 'jwks_uri'
    | 'client_auth'
    | 'authorization_response_iss_parameter_supported'
    | 'id_token_signing_alg_values_supported'
    | 'default_scopes'
  >

/** Metadata by issuer. */
export interface Discovery {
  /** Throws `DiscoveryError` only. */
  discover(issuer: string): Promise<DiscoveredProvider>
}

const goodForMs = 600_000
const badForMs = 30_000
const maxIssuers = 500

interface Found {
  readonly result: DiscoveredProvider | DiscoveryError
  readonly goodUntil: number
}

/** Makes a discovery that asks each issuer once at a time and remembers its answer for 10 minutes, a failure for 30 seconds. */
export function createDiscovery(context: { readonly egress: Egress; readonly clock: Clock }): Discovery {
  const known = new Map<string, Found>()
  const pending = new Map<string, Promise<Found>>()

  async function ask(issuer: string): Promise<Found> {
    const result = await discoverNow(context.egress, issuer)
    const now = context.clock.now().getTime()
    const found = { result, goodUntil: now + (result instanceof DiscoveryError ? badForMs : goodForMs) }
    known.delete(issuer)
    known.set(issuer, found)
    const oldest = known.keys().next()
    if (known.size > maxIssuers && oldest.done !== true) known.delete(oldest.value)
    return found
  }

  return {
    async discover(issuer) {
      let found = known.get(issuer)
      if (found === undefined || found.goodUntil <= context.clock.now().getTime()) {
        let current = pending.get(issuer)
        if (current === undefined) {
          current = ask(issuer).finally(() => pending.delete(issuer))
          pending.set(issuer, current)
        }
        found = await current
      }
      if (found.result instanceof DiscoveryError) throw found.result
      return found.result
    },
  }
}

/** OpenID Connect's address first, RFC 8414's where the server has nothing there. */
async function discoverNow(egress: Egress, issuer: string): Promise<DiscoveredProvider | DiscoveryError> {
  const url = URL.parse(issuer)
  if (url === null || url.search !== '' || url.hash !== '' || /[?#\s]/.test(issuer)) {
    return new DiscoveryError('not_allowed', 'an issuer is an https address without query or fragment')
  }
  const path = url.pathname.replace(/\/$/, '')
  const places = [
    `${url.origin}${path}/.well-known/openid-configuration`,
    `${url.origin}/.well-known/oauth-authorization-server${path}`,
  ]
  try {
    egress.assertAllowed(issuer)
  } catch {
    return new DiscoveryError('not_allowed', `${url.host} is not an address this service may connect to`)
  }
  let failure = new DiscoveryError('unreachable', `${url.host} does not answer`)
  for (const place of places) {
    const reply = await egress
      .request({ method: 'GET', url: place, headers: { accept: 'application/json' }, maxBytes: 262_144 })
      .catch(() => undefined)
    if (reply === undefined) return failure
    if (reply.status === 200) return judge(egress, issuer, reply)
    failure = new DiscoveryError('unreachable', `${url.host} answers ${reply.status} instead of metadata`)
  }
  return failure
}

function judge(egress: Egress, issuer: string, reply: EgressReply): DiscoveredProvider | DiscoveryError {
  const metadata = jsonObject(reply.body)
  if (metadata === undefined) return new DiscoveryError('invalid_metadata', 'the metadata is not a JSON object')
  // Any normalising here would let one server speak for another (RFC 8414 §3.3).
  if (metadata.issuer !== issuer) return new DiscoveryError('issuer_mismatch', 'the metadata names another issuer')
  return readMetadata(egress, issuer, metadata)
}
