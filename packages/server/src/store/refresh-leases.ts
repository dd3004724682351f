import type { ConnectorId, TenantId } from '../core/ids.ts'
import { statement, type Db } from './database.ts'

const claim = statement(
  'refresh.claim',
  `update connectors
   set refresh_lease_ends_at = $5, refresh_fence = refresh_fence + 1,
       refresh_forced_at = case when $6::timestamptz is null then refresh_forced_at else $4 end
   where tenant_id = $1 and connector_id = $2 and version = $3 and health <> 'disconnected'
     and (refresh_lease_ends_at is null or refresh_lease_ends_at <= $4)
     and ($6::timestamptz is null or refresh_forced_at is null or refresh_forced_at <= $6)
   returning refresh_fence`,
)
const store = statement(
  'refresh.store',
  `update connectors
   set access_token = $4, refresh_token = coalesce($5, refresh_token), token_type = $6, access_token_expires_at = $7,
       granted_scopes = coalesce($8, granted_scopes), kept = kept || $9::jsonb, health = 'active', status_reason = null,
       version = version + 1, refresh_lease_ends_at = null, refresh_failures = 0, refresh_retry_at = null,
       tokens_granted_at = $10, last_refreshed_at = $10, updated_at = $10
   where tenant_id = $1 and connector_id = $2 and version = $3 and health <> 'disconnected'
   returning connector_id`,
)
const fail = statement(
  'refresh.fail',
  `update connectors
   set health = $5, status_reason = $6, refresh_lease_ends_at = null, refresh_failures = refresh_failures + 1,
       refresh_retry_at = $7, updated_at = $8
   where tenant_id = $1 and connector_id = $2 and version = $3 and refresh_fence = $4 and health <> 'disconnected'
   returning connector_id`,
)
/** The right to refresh one version of a connector's credentials, until the lease ends. */
export interface RefreshLease {
  readonly tenantId: TenantId
  readonly connectorId: ConnectorId
  readonly version: number
  readonly fence: number
}

export interface RefreshClaim {
  readonly now: Date
  readonly leaseEnds: Date
  /** Present for a forced refresh: refused unless the last forced one was at or before this moment. */
  readonly forcedBefore?: Date | undefined
}

/**
 * Claims the sole right to refresh until `leaseEnds`; `undefined` when another process holds it or the
 * credentials have moved on.
 *
 * A rotating refresh token works once. Two refreshers look like theft to the provider, which then revokes
 * both (RFC 9700 §4.14.2). A lease, unlike a row lock, holds no database connection while the provider takes its time.
 */
export async function claimRefresh(
  db: Db,
  tenantId: TenantId,
  connector: { readonly id: ConnectorId; readonly version: number },
  claiming: RefreshClaim,
): Promise<RefreshLease | undefined> {
  const { now, leaseEnds, forcedBefore = null } = claiming
  const values = [tenantId, connector.id, connector.version, now, leaseEnds, forcedBefore]
  const [row] = await db.query<{ refresh_fence: number }>(claim, values)
  return row && { tenantId, connectorId: connector.id, version: connector.version, fence: row.refresh_fence }
}

export interface RefreshedTokens {
  readonly accessToken: Buffer
  /** Absent: the old one stays (RFC 6749 §6). */
  readonly refreshToken: Buffer | undefined
  readonly tokenType: string
  readonly expiresAt: Date | undefined
  readonly grantedScopes: readonly string[] | undefined
  readonly kept: Readonly<Record<string, string>>
}

/**
 * Stores new tokens; `false` when a reconnect, a disconnect or another refresh was stored first.
 *
 * An outlived lease does not matter here: tokens in hand over the version they were granted for are the newest there
 * are, and throwing away a rotated refresh token would end the connection. Only failures need the fence.
 */
export async function storeRefresh(db: Db, lease: RefreshLease, tokens: RefreshedTokens, now: Date): Promise<boolean> {
  const rows = await db.query(store, [
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
  ])
  return rows.length > 0
}

/** Records that a refresh failed; `false` when the credentials have moved on meanwhile, so that the failure says nothing. */
export async function failRefresh(
  db: Db,
  lease: RefreshLease,
  failure: {
    readonly health: 'degraded' | 'reauth_required'
    readonly reason: string
    readonly retryAt: Date | undefined
  },
  now: Date,
): Promise<boolean> {
  const { tenantId, connectorId, version, fence } = lease
  const values = [tenantId, connectorId, version, fence, failure.health, failure.reason, failure.retryAt ?? null, now]
  return (await db.query(fail, values)).length > 0
}
