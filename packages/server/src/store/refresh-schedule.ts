import type { ConnectorId, TenantId } from '../core/ids.ts'
import { statement, type Db } from './database.ts'

/** A connector's last use among those written together. */
export interface ConnectorUse {
  readonly tenantId: TenantId
  readonly connectorId: ConnectorId
  readonly usedAt: Date
}

/**
 * Rows are locked in one order, so that two flushes cannot wait for each other. Two minutes lie within the sweep's
 * margin; it corrects the time for tokens that live shorter.
 */
const mark = statement(
  'refresh.mark_used',
  `with uses as (
     select tenant_id, connector_id, used_at
     from unnest($1::text[], $2::text[], $3::timestamptz[]) as use (tenant_id, connector_id, used_at)),
   locked as (
     select connectors.tenant_id, connectors.connector_id, uses.used_at
     from connectors
     join uses using (tenant_id, connector_id)
     order by connectors.tenant_id, connectors.connector_id
     for no key update of connectors)
   update connectors
   set last_used_at = greatest(connectors.last_used_at, locked.used_at),
       next_refresh_at = case
         when connectors.health = 'active' and connectors.next_refresh_at > connectors.access_token_expires_at
           then connectors.access_token_expires_at - interval '2 minutes'
         else connectors.next_refresh_at
       end
   from locked
   where connectors.tenant_id = locked.tenant_id and connectors.connector_id = locked.connector_id`,
)

/**
 * Writes when connectors were last used, in one statement over tenants; each connector at most once.
 *
 * What is used is refreshed before its access token expires: a connector that had been idle, and so was to be refreshed long
 * after that, is brought forward.
 */
export async function markUsed(system: Db, uses: readonly ConnectorUse[]): Promise<void> {
  if (uses.length === 0) return
  await system.query(mark, [
    uses.map((use) => use.tenantId),
    uses.map((use) => use.connectorId),
    uses.map((use) => use.usedAt),
  ])
}
