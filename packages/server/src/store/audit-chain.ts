import type { TenantId } from '../core/ids.ts'
import { planAnew, statement, type Db } from './database.ts'
import { countTold } from './event-counts.ts'
import type { AuditChainRow, AuditEntryRow } from './rows.ts'

const addAll = statement(
  'audit_chains.add',
  `insert into audit_chains (tenant_id, last_position, last_hash)
   select tenant_id, 0, $2
   from unnest($1::text[]) as added (tenant_id)
   on conflict do nothing`,
)
/** In one order, so that those who wait for several chains cannot wait for each other. */
const lock = (whenBusy: string) => `select tenant_id, last_position, last_hash, signed_position, ${planAnew}
   from audit_chains
   where tenant_id = any($1)
   order by tenant_id
   for update ${whenBusy}`
const lockAll = statement('audit_chains.lock', lock(''))
const lockUnlessBusy = statement('audit_chains.lock_unless_busy', lock('skip locked'))
const selectUnlinked = statement(
  'audit_entries.unlinked',
  `select waiting.tenant_id, entry_id, action, actor_id, resource_type, resource_id, space_id, collection_id, metadata,
          created_at
   from unnest($1::text[]) as chain (tenant_id)
   cross join lateral (
     select *
     from audit_entries
     where audit_entries.tenant_id = chain.tenant_id and position is null
     order by written
     limit $2) as waiting
   order by waiting.tenant_id, written`,
)
/** An entry and its event get one position, and the event is counted in its hour. */
const linkAll = statement(
  'audit_entries.link',
  `with link as (
     select *
     from unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[]) as link (tenant_id, entry_id, position, hash)),
   told as (
     update events as event
     set position = link.position
     from link
     where event.tenant_id = link.tenant_id and event.event_id = link.entry_id
     returning event.tenant_id, event.event_type, event.metadata, event.created_at, event.position),
   ${countTold}
   update audit_entries as entry
   set position = link.position, hash = link.hash
   from link
   where entry.tenant_id = link.tenant_id and entry.entry_id = link.entry_id`,
)
/**
 * Chains in which nothing waits and that nobody works on. What was committed before is seen here, so it does wait or has
 * its place.
 */
const lockIdle = statement(
  'audit_chains.lock_idle',
  `select tenant_id, last_position, last_hash, signed_position
   from audit_chains
   where tenant_id = any($1)
     and not exists (
       select
       from audit_entries
       where audit_entries.tenant_id = audit_chains.tenant_id and audit_entries.position is null)
   for update skip locked`,
)
const moveHeads = statement(
  'audit_chains.move',
  `update audit_chains
   set last_position = head.position, last_hash = head.hash, checkpoint_due_at = least(checkpoint_due_at, head.due_at)
   from unnest($1::text[], $2::bigint[], $3::bytea[], $4::timestamptz[]) as head (tenant_id, position, hash, due_at)
   where audit_chains.tenant_id = head.tenant_id`,
)
const selectTenantsWithUnlinked = statement(
  'audit_entries.tenants_with_unlinked',
  `select tenant_id
   from audit_entries
   where position is null and tenant_id > $1
   group by tenant_id
   order by tenant_id
   limit $2`,
)

/** Where a tenant's chain ends. */
export interface ChainHead {
  readonly position: number
  readonly hash: Buffer
  /** The last position that a checkpoint was signed for. */
  readonly signedPosition: number
}

export type UnlinkedEntry = Omit<AuditEntryRow, 'written' | 'position' | 'hash'>

/**
 * Takes the sole right to link to these tenants' chains until the transaction ends. Chains that somebody else has are left out
 * when `whenBusy` is `leave`.
 *
 * Whoever reads entries under this lock sees all that another linker committed: there is no gap and no second position.
 */
export async function lockChains(
  db: Db,
  tenants: readonly TenantId[],
  genesis: Buffer,
  whenBusy: 'wait' | 'leave',
): Promise<ReadonlyMap<string, ChainHead>> {
  const take = whenBusy === 'wait' ? lockAll : lockUnlessBusy
  const find = (of: readonly string[]) => db.query<NamedHeadRow>(take, [of])
  const found = await find(tenants)
  const names = new Set(found.map((row) => row.tenant_id))
  const missing = tenants.filter((tenant) => !names.has(tenant)).toSorted()
  if (missing.length === 0) return toHeads(found)
  await db.query(addAll, [missing, genesis])
  return toHeads([...found, ...(await find(missing))])
}

function toHeads(rows: readonly NamedHeadRow[]): ReadonlyMap<string, ChainHead> {
  return new Map(rows.map((row) => [row.tenant_id, toHead(row)]))
}

function toHead(row: NamedHeadRow): ChainHead {
  return {
    position: Number(row.last_position),
    hash: row.last_hash,
    signedPosition: Number(row.signed_position),
  }
}

type NamedHeadRow = Pick<AuditChainRow, 'tenant_id' | 'last_position' | 'last_hash' | 'signed_position'>

/**
 * Takes the sole right to link to those chains of tenants to which one may add at once, until the transaction ends; the others are
 * left to whoever links them. It waits for nobody.
 */
export async function lockIdleChains(
  system: Db,
  tenants: readonly TenantId[],
): Promise<ReadonlyMap<string, ChainHead>> {
  return toHeads(await system.query<NamedHeadRow>(lockIdle, [tenants]))
}

/** Moves the heads of chains that this transaction holds. */
export async function moveChainHeads(
  system: Db,
  heads: readonly {
    readonly tenantId: string
    readonly position: number
    readonly hash: Buffer
    readonly checkpointDueAt: Date
  }[],
): Promise<void> {
  await system.query(moveHeads, [
    heads.map((head) => head.tenantId),
    heads.map((head) => head.position),
    heads.map((head) => head.hash),
    heads.map((head) => head.checkpointDueAt),
  ])
}

/** What no chain holds yet, tenant by tenant in the order it was written; of each tenant at most so much. */
export function findUnlinked(db: Db, tenants: readonly string[], ofEach: number): Promise<UnlinkedEntry[]> {
  return db.query(selectUnlinked, [tenants, ofEach])
}

/** Gives entries, and the events they stand for, their positions. Whoever calls holds their chains, and moves the heads. */
export async function linkEntries(
  db: Db,
  links: readonly {
    readonly tenantId: string
    readonly entryId: string
    readonly position: number
    readonly hash: Buffer
  }[],
): Promise<void> {
  await db.query(linkAll, [
    links.map((each) => each.tenantId),
    links.map((each) => each.entryId),
    links.map((each) => each.position),
    links.map((each) => each.hash),
  ])
}

/** Tenants with something to link, by id, after `after`. */
export async function tenantsWithUnlinked(system: Db, after: string, limit: number): Promise<string[]> {
  const rows = await system.query<{ tenant_id: string }>(selectTenantsWithUnlinked, [after, limit])
  return rows.map((row) => row.tenant_id)
}
