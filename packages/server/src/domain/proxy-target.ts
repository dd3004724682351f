import { plusMs } from '../core/clock.ts'
import { providerSlug, type TenantId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import type { ProviderClient } from '../core/token.ts'
import { fillLater } from '../oauth/endpoints.ts'
import type { AccessRow } from '../store/connector-access.ts'
import type { Context } from './context.ts'
import { providerInUse } from './provider-client.ts'

/** What a call needs to know of the provider. It holds no client secret. */
export interface ProxyTarget {
  readonly client: ProviderClient
  readonly contextId: string
  readonly readAt: Date
}

/** A process goes on with what it knows for so long after a provider app was changed: towards the old context only. */
const rememberedForMs = 5_000
const rememberedAtMost = 1_000

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
  const remembered = await read(context, tenantId, connector.provider_slug, true)
  // A connector newer than what is remembered belongs to a newer context.
  const target =
    remembered.contextId === connector.context_id
      ? remembered
      : await read(context, tenantId, connector.provider_slug, false)
  if (target.contextId !== connector.context_id) throw new Problem('reauth_required')
  const { client } = target
  const template = client.endpoints.apiBaseUrl
  // `kept` was written by this service, as text under each name.
  const kept = connector.kept as Readonly<Record<string, string>>
  const baseUrl = template === undefined ? undefined : fillLater(template, kept, client.definition)
  if (baseUrl === undefined) throw new Problem('proxy_not_offered')
  return { ...target, baseUrl }
}

async function read(context: Needs, tenantId: TenantId, slug: string, mayBeOld: boolean): Promise<ProxyTarget> {
  const { proxyTargets } = context
  const key = `${tenantId} ${slug}`
  const now = context.clock.now()
  const known = proxyTargets.get(key)
  if (mayBeOld && known !== undefined && now < plusMs(known.readAt, rememberedForMs)) return known
  const { client, contextId } = await providerInUse(context, tenantId, providerSlug(slug))
  const target = { client: { ...client, clientSecret: undefined }, contextId, readAt: now }
  proxyTargets.delete(key)
  const [oldest] = proxyTargets.size >= rememberedAtMost ? proxyTargets.keys() : []
  if (oldest !== undefined) proxyTargets.delete(oldest)
  proxyTargets.set(key, target)
  return target
}
