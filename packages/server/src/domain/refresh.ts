import { setTimeout as wait } from 'node:timers/promises'
import { connectorId, tenantId } from '../core/ids.ts'
import { findConnector } from '../store/connectors.ts'
import type { RefreshFailure } from '../store/refresh-leases.ts'
import type { ConnectorRow } from '../store/rows.ts'
import type { Context } from './context.ts'
import { logChange } from './log-change.ts'
import { prepareRefresh } from './prepare-refresh.ts'
import { lost, outcomeUnknown } from './refresh-failure.ts'
import type { RefreshReason, RefreshResult } from './refresh-result.ts'
import { countRefresh, mayBeSent, sendRefresh } from './send-refresh.ts'
import { storeFailure } from './store-refresh.ts'

/** How long a caller waits: for its turn, and for another process or for what the provider said to be stored. */
const turnPatienceMs = 10_000
const callerPatienceMs = 25_000
const firstLookMs = 50
const longestLookMs = 500

/** What refreshing takes. */
export type RefreshNeeds = Pick<
  Context,
  | 'database'
  | 'vault'
  | 'catalog'
  | 'clock'
  | 'settings'
  | 'egress'
  | 'keySets'
  | 'meter'
  | 'log'
  | 'refreshGate'
  | 'refreshesUnderWay'
>

/**
 * Refreshes one version of a connector's tokens, or waits while another process does.
 *
 * A rotating refresh token works once, so the sole right is claimed in the row before anything is sent, and the result
 * is stored only over the version that was read: a reconnect or a disconnect meanwhile wins. A caller waits half a minute at
 * most; what was sent goes on without it until its end is on record.
 */
export async function refresh(
  context: RefreshNeeds,
  connector: ConnectorRow,
  reason: RefreshReason,
): Promise<RefreshResult> {
  // Who waits for an answer does not share the haste of the sweep; of the two only one gets the claim.
  const key = JSON.stringify([connector.tenant_id, connector.connector_id, connector.version, reason === 'due'])
  const { refreshesUnderWay } = context
  let underWay = refreshesUnderWay.get(key)
  if (underWay === undefined) {
    underWay = refreshOnce(context, connector, reason).finally(() => refreshesUnderWay.delete(key))
    refreshesUnderWay.set(key, underWay)
  }
  const caller = new AbortController()
  const waited = wait(callerPatienceMs, tryLater, { signal: caller.signal, ref: false })
  try {
    return await Promise.race([underWay, waited])
  } finally {
    waited.catch(() => {})
    caller.abort()
  }
}

const tryLater: RefreshResult = { kind: 'deferred', retryAfterSeconds: 5 }

async function refreshOnce(
  context: RefreshNeeds,
  connector: ConnectorRow,
  reason: RefreshReason,
): Promise<RefreshResult> {
  if (isLeased(connector, context.clock.now())) return waitForOther(context, connector, reason)
  const prepared = await prepareRefresh(context, connector)
  if (prepared.kind === 'impossible') return fail(context, connector, prepared.failure)
  if (!mayBeSent(connector, prepared.rotation, context.clock.now())) {
    return fail(context, connector, lost(outcomeUnknown))
  }
  const entry = await context.refreshGate.enter(connector.context_id, reason === 'due' ? 0 : turnPatienceMs)
  if (entry.kind === 'shut') return defer(context, entry.retryAt)
  const result = await sendRefresh(context, entry, { connector, prepared, reason })
  return result === 'not-claimed' ? waitForOther(context, connector, reason) : result
}

function isLeased(connector: ConnectorRow, now: Date): boolean {
  return connector.refresh_lease_ends_at !== null && connector.refresh_lease_ends_at > now
}

/** Looks at the row, ever more rarely and never in step with others, until the other's refresh has ended. */
async function waitForOther(
  context: RefreshNeeds,
  connector: ConnectorRow,
  reason: RefreshReason,
): Promise<RefreshResult> {
  // The sweep has no caller who waits.
  if (reason === 'due') return { kind: 'changed' }
  const endsAt = performance.now() + callerPatienceMs
  for (let lookMs = firstLookMs; performance.now() < endsAt; lookMs = Math.min(longestLookMs, lookMs * 1.5)) {
    const row = await findAgain(context, connector)
    if (row?.version !== connector.version || !isLeased(row, context.clock.now())) return { kind: 'changed' }
    await wait(lookMs * (0.5 + Math.random()))
  }
  return tryLater
}

/** Records what makes the connector impossible to refresh, without a claim: nothing is sent. */
async function fail(context: RefreshNeeds, connector: ConnectorRow, failure: RefreshFailure): Promise<RefreshResult> {
  const lease = {
    tenantId: tenantId(connector.tenant_id),
    connectorId: connectorId(connector.connector_id),
    version: connector.version,
    fence: connector.refresh_fence,
    failures: connector.refresh_failures,
  }
  const isRecorded = await storeFailure(context, connector, lease, failure)
  // What was sent and failed is told by whoever sent it.
  if (isRecorded && failure.health !== connector.health) logChange(context, connector, failure.health, failure.reason)
  if (isRecorded && failure.reason === outcomeUnknown) countRefresh(context, connector, 'outcome_unknown')
  const after = isRecorded ? await findAgain(context, connector) : undefined
  return after === undefined ? { kind: 'changed' } : { kind: 'failed', connector: after }
}

function findAgain(context: RefreshNeeds, connector: ConnectorRow): Promise<ConnectorRow | undefined> {
  const tenant = tenantId(connector.tenant_id)
  return findConnector(context.database.tenant(tenant), tenant, connectorId(connector.connector_id))
}

function defer(context: RefreshNeeds, retryAt: Date): RefreshResult {
  const waitMs = retryAt.getTime() - context.clock.now().getTime()
  return { kind: 'deferred', retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) }
}
