import type { TenantId, WebhookId } from '../core/ids.ts'
import { statement, type Db } from './database.ts'
import type { WebhookDeliveryRow } from './rows.ts'
import type { ClaimedWebhook } from './webhook-claims.ts'

export type Delivery = WebhookDeliveryRow

/** One try to deliver, as it is kept. */
export interface Attempt {
  readonly at: string
  readonly duration_ms: number
  /** Absent when no reply came. */
  readonly status?: number
  /** A word for what went wrong, never the endpoint's own text. */
  readonly error?: string
}

const columns = `tenant_id, webhook_id, event_id, position, event_type, resource_id, status, attempts, first_attempt_at,
  next_attempt_at, attempt_log, created_at, finished_at`

/** The cursor moves with the deliveries that are made, or neither does; and only under the endpoint's claim. */
const fanOut = statement(
  'webhook_deliveries.fan_out',
  `with fresh as (
     select event_id, position, event_type, resource_id
     from events
     where tenant_id = $1 and position > $4
     order by position
     limit $5),
   reached as (
     select case when count(*) = $5 then max(position) else greatest(max(position), $6::bigint) end as position
     from fresh),
   moved as (
     update webhooks
     set cursor_position = greatest(reached.position, cursor_position)
     from reached
     where tenant_id = $1 and webhook_id = $2 and claim_fence = $3 and cursor_position = $4
     returning webhook_id, event_types, cursor_position),
   made as (
     insert into webhook_deliveries
       (tenant_id, webhook_id, event_id, position, event_type, resource_id, status, next_attempt_at, created_at)
     select $1, moved.webhook_id, event_id, position, event_type, resource_id, 'pending', $7, $7
     from fresh, moved
     where moved.event_types is null or event_type = any(moved.event_types)
       or split_part(event_type, '.', 1) || '.*' = any(moved.event_types)
     on conflict do nothing)
   select cursor_position
   from moved`,
)
/** Nothing overtakes an earlier delivery of the same resource, even if only that one waits. */
const selectDue = statement(
  'webhook_deliveries.due',
  `select ${columns}
   from webhook_deliveries as due
   where tenant_id = $1 and webhook_id = $2 and status = 'pending' and next_attempt_at <= $3
     and not exists (
       select 1
       from webhook_deliveries as earlier
       where earlier.tenant_id = $1 and earlier.webhook_id = $2 and earlier.resource_id = due.resource_id
         and earlier.status = 'pending' and earlier.position < due.position and earlier.next_attempt_at > $3)
   order by position
   limit $4`,
)
/** The one that failed least comes first, so that one which nobody takes does not stand in for all. */
const selectProbe = statement(
  'webhook_deliveries.probe',
  `select ${columns}
   from webhook_deliveries as due
   where tenant_id = $1 and webhook_id = $2 and status = 'pending' and next_attempt_at <= $3
     and not exists (
       select 1
       from webhook_deliveries as earlier
       where earlier.tenant_id = $1 and earlier.webhook_id = $2 and earlier.resource_id = due.resource_id
         and earlier.status = 'pending' and earlier.position < due.position)
   order by attempts, position
   limit 1`,
)
const deliver = statement(
  'webhook_deliveries.deliver',
  `update webhook_deliveries
   set status = 'delivered', attempts = attempts + 1, first_attempt_at = coalesce(first_attempt_at, $4),
       next_attempt_at = null, attempt_log = $5, finished_at = $4
   where tenant_id = $1 and webhook_id = $2 and event_id = $3`,
)
/** What follows of the same resource waits as long. */
const fail = statement(
  'webhook_deliveries.fail',
  `with failed as (
     update webhook_deliveries
     set status = $6, attempts = attempts + 1, first_attempt_at = coalesce(first_attempt_at, $4),
         next_attempt_at = $7, attempt_log = $5, finished_at = case when $6 = 'dead' then $4 end
     where tenant_id = $1 and webhook_id = $2 and event_id = $3
     returning resource_id, position)
   update webhook_deliveries as follower
   set next_attempt_at = greatest(follower.next_attempt_at, $7)
   from failed
   where follower.tenant_id = $1 and follower.webhook_id = $2 and follower.status = 'pending'
     and follower.resource_id = failed.resource_id and follower.position > failed.position and $6 = 'pending'`,
)
const statuses = ['pending', 'delivered', 'dead'] as const
/** In one status. Each has an index in the order of positions, which the status must be written out for. */
const newestIn = (status: (typeof statuses)[number]): string => `(
     select ${columns}
     from webhook_deliveries
     where tenant_id = $1 and webhook_id = $2 and status = '${status}'
       and coalesce($3, '${status}') = '${status}'
       and ($4::text is null or event_id = $4)
       and ($5::bigint is null or position < $5)
     order by position desc
     limit $6)`
const selectPage = statement(
  'webhook_deliveries.page',
  `select ${columns}
   from (${statuses.map(newestIn).join(' union all ')}) as newest
   order by position desc
   limit $6`,
)
/** One more than may be replayed is looked at: its time is where to go on. */
const replay = statement(
  'webhook_deliveries.replay',
  `with found as (
     select delivery.event_id, event.created_at,
            row_number() over (order by event.created_at, event.event_id) as place
     from webhook_deliveries as delivery
     join events as event on event.tenant_id = delivery.tenant_id and event.event_id = delivery.event_id
     where delivery.tenant_id = $1 and delivery.webhook_id = $2 and delivery.status <> 'pending'
       and ($4::text is null or delivery.event_id = $4)
       and ($5::text is null or delivery.status = $5)
       and ($6::timestamptz is null or event.created_at >= $6)
     order by event.created_at, event.event_id
     limit $7::int + 1),
   renewed as (
     update webhook_deliveries
     set status = 'pending', attempts = 0, first_attempt_at = null, next_attempt_at = $3, finished_at = null
     where tenant_id = $1 and webhook_id = $2 and status <> 'pending'
       and event_id = any(array(select event_id from found where place <= $7))
     returning event_id)
   select (select count(*)::int from renewed) as replayed,
          (select created_at from found where place > $7) as next_from`,
)
const purge = statement(
  'webhook_deliveries.purge',
  `delete from webhook_deliveries
   where finished_at < $1`,
)

/**
 * Makes deliveries of the events after the endpoint's cursor, up to `head` of the tenant's record, and answers the new cursor;
 * `undefined` when the claim is another's by now.
 */
export async function fanOutEvents(
  db: Db,
  webhook: ClaimedWebhook,
  cursor: number,
  head: number,
  now: Date,
): Promise<number | undefined> {
  const values = [webhook.tenant_id, webhook.webhook_id, webhook.claim_fence, cursor, eventsAtOnce, head, now]
  const [row] = await db.query<{ cursor_position: string }>(fanOut, values)
  return row && Number(row.cursor_position)
}

const eventsAtOnce = 500

/** What may be sent now, in the order of events. */
export async function dueDeliveries(db: Db, webhook: ClaimedWebhook, now: Date, limit: number): Promise<Delivery[]> {
  return db.query(selectDue, [webhook.tenant_id, webhook.webhook_id, now, limit])
}

/** One delivery to try an endpoint with that is in trouble. */
export async function probeDelivery(db: Db, webhook: ClaimedWebhook, now: Date): Promise<Delivery[]> {
  return db.query(selectProbe, [webhook.tenant_id, webhook.webhook_id, now])
}

export async function endDelivery(db: Db, delivery: Delivery, log: readonly Attempt[], now: Date): Promise<void> {
  const { tenant_id: tenant, webhook_id: hook, event_id: event } = delivery
  await db.query(deliver, [tenant, hook, event, now, JSON.stringify(log)])
}

/** Without `retryAt` it was the last attempt, and what follows goes on without it. */
export async function failDelivery(
  db: Db,
  delivery: Delivery,
  log: readonly Attempt[],
  now: Date,
  retryAt: Date | undefined,
): Promise<void> {
  const { tenant_id: tenant, webhook_id: hook, event_id: event } = delivery
  const status = retryAt === undefined ? 'dead' : 'pending'
  await db.query(fail, [tenant, hook, event, now, JSON.stringify(log), status, retryAt ?? null])
}

/** One page, newest first. */
export async function pageDeliveries(
  db: Db,
  webhook: { readonly tenantId: TenantId; readonly id: WebhookId },
  filter: { readonly status: string | undefined; readonly eventId: string | undefined },
  page: { readonly before: number | undefined; readonly limit: number },
): Promise<Delivery[]> {
  const { tenantId, id } = webhook
  const values = [tenantId, id, filter.status ?? null, filter.eventId ?? null, page.before ?? null, page.limit]
  return db.query(selectPage, values)
}

/**
 * Lets ended deliveries begin anew, under their old ids: those of the oldest events, at most `atMost`.
 *
 * Answers how many, and the time of the first event that is left, if any is.
 */
export async function replayDeliveries(
  db: Db,
  webhook: { readonly tenantId: TenantId; readonly id: WebhookId },
  which: { readonly eventId?: string; readonly status?: 'delivered' | 'dead'; readonly from?: Date },
  now: Date,
  atMost: number,
): Promise<{ readonly replayed: number; readonly nextFrom: Date | undefined }> {
  const { tenantId, id } = webhook
  const values = [tenantId, id, now, which.eventId ?? null, which.status ?? null, which.from ?? null, atMost]
  const [row] = await db.query<{ replayed: number; next_from: Date | null }>(replay, values)
  return { replayed: row?.replayed ?? 0, nextFrom: row?.next_from ?? undefined }
}

export async function purgeDeliveries(system: Db, endedBefore: Date): Promise<void> {
  await system.query(purge, [endedBefore])
}
