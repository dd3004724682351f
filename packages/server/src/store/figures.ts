import { statement, type Db } from './database.ts'

/** Where counting ends: a backlog of this size is a backlog, whatever its exact size. */
const countedAtMost = 10_001

const connectorsByStatus = statement(
  'figures.connectors',
  `select status, count(*)::int as count
   from connectors
   group by status`,
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
   select 'link', count(*)::int, min(since)
   from (
     select created_at as since
     from audit_entries
     where position is null
     limit $2) as entries`,
)

/** Connectors of all tenants by status; a scan of an index, so not for every request. */
export async function countConnectors(system: Db): Promise<{ readonly status: string; readonly count: number }[]> {
  return system.query(connectorsByStatus, [])
}

/** What waits for background work, counted up to `countedAtMost`, and since when. */
export async function countDue(
  system: Db,
  now: Date,
): Promise<{ readonly work: string; readonly count: number; readonly oldest: Date | null }[]> {
  return system.query(dueRows, [now, countedAtMost])
}

export async function countMigrations(system: Db): Promise<number> {
  const [row] = await system.query<{ count: number }>(migrationsApplied, [])
  return row?.count ?? 0
}
