import type { ConnectorId, TenantId } from '../core/ids.ts'
import { statement, type Db } from './database.ts'
import type { ConnectorRow } from './rows.ts'

/** The row must be as it was judged: any claim since then has raised the fence, and any verdict changed the health. */
const claim = statement(
  'refresh.claim',
  `update connectors
   set refresh_lease_ends_at = $7, refresh_fence = refresh_fence + 1,
       refresh_sent_at = coalesce(refresh_sent_at, $6), refresh_unanswered = refresh_unanswered + 1,
       refresh_forced_at = case when $8::timestamptz is null then refresh_forced_at else $6 end
   where tenant_id = $1 and connector_id = $2 and version = $3 and refresh_fence = $4 and health = $5
     and health <> 'disconnected'
     and (refresh_lease_ends_at is null or refresh_lease_ends_at <= $6)
     and ($8::timestamptz is null or refresh_forced_at is null or refresh_forced_at <= $8)
   returning refresh_fence`,
)
const store = statement(
  'refresh.store',
  `with before as (
     select tenant_id, connector_id, health
     from connectors
     where tenant_id = $1 and connector_id = $2
     for update)
   update connectors
   set access_token = $4, refresh_token = coalesce($5, refresh_token), token_type = $6, access_token_expires_at = $7,
       granted_scopes = coalesce($8, granted_scopes), kept = kept || $9::jsonb, health = 'active', status_reason = null,
       version = version + 1, refresh_lease_ends_at = null, refresh_sent_at = null, refresh_unanswered = 0,
       refresh_failures = 0, refresh_retry_at = null, refresh_rotated = $11, next_refresh_at = $12,
       tokens_granted_at = $10, last_refreshed_at = $10, updated_at = $10
   from before
   where connectors.tenant_id = $1 and connectors.connector_id = $2 and version = $3
     and connectors.health <> 'disconnected'
     and before.tenant_id = connectors.tenant_id and before.connector_id = connectors.connector_id
   returning before.health`,
)
const fail = statement(
  'refresh.fail',
  `with before as (
     select tenant_id, connector_id, health
     from connectors
     where tenant_id = $1 and connector_id = $2
     for update)
   update connectors
   set health = $5, status_reason = $6, refresh_lease_ends_at = null, refresh_failures = refresh_failures + 1,
       refresh_retry_at = $7, next_refresh_at = $7, updated_at = $8,
       refresh_unanswered = refresh_unanswered - $9,
       refresh_sent_at = case when refresh_unanswered > $9 then refresh_sent_at end
   from before
   where connectors.tenant_id = $1 and connectors.connector_id = $2 and version = $3 and refresh_fence = $4
     and connectors.health <> 'disconnected' and refresh_unanswered >= $9
     and ($10::integer is null or refresh_failures = $10)
     and before.tenant_id = connectors.tenant_id and before.connector_id = connectors.connector_id
   returning before.health`,
)

type Health = ConnectorRow['health']

/** The right to refresh one version of a connector's credentials, until the lease ends. */
export interface RefreshLease {
  readonly tenantId: TenantId
  readonly connectorId: ConnectorId
  readonly version: number
  readonly fence: number
  /** Only where nothing was claimed: how many failures the verdict was based on; one more makes it void. */
  readonly failures?: number
}

/** A connector's row as a decision was made on it. */
export type JudgedConnector = Pick<ConnectorRow, 'version' | 'refresh_fence' | 'health'>

export interface RefreshClaim {
  readonly now: Date
  readonly leaseEnds: Date
  /** Present for a forced refresh: refused unless the last forced one was at or before this moment. */
  readonly forcedBefore?: Date | undefined
}

/**
 * Claims the sole right to refresh until `leaseEnds` and marks the refresh token as sent; `undefined` when another process
 * holds it or the row is no longer as it was judged.
 *
 * A rotating refresh token works once. Two refreshers look like theft to the provider, which then revokes
 * both (RFC 9700 §4.14.2). A lease, unlike a row lock, holds no database connection while the provider takes its time.
 * The mark comes before the request, so that a process that dies after it leaves the doubt on record.
 */
export async function claimRefresh(
  db: Db,
  tenantId: TenantId,
  id: ConnectorId,
  judged: JudgedConnector,
  claiming: RefreshClaim,
): Promise<RefreshLease | undefined> {
  const { now, leaseEnds, forcedBefore = null } = claiming
  const { version, refresh_fence: fence, health } = judged
  const values = [tenantId, id, version, fence, health, now, leaseEnds, forcedBefore]
  const [row] = await db.query<{ refresh_fence: number }>(claim, values)
  return row && { tenantId, connectorId: id, version, fence: row.refresh_fence }
}

export interface RefreshedTokens {
  readonly accessToken: Buffer
  /** Absent: the old one stays (RFC 6749 §6). */
  readonly refreshToken: Buffer | undefined
  readonly tokenType: string
  readonly expiresAt: Date | undefined
  readonly grantedScopes: readonly string[] | undefined
  readonly kept: Readonly<Record<string, string>>
  /** Whether the provider replaced the refresh token by another. */
  readonly hasRotated: boolean
  readonly nextRefreshAt: Date
}

/**
 * Stores new tokens and answers the health before; `undefined` when a reconnect, a disconnect or another refresh was
 * stored first.
 *
 * An outlived lease does not matter here: tokens in hand over the version they were granted for are the newest there
 * are, and throwing away a rotated refresh token would end the connection. Only failures need the fence.
 */
export async function storeRefresh(
  db: Db,
  lease: RefreshLease,
  tokens: RefreshedTokens,
  now: Date,
): Promise<Health | undefined> {
  const rows = await db.query<{ health: Health }>(store, [
    lease.tenantId,
    lease.connectorId,
    lease.version,
    tokens.accessToken,
    tokens.refreshToken ?? null,
    tokens.tokenType,
    tokens.expiresAt ?? null,
    tokens.grantedScopes ?? null,
    JSON.stringify(tokens.kept),
    now,
    tokens.hasRotated,
    tokens.nextRefreshAt,
  ])
  return rows[0]?.health
}

export interface RefreshFailure {
  readonly health: 'degraded' | 'reauth_required'
  readonly reason: string
  readonly retryAt: Date | undefined
  /** How many sends of the refresh token it answers: one, unless the reply was lost or nothing had been claimed. */
  readonly answers: 0 | 1
}

/**
 * Records that a refresh failed and answers the health before; `undefined` when the credentials have moved on meanwhile,
 * or another claimed them, so that the failure says nothing.
 */
export async function failRefresh(
  db: Db,
  lease: RefreshLease,
  failure: RefreshFailure,
  now: Date,
): Promise<Health | undefined> {
  const { tenantId, connectorId, version, fence, failures = null } = lease
  const { health, reason, retryAt = null, answers } = failure
  const values = [tenantId, connectorId, version, fence, health, reason, retryAt, now, answers, failures]
  return (await db.query<{ health: Health }>(fail, values))[0]?.health
}
