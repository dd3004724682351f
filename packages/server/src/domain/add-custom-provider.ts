import { mintProviderSlug } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import type { ProviderDefinition } from '../core/provider-definition.ts'
import type { Secret } from '../core/secret.ts'
import { DiscoveryError } from '../oauth/discovery.ts'
import { EgressError } from '../oauth/egress.ts'
import { checkDefinition } from '../providers/check-definition.ts'
import { addCustomProvider as storeCustomProvider } from '../store/custom-providers.ts'
import type { Context } from './context.ts'
import { InvalidFields } from './invalid-fields.ts'
import { recordAdminAct } from './record-admin-act.ts'
import { requireRight, type Principal } from './principal.ts'
import { changeProviderApp } from './provider-apps.ts'
import type { AdminProviderView } from './provider-view.ts'

/** A definition as it was posted: everything but the slug, endpoints perhaps left to discovery. */
export type CustomProvider = Partial<Omit<ProviderDefinition, 'slug'>> & { readonly display_name: string }

/** Each may have connections of its own through the proxy. */
const providersPerTenant = 100

/**
 * Adds a provider of the tenant's own, under a slug of its own, and so with a redirect URI that no other
 * provider's client has registered.
 *
 * Throws 400 `discovery_failed` and `url_not_allowed`, 409 `too_many_providers`, 422 for what the catalogue's own checks refuse.
 */
export async function addCustomProvider(
  context: Pick<Context, 'catalog' | 'database' | 'vault' | 'clock' | 'settings' | 'discovery' | 'egress'>,
  principal: Principal,
  custom: CustomProvider,
  app: { readonly clientId: string | undefined; readonly clientSecret: Secret | undefined },
): Promise<AdminProviderView> {
  requireRight(principal, 'connectors:admin')
  const slug = mintProviderSlug()
  const discovered = await discoverMissing(context, custom)
  requireEndpoints({ ...discovered, ...custom })
  const definition: ProviderDefinition = {
    categories: [],
    default_scopes: [],
    ...discovered,
    ...custom,
    slug,
    authorization_url: custom.authorization_url ?? discovered?.authorization_url ?? '',
    token_url: custom.token_url ?? discovered?.token_url ?? '',
  }
  const problems = checkDefinition(definition, {
    custom: true,
    allowHttpHosts: context.settings.allowedPrivateHosts,
  })
  if (problems.length > 0) {
    throw new InvalidFields(
      problems.map((problem) => ({ loc: ['body', ...problem.path], msg: problem.message, type: 'value_error' })),
    )
  }
  requireReachable(context, definition)
  const { tenantId } = principal
  await context.database.transaction(tenantId, async (db) => {
    const more = { now: context.clock.now(), atMost: providersPerTenant }
    if (!(await storeCustomProvider(db, tenantId, definition, more))) throw new Problem('too_many_providers')
    await recordAdminAct(context, db, principal, {
      action: 'provider.added',
      resourceType: 'provider_app',
      resourceId: slug,
      metadata: {
        provider_slug: slug,
        display_name: definition.display_name,
        authorization_url: definition.authorization_url,
        token_url: definition.token_url,
        ...(definition.issuer !== undefined && { provider_issuer: definition.issuer }),
      },
    })
  })
  return changeProviderApp(context, principal, slug, app)
}

function requireEndpoints(known: Partial<ProviderDefinition>): void {
  const missing = (['authorization_url', 'token_url'] as const).filter((name) => known[name] === undefined)
  if (missing.length === 0) return
  throw new InvalidFields(
    missing.map((name) => ({ loc: ['body', name], msg: 'field required', type: 'value_error.missing' })),
  )
}

async function discoverMissing(context: Pick<Context, 'discovery'>, custom: CustomProvider) {
  if (custom.issuer === undefined) return undefined
  // Complete by hand: the issuer is there for ID tokens, and its metadata must not override what was given.
  if (custom.authorization_url !== undefined && custom.token_url !== undefined) return undefined
  try {
    return await context.discovery.discover(custom.issuer)
  } catch (error) {
    if (error instanceof DiscoveryError) throw new Problem('discovery_failed')
    throw error
  }
}

/** Refuses addresses that no request could be sent to; names are judged again at every connection. */
function requireReachable(context: Pick<Context, 'egress'>, definition: ProviderDefinition): void {
  const urls = [
    definition.token_url,
    definition.refresh_url,
    definition.userinfo_url,
    definition.revocation_url,
    definition.jwks_uri,
    definition.issuer,
    definition.api_base_url,
  ]
  try {
    for (const url of urls) if (url !== undefined && !url.includes('{')) context.egress.assertAllowed(url)
  } catch (error) {
    if (error instanceof EgressError) throw new Problem('url_not_allowed')
    throw error
  }
}
