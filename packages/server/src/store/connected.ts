import type { ConnectorId, TenantId } from '../core/ids.ts'
import { statement, type Db } from './database.ts'

const selectConnected = statement(
  'connected.next',
  `select connector_id
   from connectors
   where tenant_id = $1 and health <> 'disconnected' and connector_id > $2
   order by connector_id
   limit $3`,
)
const countAll = statement(
  'connected.count',
  `select count(*)::int as connected
   from connectors
   where tenant_id = $1 and health <> 'disconnected'`,
)

/** The next connectors of a tenant whose tokens live, in the order of their ids. */
export async function connectedConnectors(
  db: Db,
  tenantId: TenantId,
  after: string,
  limit: number,
): Promise<ConnectorId[]> {
  const rows = await db.query<{ connector_id: ConnectorId }>(selectConnected, [tenantId, after, limit])
  return rows.map((row) => row.connector_id)
}

/** How many connectors of a tenant have tokens that live. */
export async function countConnected(db: Db, tenantId: TenantId): Promise<number> {
  return (await db.query<{ connected: number }>(countAll, [tenantId]))[0]?.connected ?? 0
}
