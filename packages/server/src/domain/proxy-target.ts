import { plusMs } from '../core/clock.ts'
import { providerSlug, type TenantId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import type { ProviderClient } from '../core/token.ts'
import { fillLater } from '../oauth/endpoints.ts'
import type { AccessRow } from '../store/connector-access.ts'
import { keptValues } from './connection-values.ts'
import type { Context } from './context.ts'
import { findUsableApp, forConnection, type UsableApp } from './provider-client.ts'

/** What a call needs to know of the provider. It holds no client secret. */
export interface ProxyTarget {
  readonly client: ProviderClient
  readonly contextId: string
}

/** A provider app as calls through the proxy remember it, without its secret. */
export interface RememberedApp {
  readonly app: UsableApp
  /** By the values of a connection: patterns take a while to match. */
  readonly targets: Map<string, ProxyTarget>
  readonly readAt: Date
}

/** A process goes on with what it knows for so long after a provider app was changed: towards the old context only. */
const rememberedForMs = 5_000
const rememberedAtMost = 1_000
/** Of each app; more shops in one breath than that cost their patterns anew. */
const targetsAtMost = 100

type Needs = Pick<Context, 'catalog' | 'database' | 'vault' | 'settings' | 'clock' | 'proxyTargets'>

/**
 * The provider of a connector, and the address of its API for this connector.
 *
 * A token goes only to the context it was given for. Throws 409 `reauth_required` when that is no longer the one in use,
 * `provider_not_configured`, and `proxy_not_offered` where no API address is known.
 */
export async function proxyTarget(
  context: Needs,
  tenantId: TenantId,
  connector: AccessRow,
): Promise<ProxyTarget & { readonly baseUrl: string }> {
  const remembered = await targetOf(context, tenantId, connector, 'may-be-old')
  // A connector newer than what is remembered belongs to a newer context.
  const target = remembered ?? (await targetOf(context, tenantId, connector, 'as-it-is-now'))
  if (target === undefined) throw new Problem('reauth_required')
  const { client } = target
  const template = client.endpoints.apiBaseUrl
  // `kept` was written by this service, as text under each name.
  const kept = connector.kept as Readonly<Record<string, string>>
  const baseUrl = template === undefined ? undefined : fillLater(template, kept, client.definition)
  if (baseUrl === undefined) throw new Problem('proxy_not_offered')
  return { ...target, baseUrl }
}

/** The provider with the connector's own values; `undefined` when that is not the context its token was given for. */
async function targetOf(
  context: Needs,
  tenantId: TenantId,
  connector: AccessRow,
  age: 'may-be-old' | 'as-it-is-now',
): Promise<ProxyTarget | undefined> {
  const { app, targets } = await read(context, tenantId, connector.provider_slug, age)
  const values = keptValues(connector)
  const key = JSON.stringify(values)
  try {
    const { client, contextId } = targets.get(key) ?? forConnection(app, values)
    if (targets.size >= targetsAtMost) targets.clear()
    targets.set(key, { client, contextId })
    return contextId === connector.context_id ? { client, contextId } : undefined
  } catch (error) {
    if (error instanceof Problem && error.code === 'url_variables_required') return undefined
    throw error
  }
}

async function read(
  context: Needs,
  tenantId: TenantId,
  slug: string,
  age: 'may-be-old' | 'as-it-is-now',
): Promise<RememberedApp> {
  const { proxyTargets } = context
  const key = `${tenantId} ${slug}`
  const now = context.clock.now()
  const known = proxyTargets.get(key)
  if (age === 'may-be-old' && known !== undefined && now < plusMs(known.readAt, rememberedForMs)) return known
  const app = { ...(await findUsableApp(context, tenantId, providerSlug(slug))), clientSecret: undefined }
  proxyTargets.delete(key)
  const [oldest] = proxyTargets.size >= rememberedAtMost ? proxyTargets.keys() : []
  if (oldest !== undefined) proxyTargets.delete(oldest)
  const remembered = { app, targets: new Map<string, ProxyTarget>(), readAt: now }
  proxyTargets.set(key, remembered)
  return remembered
}
