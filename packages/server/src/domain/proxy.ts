import { Problem } from '../core/problem.ts'
import { isPathRefused } from '../oauth/api-url.ts'
import type { ConnectorPlaceRequest } from './connectors.ts'
import { freshAccess } from './fresh-access.ts'
import { noAccess } from './no-access.ts'
import { pathTemplate } from './path-template.ts'
import { ProxiedCall } from './proxied-call.ts'
import { providerLabel } from './provider-label.ts'
import type { ProxyCall, ProxyNeeds, ProxyReply } from './proxy-call.ts'
import { admitCaller, chargeCaller, type ProxyCaller } from './proxy-caller.ts'
import { minTtlMs } from './proxy-limits.ts'
import { requirePolicy, requireProxyMethod } from './proxy-policy.ts'
import { recorder } from './proxy-record.ts'
import { proxyTarget } from './proxy-target.ts'

/**
 * Calls a provider's API with the connector's token and hands the answer through as it comes.
 *
 * Returns when all is over. Throws `Problem` as long as nothing of an answer was sent; what fails after that cuts the answer short.
 */
export async function proxy(
  context: ProxyNeeds,
  caller: ProxyCaller,
  place: ConnectorPlaceRequest,
  call: ProxyCall,
  reply: ProxyReply,
): Promise<void> {
  const actor = await admitCaller(context, caller, place, call)
  requireProxyMethod(call.method)
  if (isPathRefused(call.path)) throw new Problem('proxy_path_refused')
  const access = await freshAccess(context, actor.tenantId, place, minTtlMs)
  if (access.kind !== 'ready') throw noAccess(access)
  const { connector } = access
  const route = pathTemplate(call.path)
  const record = recorder(context, actor, connector, { method: call.method, route })
  try {
    requirePolicy(connector, call.method, call.path)
    const target = await proxyTarget(context, actor.tenantId, connector)
    const budgeted = {
      tenantId: actor.tenantId,
      contextId: target.contextId,
      connectorId: connector.connector_id,
      route,
    }
    const proxied = new ProxiedCall(context, actor, place, { call, reply, target, record, access, budgeted })
    const waitMs = await context.rateBudgets.admit(budgeted)
    if (waitMs !== undefined) {
      throw new Problem('provider_rate_limited', { retryAfterSeconds: Math.ceil(waitMs / 1000) })
    }
    try {
      await chargeCaller(context, caller)
      const provider = providerLabel(context, connector.provider_slug)
      await context.meter.step('proxy', { provider }, () => proxied.run())
    } finally {
      context.rateBudgets.done(budgeted)
    }
  } catch (error) {
    // What is told is why the call failed, not that its record did.
    if (error instanceof Problem) await record(error.code).catch(() => {})
    throw error
  }
}
