import { setTimeout as wait } from 'node:timers/promises'
import { DatabaseUnavailable } from '../core/database-unavailable.ts'
import { connectorId, tenantId } from '../core/ids.ts'
import type { ProviderClient, TokenGrant } from '../core/token.ts'
import { findConnector } from '../store/connectors.ts'
import type { Db } from '../store/database.ts'
import { addEvent } from '../store/events.ts'
import { failRefresh, storeRefresh, type RefreshFailure, type RefreshLease } from '../store/refresh-leases.ts'
import type { ConnectorRow } from '../store/rows.ts'
import { connectorPlace } from './connector-places.ts'
import type { Context } from './context.ts'
import { logChange } from './log-change.ts'
import { dropGrant } from './drop-grant.ts'
import type { PreparedRefresh } from './prepare-refresh.ts'
import { nextRefreshAt } from './refresh-schedule.ts'
import type { RefreshReason } from './refresh-result.ts'

/** While the database is away, what the provider said is known here alone. */
const keepTryingMs = 10 * 60_000
const firstWaitMs = 250
const longestWaitMs = 5_000

type Needs = Pick<Context, 'database' | 'vault' | 'clock' | 'egress' | 'log'>

/** A refresh that was sent. */
export interface SentRefresh {
  readonly connector: ConnectorRow
  readonly lease: RefreshLease
  readonly prepared: PreparedRefresh
  readonly reason: RefreshReason
}

/**
 * Stores what a refresh brought; the new refresh token is committed before anyone sees the new access token. Answers `false`
 * when a reconnect, a disconnect or another refresh came first.
 *
 * Tried for ten minutes while the database is away, also by a process that was told to end: a rotated refresh token that
 * is not stored ends the connection.
 */
export async function storeGrant(context: Needs, sent: SentRefresh, grant: TokenGrant): Promise<boolean> {
  const { lease, connector } = sent
  const before = await insist(async () => {
    const tokens = await sealGrant(context, sent, grant)
    const now = context.clock.now()
    return context.database.transaction(lease.tenantId, async (db) => {
      const health = await storeRefresh(db, lease, tokens, now)
      if (health === undefined) return undefined
      await tell(db, connector, 'token.refreshed', undefined, now)
      // By the row as it is now: it may have been given up after it was read.
      if (health !== 'active') await tell(db, connector, 'connector.recovered', undefined, now)
      return health
    })
  })
  if (before === undefined) await dropIfUnwanted(context, sent.prepared.client, connector, grant)
  else if (before !== 'active') logChange(context, connector, 'recovered')
  return before !== undefined
}

async function sealGrant(context: Needs, sent: SentRefresh, grant: TokenGrant) {
  const { connector, prepared, reason } = sent
  const { definition } = prepared.client
  const now = context.clock.now()
  const { refreshToken } = grant
  return {
    accessToken: await context.vault.seal(connectorPlace(connector, 'access_token'), grant.accessToken),
    refreshToken: refreshToken && (await context.vault.seal(connectorPlace(connector, 'refresh_token'), refreshToken)),
    tokenType: grant.tokenType,
    expiresAt: grant.expiresAt,
    grantedScopes: grant.scopes,
    kept: grant.kept,
    hasRotated: refreshToken !== undefined && !refreshToken.equals(prepared.refreshToken),
    nextRefreshAt: nextRefreshAt(
      {
        connectorId: connector.connector_id,
        grantedAt: now,
        expiresAt: grant.expiresAt,
        // Whoever reads the token uses it, though that may not be written yet.
        lastUsedAt: reason === 'due' ? (connector.last_used_at ?? undefined) : now,
        idleDays: definition.refresh_token_idle_days,
      },
      now,
    ),
  }
}

/**
 * A disconnect that came first has queued the tokens it saw, and an erased tenant has no row: these are newer and known only
 * here. After a reconnect they are left alone: at many providers revoking them would end the new grant too.
 */
async function dropIfUnwanted(
  context: Needs,
  client: ProviderClient,
  connector: ConnectorRow,
  grant: TokenGrant,
): Promise<void> {
  const tenant = tenantId(connector.tenant_id)
  const after = await insist(() =>
    findConnector(context.database.tenant(tenant), tenant, connectorId(connector.connector_id)),
  )
  if (after === undefined || after.health === 'disconnected') await dropGrant(context, client, grant)
}

/**
 * Records why a refresh brought nothing; answers `false` when the credentials have moved on, so that the failure says
 * nothing about them. As persistent as storing: an answer that is forgotten leaves a doubt about the refresh token.
 */
export async function storeFailure(
  context: Pick<Context, 'database' | 'clock'>,
  connector: ConnectorRow,
  lease: RefreshLease,
  failure: RefreshFailure,
): Promise<boolean> {
  return insist(() => {
    const now = context.clock.now()
    return context.database.transaction(lease.tenantId, async (db) => {
      const before = await failRefresh(db, lease, failure, now)
      // One event for each change of state, not for each failure.
      if (before !== undefined && before !== failure.health) {
        await tell(db, connector, `connector.${failure.health}`, failure.reason, now)
      }
      return before !== undefined
    })
  })
}

/** Tries again while the database does not answer. Throws `DatabaseUnavailable` when that takes too long. */
async function insist<T>(work: () => Promise<T>): Promise<T> {
  const endsAt = performance.now() + keepTryingMs
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(longestWaitMs, waitMs * 2)) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof DatabaseUnavailable) || performance.now() > endsAt) throw error
      await wait(waitMs * (0.5 + Math.random() / 2))
    }
  }
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
