import type { ConnectorId, TenantId } from '../core/ids.ts'
import { statement, type Db } from './database.ts'
import { countTold } from './event-counts.ts'

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
  /** The record's own moment: `lastAt`, unless it is written much later. */
  readonly createdAt: Date
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

/** The same with the places in their chains, and counted as what is linked is. Whoever links may write each once only: a second time would leave a gap. */
const insertLinked = statement(
  'uses.add_linked',
  `with used as (
     select *
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], $8::text[],
                 $9::timestamptz[], $10::bigint[], $11::bytea[])
       as used (tenant_id, entry_id, action, actor_id, connector_id, space_id, collection_id, metadata, created_at,
                position, hash)),
   told as (
     insert into events
       (tenant_id, event_id, category, event_type, actor_id, resource_type, resource_id, space_id, collection_id,
        metadata, created_at, position)
     select tenant_id, entry_id, split_part(action, '.', 1), action, actor_id, 'connector', connector_id, space_id,
            collection_id, metadata::jsonb, created_at, position
     from used
     where action = 'token.exported'
     returning tenant_id, event_type, metadata, created_at, position),
   ${countTold}
   insert into audit_entries
     (tenant_id, entry_id, action, actor_id, resource_type, resource_id, space_id, collection_id, metadata, created_at,
      position, hash)
   select tenant_id, entry_id, action, actor_id, 'connector', connector_id, space_id, collection_id, metadata::jsonb,
          created_at, position, hash
   from used`,
)

/** Writes uses of any tenants in one statement, to be linked later. */
export async function addUses(system: Db, uses: readonly RecordedUse[]): Promise<void> {
  await system.query(insertAll, columnsOf(uses))
}

/** A use and its place in its tenant's chain; without one it is linked later. */
export interface LinkedUse {
  readonly use: RecordedUse
  readonly link: { readonly position: number; readonly hash: Buffer } | undefined
}

/** Writes uses that were never sent before, in the transaction that holds and moves the heads of their chains. */
export async function addLinkedUses(system: Db, uses: readonly LinkedUse[]): Promise<void> {
  await system.query(insertLinked, [
    ...columnsOf(uses.map(({ use }) => use)),
    uses.map(({ link }) => link?.position ?? null),
    uses.map(({ link }) => link?.hash ?? null),
  ])
}

function columnsOf(uses: readonly RecordedUse[]): readonly unknown[] {
  return [
    uses.map((use) => use.tenantId),
    uses.map((use) => use.id),
    uses.map((use) => use.action),
    uses.map((use) => use.actorId),
    uses.map((use) => use.connectorId),
    uses.map((use) => use.spaceId),
    uses.map((use) => use.collectionId),
    uses.map((use) => use.metadata),
    uses.map((use) => use.createdAt),
  ]
}
