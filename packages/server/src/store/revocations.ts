import type { TenantId } from '../core/ids.ts'
import { statement, type Db } from './database.ts'
import type { RevocationRow } from './rows.ts'

export type Revocation = RevocationRow

const columns = `tenant_id, revocation_id, connector_id, provider_slug, context_id, space_id, collection_id, status, reason,
  attempts, access_token, refresh_token, kept, next_attempt_at, created_at, finished_at, mass_revocation_id,
  url_variables`

const insertOne = statement(
  'revocations.add',
  `insert into revocations
     (tenant_id, revocation_id, connector_id, provider_slug, context_id, space_id, collection_id, status, reason,
      access_token, refresh_token, kept, next_attempt_at, created_at, finished_at, mass_revocation_id, url_variables)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
)
const selectNewest = statement(
  'revocations.newest',
  `select ${columns}
   from revocations
   where tenant_id = $1 and connector_id = $2
   order by created_at desc
   limit 1`,
)
const claimDue = statement(
  'revocations.claim_due',
  `with at_provider as (
     select tenant_id, provider_slug, count(*) as under_way
     from unnest($6::text[], $7::text[]) as one (tenant_id, provider_slug)
     group by tenant_id, provider_slug),
   of_tenant as (
     select tenant_id, sum(under_way) as under_way
     from at_provider
     group by tenant_id),
   due as (
     select tenant_id, revocation_id, next_attempt_at,
            coalesce(under_way, 0) + row_number() over (partition by tenant_id, provider_slug order by next_attempt_at)
              as turn_at_provider
     from revocations
     left join at_provider using (tenant_id, provider_slug)
     where status = 'queued' and next_attempt_at <= $1 and tenant_id <> all($8::text[])),
   admitted as (
     select tenant_id, revocation_id,
            coalesce(under_way, 0) + row_number() over (partition by tenant_id order by next_attempt_at) as turn
     from due
     left join of_tenant using (tenant_id)
     where turn_at_provider <= $5)
   update revocations
   set next_attempt_at = $2, attempts = attempts + 1
   where status = 'queued' and next_attempt_at <= $1
     and (tenant_id, revocation_id) in (
       select tenant_id, revocation_id
       from admitted
       where turn <= $4
       order by turn
       limit $3)
   returning ${columns}`,
)
const end = statement(
  'revocations.end',
  `update revocations
   set status = $3, reason = $4, access_token = null, refresh_token = null, next_attempt_at = null, finished_at = $5
   where tenant_id = $1 and revocation_id = $2 and status = 'queued'
   returning revocation_id`,
)
const cancel = statement(
  'revocations.cancel',
  `update revocations
   set status = 'failed', reason = 'reconnected', access_token = null, refresh_token = null, next_attempt_at = null,
       finished_at = $3
   where tenant_id = $1 and connector_id = $2 and status = 'queued'
   returning revocation_id`,
)
const postpone = statement(
  'revocations.postpone',
  `update revocations
   set reason = $3, next_attempt_at = $4
   where tenant_id = $1 and revocation_id = $2 and status = 'queued'`,
)

const countQueued = statement(
  'revocations.count_queued',
  `select count(*)::int as queued
   from revocations
   where tenant_id = $1 and status = 'queued'`,
)

export async function addRevocation(db: Db, row: Omit<Revocation, 'attempts'>): Promise<void> {
  await db.query(insertOne, [
    row.tenant_id,
    row.revocation_id,
    row.connector_id,
    row.provider_slug,
    row.context_id,
    row.space_id,
    row.collection_id,
    row.status,
    row.reason,
    row.access_token,
    row.refresh_token,
    JSON.stringify(row.kept),
    row.next_attempt_at,
    row.created_at,
    row.finished_at,
    row.mass_revocation_id,
    JSON.stringify(row.url_variables),
  ])
}

export async function findNewestRevocation(
  db: Db,
  tenantId: TenantId,
  connectorId: string,
): Promise<Revocation | undefined> {
  return (await db.query<Revocation>(selectNewest, [tenantId, connectorId]))[0]
}

export interface RevocationClaim {
  readonly limits: { readonly all: number; readonly ofTenant: number; readonly ofTenantAtProvider: number }
  /** What the claimant is working on; it counts towards the limits. */
  readonly underWay: readonly Revocation[]
  /** Tenants of which nothing is taken. */
  readonly without: readonly string[]
}

/**
 * Takes revocations that are due, a few of each tenant and of each of its providers, so that neither a tenant nor a provider
 * that hangs holds up the others; a worker that dies gives them back when `retryAt` comes. Of two workers that see the
 * same row, the second finds it no longer due.
 */
export async function claimDueRevocations(
  system: Db,
  now: Date,
  retryAt: Date,
  { limits, underWay, without }: RevocationClaim,
): Promise<Revocation[]> {
  return system.query<Revocation>(claimDue, [
    now,
    retryAt,
    limits.all,
    limits.ofTenant,
    limits.ofTenantAtProvider,
    underWay.map((revocation) => revocation.tenant_id),
    underWay.map((revocation) => revocation.provider_slug),
    without,
  ])
}

/** Records the end state and destroys the sealed tokens. Answers `false` when it had ended before. */
export async function endRevocation(
  db: Db,
  tenantId: TenantId,
  id: string,
  outcome: { readonly status: 'revoked' | 'unsupported' | 'failed'; readonly reason: string | undefined },
  now: Date,
): Promise<boolean> {
  return (await db.query(end, [tenantId, id, outcome.status, outcome.reason ?? null, now])).length > 0
}

export async function postponeRevocation(
  db: Db,
  tenantId: TenantId,
  id: string,
  reason: string,
  nextAttemptAt: Date,
): Promise<void> {
  await db.query(postpone, [tenantId, id, reason, nextAttemptAt])
}

/**
 * Gives up what is still queued for a connector and destroys its sealed tokens; answers the revocations' ids.
 *
 * For a connector whose account was connected again: at many providers revoking the old tokens would end the new grant.
 */
export async function cancelRevocations(db: Db, tenantId: TenantId, connectorId: string, now: Date): Promise<string[]> {
  const rows = await db.query<{ revocation_id: string }>(cancel, [tenantId, connectorId, now])
  return rows.map((row) => row.revocation_id)
}

/** How many of a tenant's revocations the provider is still to be told of. */
export async function countQueuedRevocations(db: Db, tenantId: TenantId): Promise<number> {
  return (await db.query<{ queued: number }>(countQueued, [tenantId]))[0]?.queued ?? 0
}
