import { createHash } from 'node:crypto'
import {
  contextId,
  providerSlug,
  tenantId as toTenantId,
  type ContextId,
  type ProviderSlug,
  type TenantId,
} from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import type { ProviderDefinition, ProviderEndpoints } from '../core/provider-definition.ts'
import type { Secret } from '../core/secret.ts'
import type { ProviderClient } from '../core/token.ts'
import { resolveEndpoints } from '../oauth/endpoints.ts'
import { findCustomProvider } from '../store/custom-providers.ts'
import { findProviderApp, type StoredProviderApp } from '../store/provider-apps.ts'
import type { Place } from '../vault/place.ts'
import type { Context, DeploymentApp } from './context.ts'

/** A provider as one tenant can use it now. */
export interface ProviderInUse {
  readonly client: ProviderClient
  /** Changes with any endpoint's origin, the issuer, the URL variables and the client id. */
  readonly contextId: ContextId
  /** What is asked for when the caller names no scopes. */
  readonly requestedScopes: readonly string[]
  /** What a caller may ask for at most. */
  readonly allowedScopes: ReadonlySet<string>
}

type Needs = Pick<Context, 'catalog' | 'database' | 'vault' | 'settings'>

/** Catalogue first: a custom provider has a slug of its own and cannot hide a catalogued one. */
export async function findDefinition(
  context: Pick<Context, 'catalog' | 'database'>,
  tenantId: TenantId,
  slug: ProviderSlug,
): Promise<ProviderDefinition | undefined> {
  return context.catalog.get(slug) ?? (await findCustomProvider(context.database.tenant(tenantId), tenantId, slug))
}

/** Throws 404 `provider_unknown` or 409 `provider_not_configured`. */
export async function providerInUse(context: Needs, tenantId: TenantId, slug: ProviderSlug): Promise<ProviderInUse> {
  const [definition, stored] = await Promise.all([
    findDefinition(context, tenantId, slug),
    findProviderApp(context.database.tenant(tenantId), tenantId, slug),
  ])
  if (definition === undefined) throw new Problem('provider_unknown')
  const app = await chooseApp(context, tenantId, definition, stored)
  if (app === undefined) throw new Problem('provider_not_configured')
  const { clientId, clientSecret, endpoints, variables, scopes } = app
  return {
    client: { definition, endpoints, clientId, clientSecret },
    contextId: digestContext(tenantId, definition, endpoints, clientId, variables),
    requestedScopes: scopes ?? definition.default_scopes,
    allowedScopes: new Set(scopes ?? [...definition.default_scopes, ...(definition.scopes ?? []).map((s) => s.name)]),
  }
}

/**
 * The provider as it was when the browser left; a changed context must not receive the code. Throws 400 `invalid_state`
 * besides.
 */
export async function providerOf(
  context: Needs,
  transaction: { readonly tenant_id: string; readonly provider_slug: string; readonly context_id: string },
): Promise<ProviderInUse> {
  const tenant = toTenantId(transaction.tenant_id)
  const provider = await providerInUse(context, tenant, providerSlug(transaction.provider_slug))
  if (provider.contextId !== transaction.context_id) throw new Problem('invalid_state')
  return provider
}

interface UsableApp {
  readonly clientId: string
  readonly clientSecret: Secret | undefined
  readonly endpoints: ProviderEndpoints
  readonly variables: Readonly<Record<string, string>>
  readonly scopes: readonly string[] | undefined
}

async function chooseApp(
  context: Needs,
  tenantId: TenantId,
  definition: ProviderDefinition,
  stored: StoredProviderApp | undefined,
): Promise<UsableApp | undefined> {
  const deployment = context.settings.deploymentApps.get(definition.slug)
  if (!isAppComplete(definition, stored, deployment)) return undefined
  const variables = stored?.urlVariables ?? {}
  const resolved = resolveEndpoints(definition, variables)
  if (resolved.kind === 'incomplete') return undefined
  const endpoints = resolved.endpoints
  const base = { endpoints, variables, scopes: stored?.scopes ?? deployment?.scopes }
  if (stored?.clientId !== undefined) {
    if (stored.clientSecret === undefined) return { ...base, clientId: stored.clientId, clientSecret: undefined }
    // A secret goes only to the origin it was entered for; another origin also could not open it.
    const origin = new URL(endpoints.tokenUrl).origin
    if (stored.secretOrigin !== origin) return undefined
    const place = clientSecretPlace(tenantId, definition.slug, origin)
    return { ...base, clientId: stored.clientId, clientSecret: await context.vault.open(place, stored.clientSecret) }
  }
  return deployment && { ...base, clientId: deployment.clientId, clientSecret: deployment.clientSecret }
}

/** Whether a connection could be started: a client id, its secret unless the client is public, and every URL variable. */
export function isAppComplete(
  definition: ProviderDefinition,
  stored: StoredProviderApp | undefined,
  deployment: DeploymentApp | undefined,
): boolean {
  const app = stored?.clientId === undefined ? deployment : stored
  if (app?.clientId === undefined) return false
  if (app.clientSecret === undefined && definition.client_auth !== 'none') return false
  const resolved = resolveEndpoints(definition, stored?.urlVariables ?? {})
  if (resolved.kind === 'incomplete') return false
  if (app !== stored || stored.clientSecret === undefined) return true
  return stored.secretOrigin === new URL(resolved.endpoints.tokenUrl).origin
}

/** The secret's place names the token endpoint's origin, so that it opens for no other (security rule K3). */
export function clientSecretPlace(tenantId: TenantId, slug: string, tokenOrigin: string): Place {
  return {
    purpose: 'provider-app',
    tenantId,
    spaceId: '',
    collectionId: '',
    subjectId: slug,
    field: `client_secret ${tokenOrigin}`,
  }
}

function digestContext(
  tenantId: TenantId,
  definition: ProviderDefinition,
  endpoints: ProviderEndpoints,
  clientId: string,
  variables: Readonly<Record<string, string>>,
): ContextId {
  const parts = [
    tenantId,
    definition.slug,
    originOf(endpoints.authorizationUrl),
    originOf(endpoints.tokenUrl),
    originOf(endpoints.refreshUrl),
    originOf(endpoints.apiBaseUrl),
    endpoints.issuer ?? '',
    clientId,
    Object.entries(variables).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  ]
  return contextId(createHash('sha256').update(JSON.stringify(parts)).digest('base64url'))
}

/** The origin, or the template itself where the reply names the host later. */
function originOf(url: string | undefined): string {
  if (url === undefined) return ''
  const host = /^https?:\/\/[^/?#]*/.exec(url)
  return host?.[0] ?? url
}
