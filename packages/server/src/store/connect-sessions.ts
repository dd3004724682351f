import type { ConnectorId, ConnectSessionId, TenantId } from '../core/ids.ts'
import { lookup, statement, type Db } from './database.ts'
import type { ConnectSessionRow } from './rows.ts'

/** A connect session as flows see it; the token's digest is only ever compared in SQL. */
export type ConnectSession = Omit<ConnectSessionRow, 'token_digest'>

const columns = `tenant_id, connect_session_id, mode, principal_issuer, principal_subject, rights, spaces, collections,
  space_id, collection_id, provider_slugs, connector_id, redirect_uri, origin, scopes, allow_account_change, locale,
  display, attempts, cancelled_at, connected_at, connected_connector_id, created_at, expires_at`

const insertOne = statement(
  'connect_sessions.add',
  `insert into connect_sessions
     (tenant_id, connect_session_id, token_digest, mode, principal_issuer, principal_subject, rights, spaces,
      collections, space_id, collection_id, provider_slugs, connector_id, redirect_uri, origin, scopes,
      allow_account_change, locale, display, created_at, expires_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`,
)
const selectOne = lookup(
  'connect_sessions.find',
  `select ${columns}
   from connect_sessions
   where tenant_id = $1 and connect_session_id = $2`,
)
const selectByToken = lookup(
  'connect_sessions.by_token',
  `select ${columns}
   from connect_sessions
   where token_digest = $1`,
)
const selectLook = lookup(
  'connect_sessions.look',
  `select locale, display_name, accent, radius_px, logo
   from connect_sessions
   left join tenant_appearance using (tenant_id)
   where connect_session_id = $1`,
)
const countLive = statement(
  'connect_sessions.live',
  `select count(*)::int as live
   from connect_sessions
   where tenant_id = $1 and principal_subject = $2 and principal_issuer = $3 and expires_at > $4
     and connected_at is null and cancelled_at is null`,
)
const takeAttempt = statement(
  'connect_sessions.attempt',
  `update connect_sessions
   set attempts = attempts + 1
   where tenant_id = $1 and connect_session_id = $2 and expires_at > $3 and cancelled_at is null and attempts < $4
   returning attempts`,
)
const cancelOne = statement(
  'connect_sessions.cancel',
  `update connect_sessions
   set cancelled_at = $3
   where tenant_id = $1 and connect_session_id = $2 and connected_at is null and cancelled_at is null`,
)
const markConnected = statement(
  'connect_sessions.connected',
  `update connect_sessions
   set connected_at = coalesce(connected_at, $3), connected_connector_id = $4
   where tenant_id = $1 and connect_session_id = $2 and cancelled_at is null
     and (connected_connector_id is null or connected_connector_id = $4)
   returning connect_session_id`,
)
const selectConnected = lookup(
  'connect_sessions.connected_providers',
  `select distinct provider_slug
   from connectors
   where tenant_id = $1 and space_id = $2 and collection_id = $3 and principal_issuer = $4
     and principal_subject = $5 and health <> 'disconnected'`,
)
const deleteOld = statement('connect_sessions.purge', 'delete from connect_sessions where expires_at < $1')

export type NewConnectSession = Omit<
  ConnectSession,
  'attempts' | 'cancelled_at' | 'connected_at' | 'connected_connector_id'
> & { readonly token_digest: Buffer }

export async function addConnectSession(db: Db, row: NewConnectSession): Promise<void> {
  await db.query(insertOne, [
    row.tenant_id,
    row.connect_session_id,
    row.token_digest,
    row.mode,
    row.principal_issuer,
    row.principal_subject,
    row.rights,
    row.spaces,
    row.collections,
    row.space_id,
    row.collection_id,
    row.provider_slugs,
    row.connector_id,
    row.redirect_uri,
    row.origin,
    row.scopes,
    row.allow_account_change,
    row.locale,
    JSON.stringify(row.display),
    row.created_at,
    row.expires_at,
  ])
}

export async function findConnectSession(
  db: Db,
  tenantId: TenantId,
  id: ConnectSessionId,
): Promise<ConnectSession | undefined> {
  return (await db.query<ConnectSession>(selectOne, [tenantId, id]))[0]
}

/** Finds a session, over or not, before its tenant is known. */
export async function findConnectSessionByToken(system: Db, digest: Buffer): Promise<ConnectSession | undefined> {
  return (await system.query<ConnectSession>(selectByToken, [digest]))[0]
}

/** What the page looks like: of the session's tenant, and nothing else of it. */
export interface Look {
  readonly locale: string | null
  readonly display_name: string | null
  readonly accent: string | null
  readonly radius_px: number | null
  readonly logo: string | null
}

export async function findLook(system: Db, id: ConnectSessionId): Promise<Look | undefined> {
  return (await system.query<Look>(selectLook, [id]))[0]
}

/** How many of a principal's sessions could still connect something. */
export async function countLiveConnectSessions(
  db: Db,
  tenantId: TenantId,
  principal: { readonly issuer: string; readonly subject: string },
  now: Date,
): Promise<number> {
  const [row] = await db.query<{ live: number }>(countLive, [tenantId, principal.subject, principal.issuer, now])
  return row?.live ?? 0
}

/** Counts one more attempt; `false` when the session is over or has had as many as it may. */
export async function takeConnectAttempt(
  db: Db,
  tenantId: TenantId,
  id: ConnectSessionId,
  limit: { readonly now: Date; readonly attempts: number },
): Promise<boolean> {
  return (await db.query(takeAttempt, [tenantId, id, limit.now, limit.attempts])).length > 0
}

/** Ends a session that has connected nothing. */
export async function cancelConnectSession(db: Db, tenantId: TenantId, id: ConnectSessionId, now: Date): Promise<void> {
  await db.query(cancelOne, [tenantId, id, now])
}

/** Ends a session by its one connector, in the transaction that stores it; `false` when the session had ended before. */
export async function endByConnecting(
  db: Db,
  tenantId: TenantId,
  id: ConnectSessionId,
  end: { readonly now: Date; readonly connectorId: ConnectorId },
): Promise<boolean> {
  return (await db.query(markConnected, [tenantId, id, end.now, end.connectorId])).length > 0
}

/** The providers that the session's starter has connected in its collection. */
export async function findProvidersConnectedBy(db: Db, session: ConnectSession): Promise<ReadonlySet<string>> {
  const { tenant_id, space_id, collection_id, principal_issuer, principal_subject } = session
  const values = [tenant_id, space_id, collection_id, principal_issuer, principal_subject]
  const rows = await db.query<{ provider_slug: string }>(selectConnected, values)
  return new Set(rows.map((row) => row.provider_slug))
}

/** Forgets sessions that expired before `before`. */
export async function purgeConnectSessions(system: Db, before: Date): Promise<void> {
  await system.query(deleteOld, [before])
}
