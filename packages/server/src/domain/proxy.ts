import { Problem } from '../core/problem.ts'
import { isPathRefused } from '../oauth/api-url.ts'
import type { ConnectorPlaceRequest } from './connectors.ts'
import { freshAccess, type ReadyAccess } from './fresh-access.ts'
import { noAccess } from './no-access.ts'
import { pathTemplate } from './path-template.ts'
import { ProxiedCall } from './proxied-call.ts'
import { providerLabel } from './provider-label.ts'
import type { ProxyNeeds, ProxyReply, ProxyRequest } from './proxy-call.ts'
import { admitCaller, chargeCaller, type ProxyActor, type ProxyCaller } from './proxy-caller.ts'
import { minTtlMs } from './proxy-limits.ts'
import { requirePolicy, requireProxyMethod } from './proxy-policy.ts'
import { recorder } from './proxy-record.ts'
import { proxyTarget } from './proxy-target.ts'

const lateAfterMs = 1_000

/**
 * Calls a provider's API with the connector's token and hands the answer through as it comes.
 *
 * Returns when all is over. Throws `Problem` as long as nothing of an answer was sent; what fails after that cuts the answer short.
 */
export async function proxy(
  context: ProxyNeeds,
  caller: ProxyCaller,
  place: ConnectorPlaceRequest,
  call: ProxyRequest,
  reply: ProxyReply,
): Promise<void> {
  const actor = await admitCaller(context, caller, place, call)
  requireProxyMethod(call.method)
  if (isPathRefused(call.path)) throw new Problem('proxy_path_refused')
  const takeOff = context.openCalls.add({
    tenantId: actor.tenantId,
    connectorId: place.connectorId,
    leaseId: actor.leaseId,
    endsAt: actor.endsAt,
    abort: (reason) => call.abort(reason),
  })
  try {
    await carryOut(context, caller, actor, place, { call, reply })
  } finally {
    takeOff()
  }
}

async function carryOut(
  context: ProxyNeeds,
  caller: ProxyCaller,
  actor: ProxyActor,
  place: ConnectorPlaceRequest,
  { call, reply }: { readonly call: ProxyRequest; readonly reply: ProxyReply },
): Promise<void> {
  const early = await readyAccess(context, actor, place)
  const { connector } = early
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
    const askedAt = performance.now()
    const body = await call.takeBody()
    // A body may take longer than the token was sure to live, and meanwhile the connector may have been ended.
    const isLate = performance.now() - askedAt > lateAfterMs
    const access = isLate ? await readyAccess(context, actor, place) : early
    const parts = { call: { ...call, ...body }, reply, target, record, access, budgeted }
    const proxied = new ProxiedCall(context, actor, place, parts)
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

async function readyAccess(context: ProxyNeeds, actor: ProxyActor, place: ConnectorPlaceRequest): Promise<ReadyAccess> {
  const access = await freshAccess(context, actor.tenantId, place, minTtlMs)
  if (access.kind !== 'ready') throw noAccess(access)
  return access
}
