import type { ConnectorId, TenantId } from '../core/ids.ts'
import { statement, type Db } from './database.ts'

/** Uses of one connector's token that differ in nothing but their moment. */
export interface RecordedUse {
  readonly tenantId: TenantId
  /** Of the entry, and of the event where there is one. Writing the same id twice writes it once. */
  readonly id: string
  readonly action: 'token.exported' | 'token.refused' | 'connector.proxied'
  readonly actorId: string
  readonly connectorId: ConnectorId
  readonly spaceId: string
  readonly collectionId: string
  readonly metadata: string
  readonly lastAt: Date
}

/** Exports are events as well; refused ones and calls through the proxy stand in the record alone. */
const insertAll = statement(
  'uses.add',
  `with used as (
     select *
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], $8::text[],
                 $9::timestamptz[])
       as used (tenant_id, entry_id, action, actor_id, connector_id, space_id, collection_id, metadata, created_at)),
   told as (
     insert into events
       (tenant_id, event_id, category, event_type, actor_id, resource_type, resource_id, space_id, collection_id,
        metadata, created_at)
     select tenant_id, entry_id, split_part(action, '.', 1), action, actor_id, 'connector', connector_id, space_id,
            collection_id, metadata::jsonb, created_at
     from used
     where action = 'token.exported'
     on conflict (tenant_id, event_id) do nothing)
   insert into audit_entries
     (tenant_id, entry_id, action, actor_id, resource_type, resource_id, space_id, collection_id, metadata, created_at)
   select tenant_id, entry_id, action, actor_id, 'connector', connector_id, space_id, collection_id, metadata::jsonb,
          created_at
   from used
   on conflict (tenant_id, entry_id) do nothing`,
)

/** Writes uses of any tenants in one statement. */
export async function addUses(system: Db, uses: readonly RecordedUse[]): Promise<void> {
  await system.query(insertAll, [
    uses.map((use) => use.tenantId),
    uses.map((use) => use.id),
    uses.map((use) => use.action),
    uses.map((use) => use.actorId),
    uses.map((use) => use.connectorId),
    uses.map((use) => use.spaceId),
    uses.map((use) => use.collectionId),
    uses.map((use) => use.metadata),
    uses.map((use) => use.lastAt),
  ])
}
