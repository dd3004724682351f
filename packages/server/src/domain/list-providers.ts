import type { TenantId } from '../core/ids.ts'
import type { ProviderDefinition } from '../core/provider-definition.ts'
import { listCustomProviders } from '../store/custom-providers.ts'
import { listProviderApps, type StoredProviderApp } from '../store/provider-apps.ts'
import type { Context } from './context.ts'
import { requireRight, type Principal } from './principal.ts'
import { viewProvider, viewProviderForAdmin, type AdminProviderView, type ProviderView } from './provider-view.ts'

type Needs = Pick<Context, 'catalog' | 'database' | 'settings'>

/** All providers this tenant can use, catalogued and its own. */
export async function listProviders(context: Needs, principal: Principal): Promise<ProviderView[]> {
  requireRight(principal, 'connectors:read')
  return viewProvidersOf(context, principal.tenantId)
}

/** The same for whoever needs no right, such as a page that shows some of them. */
export async function viewProvidersOf(context: Needs, tenantId: TenantId): Promise<ProviderView[]> {
  const { definitions, apps } = await gather(context, { tenantId })
  return definitions.map((definition) =>
    viewProvider(definition, apps.get(definition.slug), context.settings.deploymentApps.get(definition.slug)),
  )
}

export async function listProvidersForAdmin(context: Needs, principal: Principal): Promise<AdminProviderView[]> {
  requireRight(principal, 'connectors:admin')
  const { definitions, apps } = await gather(context, principal)
  return definitions.map((definition) => viewProviderForAdmin(context.settings, definition, apps.get(definition.slug)))
}

async function gather(
  context: Needs,
  { tenantId }: Pick<Principal, 'tenantId'>,
): Promise<{
  readonly definitions: readonly ProviderDefinition[]
  readonly apps: ReadonlyMap<string, StoredProviderApp>
}> {
  const db = context.database.tenant(tenantId)
  const [custom, stored] = await Promise.all([listCustomProviders(db, tenantId), listProviderApps(db, tenantId)])
  return {
    definitions: [...context.catalog.list(), ...custom],
    apps: new Map(stored.map((app) => [app.providerSlug, app])),
  }
}
