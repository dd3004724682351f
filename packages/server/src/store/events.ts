import type { TenantId } from '../core/ids.ts'
import { mintEventId } from '../core/ids.ts'
import { statement, type Db } from './database.ts'
import { positionsBetween } from './positions.ts'
import type { EventRow } from './rows.ts'

/** What an event or an audit entry is about. */
export type ResourceType =
  | 'connector'
  | 'provider_app'
  | 'session'
  | 'lease'
  | 'webhook'
  | 'key'
  | 'tenant'
  | 'mass_revocation'

/** Something that happened, written in the same transaction as its cause. */
export interface NewEvent {
  readonly eventType: string
  readonly actorId: string | undefined
  readonly resourceType: ResourceType
  readonly resourceId: string
  readonly place: { readonly space_id: string; readonly collection_id: string } | undefined
  /** Ids and words only, never a secret. */
  readonly metadata: Readonly<Record<string, unknown>>
  readonly callerContext?: { readonly eventId: string; readonly sealed: Buffer } | undefined
}

export interface EventFilter {
  readonly category?: string | undefined
  readonly resourceType?: string | undefined
  readonly resourceId?: string | undefined
  readonly fromDate?: Date | undefined
  readonly toDate?: Date | undefined
  /** Absent: all of them. Events that belong to no space are left out otherwise. */
  readonly spaces?: readonly string[] | undefined
  readonly collections?: readonly string[] | undefined
}

/** Position in a list ordered by time, then id. */
export interface TimeCursor {
  readonly createdAt: Date
  readonly id: string
}

/** An event and its audit entry: one cannot be written without the other. */
const insertOne = statement(
  'events.add',
  `with event as (
     insert into events
       (tenant_id, event_id, category, event_type, actor_id, resource_type, resource_id, space_id, collection_id,
        metadata, caller_context, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
     returning *)
   insert into audit_entries
     (tenant_id, entry_id, action, actor_id, resource_type, resource_id, space_id, collection_id, metadata, created_at)
   select tenant_id, event_id, event_type, actor_id, resource_type, resource_id, space_id, collection_id, metadata,
          created_at
   from event`,
)
const conditions = `${positionsBetween('$6', '$7')}
     and ($3::text is null or category = $3)
     and ($4::text is null or resource_type = $4)
     and ($5::text is null or resource_id = $5)
     and ($6::timestamptz is null or created_at >= $6)
     and ($7::timestamptz is null or created_at <= $7)
     and ($8::uuid[] is null or space_id = any($8))
     and ($9::uuid[] is null or collection_id = any($9))`
const selectPage = statement(
  'events.page',
  `select event_id, category, event_type, actor_id, resource_type, resource_id, metadata, caller_context, created_at,
          position
   from events
   where tenant_id = $1
     and position > $2
     and ${conditions}
   order by position
   limit $10`,
)
const selectNewest = statement(
  'events.page_newest',
  `select event_id, category, event_type, actor_id, resource_type, resource_id, metadata, caller_context, created_at,
          position
   from events
   where tenant_id = $1
     and position < least(9223372036854775807, $2::bigint)
     and ${conditions}
   order by position desc
   limit $10`,
)

const selectSome = statement(
  'events.find',
  `select event_id, category, event_type, actor_id, resource_type, resource_id, metadata, caller_context, created_at,
          position
   from events
   where tenant_id = $1 and event_id = any($2)`,
)

export async function addEvent(db: Db, tenantId: TenantId, event: NewEvent, now: Date): Promise<void> {
  await db.query(insertOne, [
    tenantId,
    event.callerContext?.eventId ?? mintEventId(),
    event.eventType.slice(0, event.eventType.indexOf('.')),
    event.eventType,
    event.actorId ?? null,
    event.resourceType,
    event.resourceId,
    event.place?.space_id ?? null,
    event.place?.collection_id ?? null,
    JSON.stringify(event.metadata),
    event.callerContext?.sealed ?? null,
    now,
  ])
}

export type PagedEvent = Omit<EventRow, 'tenant_id' | 'space_id' | 'collection_id'>

/** Events after a position, in their order, which is also that of the audit record. What is not linked yet is left out. */
export async function pageEvents(
  db: Db,
  tenantId: TenantId,
  filter: EventFilter,
  page: { readonly after: number; readonly limit: number },
): Promise<PagedEvent[]> {
  return db.query(selectPage, [tenantId, page.after, ...filterValues(filter), page.limit])
}

/** The newest events first, before a position where one is given. */
export async function pageNewestEvents(
  db: Db,
  tenantId: TenantId,
  filter: EventFilter,
  page: { readonly before: number | undefined; readonly limit: number },
): Promise<PagedEvent[]> {
  return db.query(selectNewest, [tenantId, page.before ?? null, ...filterValues(filter), page.limit])
}

function filterValues(filter: EventFilter): unknown[] {
  return [
    filter.category ?? null,
    filter.resourceType ?? null,
    filter.resourceId ?? null,
    filter.fromDate ?? null,
    filter.toDate ?? null,
    filter.spaces ?? null,
    filter.collections ?? null,
  ]
}

/** These events, in no order; what does not exist is left out. */
export async function findEvents(db: Db, tenantId: TenantId, ids: readonly string[]): Promise<PagedEvent[]> {
  return db.query(selectSome, [tenantId, ids])
}
