import type { ConnectorId, TenantId } from '../core/ids.ts'
import { statement, type Db } from './database.ts'
import type { TimeCursor } from './events.ts'
import type { MassRevocationRow, RevocationRow } from './rows.ts'

export type MassRevocation = MassRevocationRow

/** Which connectors an order means, and up to when they must have been connected. */
export type MassRevocationFilter = Pick<
  MassRevocation,
  'provider_slug' | 'space_id' | 'connected_before' | 'connected_after' | 'principal_id' | 'created_at'
>

/** How many of an order's revocations have come how far. */
export interface MassRevocationTally {
  readonly mass_revocation_id: string
  readonly status: RevocationRow['status']
  readonly revocations: number
  readonly last_finished_at: Date | null
}

const columns = `tenant_id, mass_revocation_id, provider_slug, space_id, connected_before, connected_after, principal_id,
  actor_id, matched, began_at, swept_to, has_left_over, swept_at, retry_at, created_at`

/** In the order of `filterValues`. Credentials that came after the order are not meant. */
const meant = `tenant_id = $1
     and health <> 'disconnected'
     and coalesce(reconnected_at, created_at) <= $2
     and ($3::text is null or provider_slug = $3)
     and ($4::uuid is null or space_id = $4)
     and ($5::timestamptz is null or coalesce(reconnected_at, created_at) < $5)
     and ($6::timestamptz is null or coalesce(reconnected_at, created_at) > $6)
     and ($7::text is null or principal_subject = $7)`

const insertOne = statement(
  'mass_revocations.add',
  `insert into mass_revocations
     (tenant_id, created_at, provider_slug, space_id, connected_before, connected_after, principal_id,
      mass_revocation_id, actor_id, retry_at, matched)
   select $1, $2, $3, $4, $5, $6, $7, $8, $9, $2,
          (select count(*)
           from connectors
           where ${meant})
   returning ${columns}`,
)
const selectOne = statement(
  'mass_revocations.find',
  `select ${columns}
   from mass_revocations
   where tenant_id = $1 and mass_revocation_id = $2`,
)
const selectPage = statement(
  'mass_revocations.page',
  `select ${columns}
   from mass_revocations
   where tenant_id = $1
     and ($2::uuid[] is null or space_id = any($2))
     and ($3::timestamptz is null or (created_at, mass_revocation_id) > ($3, $4::text))
   order by created_at, mass_revocation_id
   limit $5`,
)
const selectNewest = statement(
  'mass_revocations.page_newest',
  `select ${columns}
   from mass_revocations
   where tenant_id = $1
     and ($2::uuid[] is null or space_id = any($2))
     and ($3::timestamptz is null or (created_at, mass_revocation_id) < ($3, $4::text))
   order by created_at desc, mass_revocation_id desc
   limit $5`,
)
const selectDue = statement(
  'mass_revocations.due',
  `select ${columns}
   from (
     select distinct on (tenant_id) ${columns}
     from mass_revocations
     where swept_at is null and retry_at <= $1
     order by tenant_id, retry_at, created_at) as due
   order by retry_at, created_at
   limit $2`,
)
const selectMeant = statement(
  'mass_revocations.meant',
  `select connector_id
   from connectors
   where ${meant}
     and connector_id > $8
   order by connector_id
   limit $9`,
)
const moveOn = statement(
  'mass_revocations.move_on',
  `update mass_revocations
   set swept_to = $3, has_left_over = has_left_over or $4, began_at = coalesce(began_at, $5), retry_at = $6
   where tenant_id = $1 and mass_revocation_id = $2 and swept_at is null`,
)
const beginAgain = statement(
  'mass_revocations.begin_again',
  `update mass_revocations
   set swept_to = null, has_left_over = false
   where tenant_id = $1 and mass_revocation_id = $2 and swept_at is null`,
)
const postpone = statement(
  'mass_revocations.postpone',
  `update mass_revocations
   set retry_at = $3
   where tenant_id = $1 and mass_revocation_id = $2 and swept_at is null`,
)
const end = statement(
  'mass_revocations.end',
  `update mass_revocations
   set swept_at = $3, began_at = coalesce(began_at, $3),
       matched = (select count(*)
                  from revocations
                  where tenant_id = $1 and mass_revocation_id = $2)
   where tenant_id = $1 and mass_revocation_id = $2 and swept_at is null
   returning matched`,
)
const tally = statement(
  'mass_revocations.tally',
  `select mass_revocation_id, status, count(*)::int as revocations, max(finished_at) as last_finished_at
   from revocations
   where tenant_id = $1 and mass_revocation_id = any($2)
   group by mass_revocation_id, status`,
)

function filterValues(tenantId: TenantId, filter: MassRevocationFilter): readonly unknown[] {
  const { created_at, provider_slug, space_id, connected_before, connected_after, principal_id } = filter
  return [tenantId, created_at, provider_slug, space_id, connected_before, connected_after, principal_id]
}

/** Stores an order and counts what it means. */
export async function addMassRevocation(
  db: Db,
  tenantId: TenantId,
  order: MassRevocationFilter & { readonly id: string; readonly actorId: string },
): Promise<MassRevocation> {
  const values = [...filterValues(tenantId, order), order.id, order.actorId]
  const [row] = await db.query<MassRevocation>(insertOne, values)
  if (row === undefined) throw new Error('The order was not stored')
  return row
}

export async function findMassRevocation(db: Db, tenantId: TenantId, id: string): Promise<MassRevocation | undefined> {
  return (await db.query<MassRevocation>(selectOne, [tenantId, id]))[0]
}

/** One page, the oldest or the newest first; with `spaces` only the orders for one of them. */
export async function pageMassRevocations(
  db: Db,
  tenantId: TenantId,
  spaces: readonly string[] | undefined,
  page: { readonly after: TimeCursor | undefined; readonly order: 'asc' | 'desc'; readonly limit: number },
): Promise<MassRevocation[]> {
  const values = [tenantId, spaces ?? null, page.after?.createdAt ?? null, page.after?.id ?? null, page.limit]
  return db.query<MassRevocation>(page.order === 'desc' ? selectNewest : selectPage, values)
}

/** Orders that are not worked off yet and whose turn it is, one of each tenant. */
export async function dueMassRevocations(system: Db, now: Date, limit: number): Promise<MassRevocation[]> {
  return system.query<MassRevocation>(selectDue, [now, limit])
}

/** The next connectors an order means, in the order of their ids. */
export async function meantConnectors(
  db: Db,
  tenantId: TenantId,
  filter: MassRevocationFilter,
  after: string,
  limit: number,
): Promise<ConnectorId[]> {
  const values = [...filterValues(tenantId, filter), after, limit]
  return (await db.query<{ connector_id: ConnectorId }>(selectMeant, values)).map((row) => row.connector_id)
}

/** Remembers how far an order has been worked off, so that a process that comes after a dead one goes on there. */
export async function moveOnMassRevocation(
  db: Db,
  order: MassRevocation,
  step: { readonly sweptTo: string; readonly leavesSome: boolean; readonly retryAt: Date },
  now: Date,
): Promise<void> {
  const { sweptTo, leavesSome, retryAt } = step
  await db.query(moveOn, [order.tenant_id, order.mass_revocation_id, sweptTo, leavesSome, now, retryAt])
}

/** Lets an order wait, so that one that cannot go on is not in the way of others. */
export async function postponeMassRevocation(db: Db, order: MassRevocation, retryAt: Date): Promise<void> {
  await db.query(postpone, [order.tenant_id, order.mass_revocation_id, retryAt])
}

/** Lets an order begin at its first connector again, for those that could not be disconnected. */
export async function beginMassRevocationAgain(db: Db, order: MassRevocation): Promise<void> {
  await db.query(beginAgain, [order.tenant_id, order.mass_revocation_id])
}

/** Records that every connector was looked at; answers how many were disconnected, `undefined` when it was known. */
export async function endMassRevocation(db: Db, order: MassRevocation, now: Date): Promise<number | undefined> {
  const rows = await db.query<{ matched: number }>(end, [order.tenant_id, order.mass_revocation_id, now])
  return rows[0]?.matched
}

export async function tallyMassRevocations(
  db: Db,
  tenantId: TenantId,
  ids: readonly string[],
): Promise<MassRevocationTally[]> {
  return db.query<MassRevocationTally>(tally, [tenantId, ids])
}
