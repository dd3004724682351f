import { statement, type Db } from './database.ts'

/** Where counting ends: a backlog of this size is a backlog, whatever its exact size. */
const countedAtMost = 10_001

const connectorsByStatus = statement(
  'figures.connectors',
  `select status, sum(connectors)::int as count
   from connector_counts
   group by status
   having sum(connectors) > 0`,
)
const migrationsApplied = statement('figures.migrations', 'select count(*)::int as count from migrations')
const dueRows = statement(
  'figures.due',
  `select 'revoke' as work, count(*)::int as count, min(since) as oldest
   from (
     select next_attempt_at as since
     from revocations
     where status = 'queued' and next_attempt_at <= $1
     order by next_attempt_at
     limit $2) as revocations
   union all
   select 'refresh', count(*)::int, min(since)
   from (
     select next_refresh_at as since
     from connectors
     where next_refresh_at <= $1
     limit $2) as connectors
   union all
   select 'mass-revoke', count(*)::int, min(since)
   from (
     select created_at as since
     from mass_revocations
     where swept_at is null
     limit $2) as mass_revocations
   union all
   select 'deliver', count(*)::int, min(since)
   from (
     select greatest(delivery.next_attempt_at, hook.retry_at, hook.claimed_at) as since
     from webhook_deliveries as delivery
     join webhooks as hook on hook.tenant_id = delivery.tenant_id and hook.webhook_id = delivery.webhook_id
     where delivery.status = 'pending' and delivery.next_attempt_at <= $1
       and hook.enabled and (hook.retry_at is null or hook.retry_at <= $1)
     limit $2) as deliveries
   union all
   select 'link', count(*)::int, min(since)
   from (
     select created_at as since
     from audit_entries
     where position is null
     limit $2) as entries`,
)

const pendingDeliveries = statement(
  'figures.pending_deliveries',
  `select count(*)::int as count
   from (
     select 1
     from webhook_deliveries
     where status = 'pending'
     limit $1) as deliveries`,
)

/** Connectors of all tenants by status; some rows of every tenant are read, so not for every request. */
export async function countConnectors(system: Db): Promise<{ readonly status: string; readonly count: number }[]> {
  return system.query(connectorsByStatus, [])
}

/**
 * What waits for background work, counted up to `countedAtMost`, and since when.
 *
 * A webhook's deliveries wait for a worker since one last came for them: what an outage left behind takes its time.
 */
export async function countDue(
  system: Db,
  now: Date,
): Promise<{ readonly work: string; readonly count: number; readonly oldest: Date | null }[]> {
  return system.query(dueRows, [now, countedAtMost])
}

/** Deliveries to webhooks that are still to be made, due or not, counted up to `countedAtMost`. */
export async function countPendingDeliveries(system: Db): Promise<number> {
  const [row] = await system.query<{ count: number }>(pendingDeliveries, [countedAtMost])
  return row?.count ?? 0
}

export async function countMigrations(system: Db): Promise<number> {
  const [row] = await system.query<{ count: number }>(migrationsApplied, [])
  return row?.count ?? 0
}
