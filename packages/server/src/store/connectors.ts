import type { CollectionId, ConnectorId, SpaceId, TenantId } from '../core/ids.ts'
import { lookup, statement, type Db } from './database.ts'
import type { TimeCursor } from './events.ts'
import type { ConnectorRow } from './rows.ts'

/** All of a connector, for statements that answer whole rows. */
export const connectorColumns = `tenant_id, connector_id, space_id, collection_id, provider_slug, context_id, principal_issuer,
  principal_subject, display_name, account_id, account_name, health, paused, status, status_reason, requested_scopes,
  granted_scopes, access_token, refresh_token, token_type, access_token_expires_at, id_token_subject, kept, version,
  refresh_fence, refresh_lease_ends_at, refresh_failures, refresh_retry_at, refresh_forced_at, refresh_sent_at,
  refresh_unanswered, refresh_rotated, tokens_granted_at, next_refresh_at, last_refreshed_at, last_used_at,
  scope_config, sync_schedule, proxy_policy, url_variables, reconnected_at, disconnected_at, created_at, updated_at`

const selectOne = lookup(
  'connectors.find',
  `select ${connectorColumns}
   from connectors
   where tenant_id = $1 and connector_id = $2`,
)
const lockOne = statement(
  'connectors.lock',
  `select ${connectorColumns}
   from connectors
   where tenant_id = $1 and connector_id = $2
   for update`,
)
const selectPage = statement(
  'connectors.page',
  `select ${connectorColumns}
   from connectors
   where tenant_id = $1 and space_id = $2 and collection_id = $3
     and ($4::text is null or provider_slug = $4)
     and ($5::text is null or status = $5)
     and ($6::timestamptz is null or (created_at, connector_id) > ($6, $7::text))
   order by created_at, connector_id
   limit $8`,
)
const insertOne = statement(
  'connectors.add',
  `insert into connectors
     (tenant_id, connector_id, context_id, principal_issuer, principal_subject, account_id, account_name,
      requested_scopes, granted_scopes, access_token, refresh_token, token_type, access_token_expires_at,
      id_token_subject, kept, space_id, collection_id, provider_slug, display_name, scope_config, health,
      tokens_granted_at, created_at, updated_at, next_refresh_at, url_variables)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, 'active', $21, $21,
           $21, $22, $23)
   on conflict do nothing
   returning connector_id`,
)
const replaceCredentials = statement(
  'connectors.reconnect',
  `update connectors
   set context_id = $3, principal_issuer = $4, principal_subject = $5, account_id = $6, account_name = $7,
       health = 'active', status_reason = null, requested_scopes = $8, granted_scopes = $9, access_token = $10,
       refresh_token = $11, token_type = $12, access_token_expires_at = $13, id_token_subject = $14, kept = $15,
       version = version + 1, refresh_fence = refresh_fence + 1, refresh_lease_ends_at = null, refresh_failures = 0,
       refresh_retry_at = null, refresh_forced_at = null, refresh_sent_at = null, refresh_unanswered = 0,
       refresh_rotated = null, tokens_granted_at = $16, reconnected_at = $16, next_refresh_at = $17,
       disconnected_at = null, updated_at = $16, url_variables = $18
   where tenant_id = $1 and connector_id = $2`,
)
const disconnect = statement(
  'connectors.disconnect',
  `with ended_leases as (
     update leases
     set revoked_at = $3
     where tenant_id = $1 and connector_id = $2 and revoked_at is null)
   update connectors
   set health = 'disconnected', status_reason = null, access_token = null, refresh_token = null,
       access_token_expires_at = null, version = version + 1, refresh_fence = refresh_fence + 1,
       refresh_lease_ends_at = null, refresh_sent_at = null, refresh_unanswered = 0, next_refresh_at = null,
       disconnected_at = $3, updated_at = $3
   where tenant_id = $1 and connector_id = $2`,
)
const patch = statement(
  'connectors.patch',
  `update connectors
   set display_name = $3, scope_config = $4, sync_schedule = $5, paused = $6, updated_at = $7, proxy_policy = $8
   where tenant_id = $1 and connector_id = $2
   returning ${connectorColumns}`,
)

export interface Credentials {
  readonly contextId: string
  /** What the context's addresses were filled with. */
  readonly urlVariables: Readonly<Record<string, string>>
  readonly principal: { readonly issuer: string; readonly subject: string }
  readonly account: { readonly id: string | undefined; readonly name: string | undefined }
  readonly requestedScopes: readonly string[]
  readonly grantedScopes: readonly string[]
  readonly accessToken: Buffer
  readonly refreshToken: Buffer | undefined
  readonly tokenType: string
  readonly expiresAt: Date | undefined
  readonly idTokenSubject: string | undefined
  readonly kept: Readonly<Record<string, string>>
  /** Absent where there is no refresh token. */
  readonly nextRefreshAt: Date | undefined
}

export interface NewConnector {
  readonly tenantId: TenantId
  readonly connectorId: ConnectorId
  readonly spaceId: SpaceId
  readonly collectionId: CollectionId
  readonly providerSlug: string
  readonly displayName: string | undefined
  readonly scopeConfig: unknown
  readonly credentials: Credentials
}

export async function findConnector(db: Db, tenantId: TenantId, id: ConnectorId): Promise<ConnectorRow | undefined> {
  return (await db.query<ConnectorRow>(selectOne, [tenantId, id]))[0]
}

/** Like `findConnector`, and keeps the row from changing until the transaction ends. */
export async function lockConnector(db: Db, tenantId: TenantId, id: ConnectorId): Promise<ConnectorRow | undefined> {
  return (await db.query<ConnectorRow>(lockOne, [tenantId, id]))[0]
}

/** One page of a collection's connectors, oldest first. */
export async function pageConnectors(
  db: Db,
  place: { readonly tenantId: TenantId; readonly spaceId: SpaceId; readonly collectionId: CollectionId },
  filter: { readonly providerSlug: string | undefined; readonly status: string | undefined },
  page: { readonly after: TimeCursor | undefined; readonly limit: number },
): Promise<ConnectorRow[]> {
  return db.query<ConnectorRow>(selectPage, [
    place.tenantId,
    place.spaceId,
    place.collectionId,
    filter.providerSlug ?? null,
    filter.status ?? null,
    page.after?.createdAt ?? null,
    page.after?.id ?? null,
    page.limit,
  ])
}

/** Answers `false` when the id is taken. */
export async function addConnector(db: Db, connector: NewConnector, now: Date): Promise<boolean> {
  const rows = await db.query(insertOne, [
    connector.tenantId,
    connector.connectorId,
    ...credentialValues(connector.credentials),
    connector.spaceId,
    connector.collectionId,
    connector.providerSlug,
    connector.displayName ?? null,
    connector.scopeConfig === undefined ? null : JSON.stringify(connector.scopeConfig),
    now,
    connector.credentials.nextRefreshAt ?? null,
    JSON.stringify(connector.credentials.urlVariables),
  ])
  return rows.length > 0
}

/** Puts new credentials in place; id, settings and history stay. A refresh under way loses its fence. */
export async function reconnectConnector(
  db: Db,
  tenantId: TenantId,
  id: ConnectorId,
  credentials: Credentials,
  now: Date,
): Promise<void> {
  await db.query(replaceCredentials, [
    tenantId,
    id,
    ...credentialValues(credentials),
    now,
    credentials.nextRefreshAt ?? null,
    JSON.stringify(credentials.urlVariables),
  ])
}

/** In the order in which both statements above name the columns. */
function credentialValues(credentials: Credentials): readonly unknown[] {
  return [
    credentials.contextId,
    credentials.principal.issuer,
    credentials.principal.subject,
    credentials.account.id ?? null,
    credentials.account.name ?? null,
    credentials.requestedScopes,
    credentials.grantedScopes,
    credentials.accessToken,
    credentials.refreshToken ?? null,
    credentials.tokenType,
    credentials.expiresAt ?? null,
    credentials.idTokenSubject ?? null,
    JSON.stringify(credentials.kept),
  ]
}

/** Destroys the sealed secrets, ends the leases and makes the connector `disconnected`. A refresh under way loses its fence. */
export async function disconnectConnector(db: Db, tenantId: TenantId, id: ConnectorId, now: Date): Promise<void> {
  await db.query(disconnect, [tenantId, id, now])
}

export interface ConnectorSettings {
  readonly displayName: string | null
  readonly scopeConfig: unknown
  readonly syncSchedule: string | null
  readonly paused: boolean
  readonly proxyPolicy: unknown
}

export async function changeConnector(
  db: Db,
  tenantId: TenantId,
  id: ConnectorId,
  settings: ConnectorSettings,
  now: Date,
): Promise<ConnectorRow | undefined> {
  const scopeConfig = settings.scopeConfig === null ? null : JSON.stringify(settings.scopeConfig)
  const policy = settings.proxyPolicy === null ? null : JSON.stringify(settings.proxyPolicy)
  const values = [tenantId, id, settings.displayName, scopeConfig, settings.syncSchedule, settings.paused, now, policy]
  return (await db.query<ConnectorRow>(patch, values))[0]
}
