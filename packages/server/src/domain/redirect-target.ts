import type { ProviderSlug, TenantId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import { listRedirectUris } from '../store/redirect-uris.ts'
import type { Context } from './context.ts'

/** Where the provider sends the browser, and where the browser ends. */
export interface RedirectTarget {
  /** The OAuth redirect URI: the same string at authorization and token endpoint (RFC 6749 §4.1.3). */
  readonly oauthRedirectUri: string
  /** Absent: this service's own closing page. */
  readonly landingUri: string | undefined
}

/** The context's own callback; from `PUBLIC_URL` alone, never from a Host header (OWASP ASVS 4.1.3). */
export function ownCallback(publicUrl: string, slug: ProviderSlug): string {
  return `${publicUrl}/v1/connectors/oauth/${slug}/callback`
}

/** Matches a `redirect_uri` as an exact string against what is registered. Throws 400 `redirect_uri_not_registered`. */
export async function redirectTarget(
  context: Pick<Context, 'database' | 'settings'>,
  tenantId: TenantId,
  slug: ProviderSlug,
  redirectUri: string | undefined,
): Promise<RedirectTarget> {
  const own = ownCallback(context.settings.publicUrl, slug)
  if (redirectUri === undefined) return { oauthRedirectUri: own, landingUri: undefined }
  if (context.settings.allowedRedirectUris.includes(redirectUri)) {
    return { oauthRedirectUri: own, landingUri: redirectUri }
  }
  const registered = await listRedirectUris(context.database.tenant(tenantId), tenantId)
  const entry = registered.find((candidate) => candidate.uri === redirectUri)
  if (entry?.kind === 'landing') return { oauthRedirectUri: own, landingUri: redirectUri }
  // A callback entry belongs to one provider: no two contexts of a tenant share an OAuth redirect URI.
  if (entry?.kind === 'callback' && entry.provider_slug === slug) {
    return { oauthRedirectUri: redirectUri, landingUri: undefined }
  }
  throw new Problem('redirect_uri_not_registered')
}

/**
 * Checks the origin that may receive the completion code. Throws 400 `origin_not_allowed`.
 *
 * Were it free, an attacker could start a connection, name his own page, and collect the code of a victim who consents.
 */
export async function requireAllowedOrigin(
  context: Pick<Context, 'database' | 'settings'>,
  tenantId: TenantId,
  origin: string,
): Promise<void> {
  const { publicUrl, allowedOrigins, allowedRedirectUris, allowsLoopbackHttp } = context.settings
  // A developer's own machine, where front ends run on a port of the day.
  if (allowsLoopbackHttp && isLoopbackOrigin(origin)) return
  if (origin === new URL(publicUrl).origin || allowedOrigins.includes(origin)) return
  if (allowedRedirectUris.some((uri) => new URL(uri).origin === origin)) return
  const registered = await listRedirectUris(context.database.tenant(tenantId), tenantId)
  if (registered.some((entry) => entry.kind === 'landing' && new URL(entry.uri).origin === origin)) return
  throw new Problem('origin_not_allowed')
}

function isLoopbackOrigin(origin: string): boolean {
  const { protocol, hostname } = new URL(origin)
  return protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
}
