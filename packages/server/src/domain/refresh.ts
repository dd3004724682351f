import { setTimeout as wait } from 'node:timers/promises'
import { plusMs } from '../core/clock.ts'
import { DatabaseUnavailable } from '../core/database-unavailable.ts'
import { connectorId, providerSlug, tenantId, type TenantId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import type { ProviderClient, TokenGrant } from '../core/token.ts'
import { refreshGrant } from '../oauth/token-request.ts'
import { findConnector } from '../store/connectors.ts'
import type { Db } from '../store/database.ts'
import { addEvent } from '../store/events.ts'
import { claimRefresh, failRefresh, storeRefresh, type RefreshLease } from '../store/refresh-leases.ts'
import type { ConnectorRow } from '../store/rows.ts'
import { SealBroken } from '../vault/vault.ts'
import { connectorPlace } from './connector-places.ts'
import type { Context } from './context.ts'
import { dropGrant } from './drop-grant.ts'
import { later, lost, toFailure, type Failure } from './refresh-failure.ts'
import { providerInUse, type ProviderInUse } from './provider-client.ts'
import type { RefreshResult } from './refresh-result.ts'

/** The lease outlives the call, the check of an ID token (at most five seconds more) and an ordinary storing. */
const providerDeadlineMs = 10_000
const leaseMs = 25_000
const lookAgainMs = 100
/** A provider's API that answers 401 whatever the token is must not make a refresh of every call. */
export const forcedEveryMs = 60_000
const storeAttempts = 60
const storeAgainMs = 500

/** `status_reason` of a connector whose provider app is no longer the one it was granted to. */
export const providerAppChanged = 'provider_app_changed'

type Needs = Pick<
  Context,
  'database' | 'vault' | 'catalog' | 'clock' | 'settings' | 'egress' | 'keySets' | 'refreshesUnderWay'
>

/**
 * Refreshes one version of a connector's tokens, or waits a moment while another process does.
 *
 * A rotating refresh token works once, so the sole right is claimed in the row before anything is sent, and the result
 * is stored only over the version that was read: a reconnect or a disconnect meanwhile wins.
 */
export async function refresh(
  context: Needs,
  tenant: TenantId,
  connector: ConnectorRow,
  forced?: 'forced',
): Promise<RefreshResult> {
  const key = JSON.stringify([tenant, connector.connector_id, connector.version])
  const { refreshesUnderWay } = context
  const underWay = refreshesUnderWay.get(key)
  if (underWay !== undefined) return underWay
  const started = refreshOnce(context, tenant, connector, forced).finally(() => refreshesUnderWay.delete(key))
  refreshesUnderWay.set(key, started)
  return started
}

async function refreshOnce(
  context: Needs,
  tenant: TenantId,
  connector: ConnectorRow,
  forced: 'forced' | undefined,
): Promise<RefreshResult> {
  const id = connectorId(connector.connector_id)
  const db = context.database.tenant(tenant)
  const now = context.clock.now()
  const lease = await claimRefresh(
    db,
    tenant,
    { id, version: connector.version },
    {
      now,
      leaseEnds: plusMs(now, leaseMs),
      forcedBefore: forced && plusMs(now, -forcedEveryMs),
    },
  )
  if (lease === undefined) {
    // Some other process is at it; jitter keeps its waiters from asking the database in step.
    await wait(lookAgainMs * (0.5 + Math.random()))
    return { kind: 'changed' }
  }
  const failure = await attempt(context, tenant, connector, lease)
  if (failure === undefined) return { kind: 'changed' }
  if (!(await recordFailure(context, connector, lease, failure))) return { kind: 'changed' }
  const after = await findConnector(db, tenant, id)
  return after === undefined ? { kind: 'changed' } : { kind: 'failed', connector: after }
}

async function attempt(
  context: Needs,
  tenant: TenantId,
  connector: ConnectorRow,
  lease: RefreshLease,
): Promise<Failure | undefined> {
  if (connector.refresh_token === null) return lost('token_expired')
  const provider = await usableProvider(context, tenant, connector)
  if (provider === 'missing') return later(context, connector, 'provider_app_missing', undefined)
  if (provider === 'changed') return lost(providerAppChanged)
  const tokens = await openTokens(context, connector, connector.refresh_token)
  if (tokens === undefined) return lost('tokens_unreadable')
  const outcome = await refreshGrant(context, provider.client, {
    ...tokens,
    // Written from `Record<string, string>` by this service alone.
    kept: connector.kept as Record<string, string>,
    idTokenSubject: connector.id_token_subject ?? undefined,
    deadlineMs: providerDeadlineMs,
  })
  if (outcome.kind !== 'granted') return toFailure(context, connector, outcome)
  const isStored = await store(context, connector, lease, outcome)
  if (!isStored) await dropAfterDisconnect(context, provider.client, connector, outcome)
  return undefined
}

/** `undefined` when a sealed token opens no more: only a new consent brings another. */
async function openTokens(context: Needs, connector: ConnectorRow, sealedRefreshToken: Buffer) {
  const { vault } = context
  const { access_token: sealedAccessToken } = connector
  try {
    return {
      refreshToken: await vault.open(connectorPlace(connector, 'refresh_token'), sealedRefreshToken),
      accessToken:
        sealedAccessToken === null
          ? undefined
          : await vault.open(connectorPlace(connector, 'access_token'), sealedAccessToken),
    }
  } catch (error) {
    if (error instanceof SealBroken) return undefined
    throw error
  }
}

/**
 * A disconnect that came first has queued the tokens it saw; these are newer and known only here. After a reconnect
 * they are left alone: at many providers revoking them would end the new grant too.
 */
async function dropAfterDisconnect(
  context: Needs,
  client: ProviderClient,
  connector: ConnectorRow,
  grant: TokenGrant,
): Promise<void> {
  const tenant = tenantId(connector.tenant_id)
  const after = await findConnector(context.database.tenant(tenant), tenant, connectorId(connector.connector_id))
  if (after?.health === 'disconnected') await dropGrant(context, client, grant)
}

/** Credentials stay with the context they were granted in: a changed endpoint or client never sees them. */
export async function usableProvider(
  context: Pick<Context, 'database' | 'vault' | 'catalog' | 'settings'>,
  tenant: TenantId,
  connector: ConnectorRow,
): Promise<ProviderInUse | 'changed' | 'missing'> {
  try {
    const provider = await providerInUse(context, tenant, providerSlug(connector.provider_slug))
    return provider.contextId === connector.context_id ? provider : 'changed'
  } catch (error) {
    // An operator's slip, such as a restart without the variables, must not end connections.
    if (error instanceof Problem) return 'missing'
    throw error
  }
}

/**
 * The new refresh token is committed before anyone sees the new access token. While the database is away the
 * tokens live only here, so storing is tried for half a minute and more. Answers `false` when a reconnect, a
 * disconnect or another refresh came first.
 */
async function store(
  context: Needs,
  connector: ConnectorRow,
  lease: RefreshLease,
  grant: TokenGrant,
): Promise<boolean> {
  const tokens = {
    accessToken: await context.vault.seal(connectorPlace(connector, 'access_token'), grant.accessToken),
    refreshToken:
      grant.refreshToken && (await context.vault.seal(connectorPlace(connector, 'refresh_token'), grant.refreshToken)),
    tokenType: grant.tokenType,
    expiresAt: grant.expiresAt,
    grantedScopes: grant.scopes,
    kept: grant.kept,
  }
  for (let attemptsLeft = storeAttempts; ; attemptsLeft -= 1) {
    try {
      const now = context.clock.now()
      return await context.database.transaction(lease.tenantId, async (db) => {
        if (!(await storeRefresh(db, lease, tokens, now))) return false
        await tell(db, connector, 'token.refreshed', undefined, now)
        if (connector.health !== 'active') await tell(db, connector, 'connector.recovered', undefined, now)
        return true
      })
    } catch (error) {
      if (!(error instanceof DatabaseUnavailable) || attemptsLeft <= 1) throw error
      await wait(storeAgainMs)
    }
  }
}

/** Answers `false` when the credentials have moved on, so that the failure says nothing about them. */
async function recordFailure(
  context: Needs,
  connector: ConnectorRow,
  lease: RefreshLease,
  failure: Failure,
): Promise<boolean> {
  const now = context.clock.now()
  return context.database.transaction(lease.tenantId, async (db) => {
    const recorded = await failRefresh(db, lease, failure, now)
    // One event for each change of state, not for each failure.
    if (recorded && failure.health !== connector.health) {
      await tell(db, connector, `connector.${failure.health}`, failure.reason, now)
    }
    return recorded
  })
}

async function tell(
  db: Db,
  connector: ConnectorRow,
  eventType: string,
  reason: string | undefined,
  now: Date,
): Promise<void> {
  await addEvent(
    db,
    tenantId(connector.tenant_id),
    {
      eventType,
      actorId: undefined,
      resourceType: 'connector',
      resourceId: connector.connector_id,
      place: connector,
      metadata: { provider_slug: connector.provider_slug, ...(reason === undefined ? {} : { reason }) },
    },
    now,
  )
}
