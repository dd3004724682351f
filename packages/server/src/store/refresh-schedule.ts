import type { ConnectorId, TenantId } from '../core/ids.ts'
import { connectorColumns } from './connectors.ts'
import { planAnew, statement, type Db } from './database.ts'
import type { ConnectorRow } from './rows.ts'

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

const lookedAt = 500

/**
 * Looks at what is due in the order of its times, but for contexts and tenants that have no room: so it costs as much as
 * is due, however many contexts there are. Those without room come as values, since PostgreSQL searches values by a hash,
 * but a subselect's one by one.
 *
 * Where more is due than one look takes in, it may all be of a few contexts, so it steps on from context to context along
 * the other index as well, a stretch from a place that differs each time.
 *
 * Of each context it takes the first few. A context is one tenant's; what a tenant with many contexts has too much is passed
 * over, up to a bound of its own, since the look must end.
 */
const claimDue = statement(
  'refresh.claim_due',
  `with recursive oldest as materialized (
     select context_id
     from connectors
     where next_refresh_at <= $1
       and context_id <> all($11::text[])
       and tenant_id <> all($12::text[])
     order by next_refresh_at
     limit ${lookedAt} + 1),
   stretch (context_id, steps) as (
     select min(context_id), 1
     from connectors
     where next_refresh_at is not null and context_id > $3 and (select count(*) from oldest) > ${lookedAt}
     union all
     select (
       select min(context_id)
       from connectors
       where next_refresh_at is not null and context_id > stretch.context_id), steps + 1
     from stretch
     where stretch.context_id is not null and steps < ${lookedAt}),
   contexts (context_id) as (
     select context_id from oldest
     union
     select context_id from stretch where context_id is not null),
   due (due_tenant, due_connector) as (
     select tenant_id, connector_id
     from (
       select seen.tenant_id, seen.connector_id, seen.room,
              row_number() over (partition by seen.tenant_id) as turn
       from (
         select taken.tenant_id, taken.connector_id, coalesce(of_tenant.room, $8) as room
         from (select context_id from contexts order by context_id <= $3, context_id) as contexts
         cross join lateral (
           select tenant_id
           from connectors
           where connectors.context_id = contexts.context_id and next_refresh_at is not null
           limit 1) as owner
         left join unnest($6::text[], $7::int[]) as limited (context_id, room) using (context_id)
         left join unnest($9::text[], $10::int[]) as of_tenant (tenant_id, room)
           on of_tenant.tenant_id = owner.tenant_id
         cross join lateral (
           select tenant_id, connector_id
           from connectors
           where connectors.context_id = contexts.context_id and next_refresh_at <= $1
           order by next_refresh_at
           limit least(coalesce(limited.room, $5), coalesce(of_tenant.room, $8))
           for update skip locked) as taken
         limit $4 * 4) as seen) as ranked
     where turn <= room
     limit $4)
   update connectors
   set next_refresh_at = $2
   from due
   where tenant_id = due_tenant and connector_id = due_connector
   returning ${connectorColumns}`,
)
/**
 * Every look goes by an index: of rows behind a policy PostgreSQL expects a hundredth, and would rather sort the whole table
 * than follow an index to the few hundred that are wanted.
 */
const plan = statement(
  'refresh.plan_claim',
  `select ${planAnew}, set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)`,
)
const reschedule = statement(
  'refresh.reschedule',
  `update connectors
   set next_refresh_at = $5
   where tenant_id = $1 and connector_id = $2 and version = $3 and next_refresh_at = $4`,
)

export interface DueClaim {
  /** Where many are due, contexts after this one come first; give another each time, so that none is always last. */
  readonly afterContext: string
  readonly limits: { readonly all: number; readonly ofContext: number; readonly ofTenant: number }
  /** Contexts that may take fewer than the others. */
  readonly rooms: ReadonlyMap<string, number>
  /** The same of tenants. */
  readonly roomsOfTenants: ReadonlyMap<string, number>
}

/**
 * Takes connectors that are due, a few of each context and of each tenant, so that none starves the others; a worker that dies gives them back
 * when `againAt` comes. Two workers never take the same. In a transaction of its own.
 */
export async function claimDueRefreshes(
  transaction: Db,
  now: Date,
  againAt: Date,
  { afterContext, limits, rooms, roomsOfTenants }: DueClaim,
): Promise<ConnectorRow[]> {
  const planning = transaction.query(plan, [])
  const claiming = transaction.query<ConnectorRow>(claimDue, [
    now,
    againAt,
    afterContext,
    limits.all,
    limits.ofContext,
    [...rooms.keys()],
    [...rooms.values()],
    limits.ofTenant,
    [...roomsOfTenants.keys()],
    [...roomsOfTenants.values()],
    full(rooms),
    full(roomsOfTenants),
  ])
  const [, rows] = await Promise.all([planning, claiming])
  return rows
}

function full(rooms: ReadonlyMap<string, number>): readonly string[] {
  return [...rooms].filter(([, room]) => room <= 0).map(([name]) => name)
}

/** Sets another time, `undefined` for never, unless somebody else has set one or changed the credentials. */
export async function rescheduleRefresh(
  db: Db,
  row: Pick<ConnectorRow, 'tenant_id' | 'connector_id' | 'version' | 'next_refresh_at'>,
  at: Date | undefined,
): Promise<void> {
  await db.query(reschedule, [row.tenant_id, row.connector_id, row.version, row.next_refresh_at, at ?? null])
}
