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
import { namesSecretHost, openVariables } from '../providers/connection-variables.ts'
import { findProviderApp, type StoredProviderApp } from '../store/provider-apps.ts'
import type { TransactionRow } from '../store/rows.ts'
import { clientSecretPlace, isMeantFor, isStillMeant, secretAudience } from './client-secret.ts'
import { keptValues, type UrlValues } from './connection-values.ts'
import type { Context, DeploymentApp } from './context.ts'

/** A provider as one tenant can use it now. */
export interface ProviderInUse {
  readonly client: ProviderClient
  /** Changes with any endpoint's origin, the issuer, the URL variables and the client id. */
  readonly contextId: ContextId
  /** What the addresses were filled with, whoever said so; defaults left out. */
  readonly urlVariables: UrlValues
  /** The administrator's part of it. */
  readonly fixedVariables: UrlValues
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

/**
 * The provider for a connection with these values of its own. Throws 404 `provider_unknown`, 409 `provider_not_configured`
 * and `url_variables_required`.
 */
export async function providerInUse(
  context: Needs,
  tenantId: TenantId,
  slug: ProviderSlug,
  values: UrlValues,
): Promise<ProviderInUse> {
  return forConnection(await findUsableApp(context, tenantId, slug), values)
}

/**
 * The provider as it was when the browser left; a changed context must not receive the code. Throws 400 `invalid_state`
 * besides.
 */
export async function providerOf(
  context: Needs,
  transaction: Pick<TransactionRow, 'tenant_id' | 'provider_slug' | 'context_id' | 'url_variables'>,
): Promise<ProviderInUse> {
  const tenant = toTenantId(transaction.tenant_id)
  const slug = providerSlug(transaction.provider_slug)
  const provider = await providerInUse(context, tenant, slug, keptValues(transaction))
  if (provider.contextId !== transaction.context_id) throw new Problem('invalid_state')
  return provider
}

/** A provider and the client registration a tenant uses there; connections may still differ in their URL variables. */
export interface UsableApp {
  readonly tenantId: TenantId
  readonly definition: ProviderDefinition
  readonly clientId: string
  readonly clientSecret: Secret | undefined
  /** Where a tenant's secret may go. */
  readonly audience: string | undefined
  /** What an administrator fixed; it goes before whatever a connection says. */
  readonly variables: UrlValues
  readonly scopes: readonly string[] | undefined
}

/** Throws 404 `provider_unknown` or 409 `provider_not_configured`. */
export async function findUsableApp(context: Needs, tenantId: TenantId, slug: ProviderSlug): Promise<UsableApp> {
  const [definition, stored] = await Promise.all([
    findDefinition(context, tenantId, slug),
    findProviderApp(context.database.tenant(tenantId), tenantId, slug),
  ])
  if (definition === undefined) throw new Problem('provider_unknown')
  const deployment = context.settings.deploymentApps.get(definition.slug)
  if (!isAppComplete(definition, stored, deployment)) throw new Problem('provider_not_configured')
  const variables = fixedVariables(stored, deployment)
  const base = { tenantId, definition, variables, scopes: stored?.scopes ?? deployment?.scopes }
  if (stored?.clientId !== undefined) {
    const { clientId, clientSecret: sealed, secretOrigin: audience } = stored
    if (sealed === undefined || audience === undefined) {
      return { ...base, clientId, clientSecret: undefined, audience: undefined }
    }
    const place = clientSecretPlace(tenantId, definition.slug, audience)
    return { ...base, clientId, clientSecret: await context.vault.open(place, sealed), audience }
  }
  if (deployment === undefined) throw new Problem('provider_not_configured')
  return { ...base, ...deployment, variables, scopes: base.scopes, audience: undefined }
}

/** What those who connect cannot choose: an administrator has, or the operator whose app it is. */
export function fixedVariables(
  stored: StoredProviderApp | undefined,
  deployment: DeploymentApp | undefined,
): UrlValues {
  const ofTenant = stored?.urlVariables ?? {}
  return stored?.clientId === undefined ? { ...ofTenant, ...deployment?.variables } : ofTenant
}

/**
 * An app with the values of one connection. Throws 409 `url_variables_required` when they are missing or fit no longer, and
 * `provider_not_configured` when the secret was entered for another host than theirs.
 */
export function forConnection(app: UsableApp, values: UrlValues): ProviderInUse {
  const { tenantId, definition, clientId, clientSecret, audience, scopes } = app
  const open = openVariables(definition, app.variables)
  const own = Object.entries(values).filter(([name]) => open.includes(name))
  const urlVariables = { ...Object.fromEntries(own), ...app.variables }
  const resolved = resolveEndpoints(definition, urlVariables)
  if (resolved.kind === 'incomplete') {
    const isOurs = [...resolved.missing, ...resolved.invalid].every((name) => open.includes(name))
    throw new Problem(isOurs ? 'url_variables_required' : 'provider_not_configured')
  }
  const { endpoints } = resolved
  // A secret goes only where it was entered for; sealed for another place it also could not have been opened.
  if (audience !== undefined && !isMeantFor(definition, app.variables, audience, endpoints.tokenUrl)) {
    throw new Problem('provider_not_configured', {
      detail: 'The client secret was entered for another host of this provider; an administrator must enter it again.',
    })
  }
  return {
    client: { definition, endpoints, clientId, clientSecret },
    contextId: digestContext(tenantId, definition, endpoints, clientId, urlVariables),
    urlVariables,
    fixedVariables: app.variables,
    requestedScopes: scopes ?? definition.default_scopes,
    allowedScopes: new Set(scopes ?? [...definition.default_scopes, ...(definition.scopes ?? []).map((s) => s.name)]),
  }
}

/**
 * Whether a connection could be started: a client id, its secret unless the client is public, and every URL variable that
 * those who connect cannot bring.
 */
export function isAppComplete(
  definition: ProviderDefinition,
  stored: StoredProviderApp | undefined,
  deployment: DeploymentApp | undefined,
): boolean {
  const app = stored?.clientId === undefined ? deployment : stored
  if (app?.clientId === undefined) return false
  if (app.clientSecret === undefined && definition.client_auth !== 'none') return false
  const variables = fixedVariables(stored, deployment)
  if (secretAudience(definition, variables) === undefined) return false
  if (app !== stored) {
    // The deployment's secret does not go where one tenant's administrator says that it should.
    const ofTenant = Object.keys(variables).filter((name) => !Object.hasOwn(deployment?.variables ?? {}, name))
    return app.clientSecret === undefined || !namesSecretHost(definition, ofTenant)
  }
  if (stored.clientSecret === undefined) return true
  return stored.secretOrigin !== undefined && isStillMeant(definition, variables, stored.secretOrigin)
}

function digestContext(
  tenantId: TenantId,
  definition: ProviderDefinition,
  endpoints: ProviderEndpoints,
  clientId: string,
  variables: UrlValues,
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
