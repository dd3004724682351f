import type { ConnectorId, TenantId } from '../core/ids.ts'
import { lookup, type Db } from './database.ts'
import type { ConnectorRow } from './rows.ts'

/** What it takes to judge a connector's access and use its token: few of the columns, on the way of every call. */
const accessColumns = [
  'tenant_id',
  'connector_id',
  'space_id',
  'collection_id',
  'provider_slug',
  'context_id',
  'health',
  'paused',
  'status_reason',
  'granted_scopes',
  'access_token',
  'refresh_token',
  'token_type',
  'access_token_expires_at',
  'kept',
  'version',
  'refresh_retry_at',
  'proxy_policy',
  'url_variables',
] as const satisfies readonly (keyof ConnectorRow)[]

/** A connector as far as its access goes. */
export type AccessRow = Pick<ConnectorRow, (typeof accessColumns)[number]>

const selectAccess = lookup(
  'connectors.access',
  `select ${accessColumns.join(', ')}
   from connectors
   where tenant_id = $1 and connector_id = $2`,
)
/** Reads what a token read or a proxied call needs; every column that is read costs both sides time. */
export async function findAccess(db: Db, tenantId: TenantId, id: ConnectorId): Promise<AccessRow | undefined> {
  return (await db.query<AccessRow>(selectAccess, [tenantId, id]))[0]
}
