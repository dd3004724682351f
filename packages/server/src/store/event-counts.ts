import type { TenantId } from '../core/ids.ts'
import { statement, type Db } from './database.ts'

/** How many events of one type fell into one bucket. */
export interface EventCount {
  /** When the bucket begins. */
  readonly bucket: Date
  readonly event_type: string
  readonly events: number
}

/**
 * Part of a statement that gives events their positions and calls them `told`: counts them in their hours. An event that
 * stands for several uses counts as so many.
 */
export const countTold = `counted as (
     insert into event_counts (tenant_id, hour, event_type, events)
     select tenant_id, date_trunc('hour', created_at, 'UTC'), event_type,
            sum(case when jsonb_typeof(metadata -> 'count') = 'number' then (metadata -> 'count')::bigint else 1 end)
     from told
     where position is not null
     group by tenant_id, date_trunc('hour', created_at, 'UTC'), event_type
     on conflict (tenant_id, hour, event_type) do update
     set events = event_counts.events + excluded.events)`

const selectBuckets = statement(
  'event_counts.by_bucket',
  `select date_trunc($3, hour, 'UTC') as bucket, event_type, sum(events)::float8 as events
   from event_counts
   where tenant_id = $1 and hour >= $2
   group by date_trunc($3, hour, 'UTC'), event_type
   order by bucket, event_type`,
)
const purge = statement(
  'event_counts.purge',
  `delete from event_counts
   where hour < $1`,
)

/** A tenant's events since `from`, counted by hour or day of UTC. Whoever links keeps the counts. */
export async function countEvents(
  db: Db,
  tenantId: TenantId,
  from: Date,
  bucket: 'hour' | 'day',
): Promise<readonly EventCount[]> {
  return db.query(selectBuckets, [tenantId, from, bucket])
}

/** Forgets the counts of hours before `before`. */
export async function purgeEventCounts(system: Db, before: Date): Promise<void> {
  await system.query(purge, [before])
}
