import { statement, type Db } from './database.ts'

/** What is left of a provider's limit, for one account of a context or, with an empty connector id, for all of them. */
export interface StoredBudget {
  readonly tenantId: string
  readonly contextId: string
  readonly connectorId: string
  readonly bucket: string
  readonly remaining: number
  readonly resetsAt: Date
}

interface Row {
  readonly tenant_id: string
  readonly context_id: string
  readonly connector_id: string
  readonly bucket: string
  readonly remaining: number
  readonly resets_at: Date
}

/** Of two words on one window the lower counts; a later window replaces an earlier one. */
const saveAll = statement(
  'rate_budgets.save',
  `insert into rate_budgets as known
     (tenant_id, context_id, connector_id, bucket, remaining, resets_at, changed_at)
   select tenant_id, context_id, connector_id, bucket, remaining, resets_at, $7
   from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::timestamptz[])
     as told (tenant_id, context_id, connector_id, bucket, remaining, resets_at)
   on conflict (tenant_id, context_id, connector_id, bucket) do update
   set remaining = excluded.remaining, resets_at = excluded.resets_at, changed_at = excluded.changed_at
   where known.remaining > excluded.remaining or known.resets_at + interval '2 seconds' < excluded.resets_at`,
)
const selectChanged = statement(
  'rate_budgets.changed',
  `select tenant_id, context_id, connector_id, bucket, remaining, resets_at
   from rate_budgets
   where changed_at >= $1 and resets_at > $2
   order by changed_at desc
   limit 1000`,
)
const purgeOld = statement('rate_budgets.purge', `delete from rate_budgets where resets_at < $1`)

/** Writes budgets of any tenants in one statement. */
export async function saveRateBudgets(system: Db, budgets: readonly StoredBudget[], now: Date): Promise<void> {
  await system.query(saveAll, [
    budgets.map((budget) => budget.tenantId),
    budgets.map((budget) => budget.contextId),
    budgets.map((budget) => budget.connectorId),
    budgets.map((budget) => budget.bucket),
    budgets.map((budget) => budget.remaining),
    budgets.map((budget) => budget.resetsAt),
    now,
  ])
}

/** What any process wrote since then and is still good; the newest thousand. */
export async function changedRateBudgets(system: Db, since: Date, now: Date): Promise<StoredBudget[]> {
  const rows = await system.query<Row>(selectChanged, [since, now])
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    contextId: row.context_id,
    connectorId: row.connector_id,
    bucket: row.bucket,
    remaining: row.remaining,
    resetsAt: row.resets_at,
  }))
}

export async function purgeRateBudgets(system: Db, before: Date): Promise<void> {
  await system.query(purgeOld, [before])
}
