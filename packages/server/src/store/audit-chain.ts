import type { TenantId } from '../core/ids.ts'
import { planAnew, statement, type Db } from './database.ts'
import { countTold } from './event-counts.ts'
import type { AuditChainRow, AuditEntryRow } from './rows.ts'

const addChain = statement(
  'audit_chains.add',
  `insert into audit_chains (tenant_id, last_position, last_hash)
   values ($1, 0, $2)
   on conflict do nothing`,
)
const lock = statement(
  'audit_chains.lock',
  `select last_position, last_hash, signed_position, ${planAnew}
   from audit_chains
   where tenant_id = $1
   for update`,
)
const lockUnlessBusy = statement(
  'audit_chains.lock_unless_busy',
  `select last_position, last_hash, signed_position, ${planAnew}
   from audit_chains
   where tenant_id = $1
   for update skip locked`,
)
const selectUnlinked = statement(
  'audit_entries.unlinked',
  `select entry_id, action, actor_id, resource_type, resource_id, space_id, collection_id, metadata, created_at
   from audit_entries
   where tenant_id = $1 and position is null
   order by written
   limit $2`,
)
/** An entry and its event get one position; the head moves with them, and the counts of its hour. */
const link = statement(
  'audit_chains.link',
  `with link as (
     select * from unnest($2::text[], $3::bigint[], $4::bytea[]) as link (entry_id, position, hash)),
   entries as (
     update audit_entries as entry
     set position = link.position, hash = link.hash
     from link
     where entry.tenant_id = $1 and entry.entry_id = link.entry_id),
   told as (
     update events as event
     set position = link.position
     from link
     where event.tenant_id = $1 and event.event_id = link.entry_id
     returning event.tenant_id, event.event_type, event.metadata, event.created_at, event.position),
   ${countTold}
   update audit_chains
   set last_position = $5, last_hash = $6, checkpoint_due_at = least(checkpoint_due_at, $7)
   where tenant_id = $1`,
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

export type UnlinkedEntry = Omit<AuditEntryRow, 'tenant_id' | 'written' | 'position' | 'hash'>

/**
 * Takes the sole right to link until the transaction ends. `undefined` when somebody else has it and `whenBusy` is `leave`.
 *
 * Whoever reads entries under this lock sees all that another linker committed: there is no gap and no second position.
 */
export async function lockChain(
  db: Db,
  tenantId: TenantId,
  genesis: Buffer,
  whenBusy: 'wait' | 'leave',
): Promise<ChainHead | undefined> {
  const take = whenBusy === 'wait' ? lock : lockUnlessBusy
  const find = async () => (await db.query<HeadRow>(take, [tenantId]))[0]
  const row = (await find()) ?? (await addThen(db, tenantId, genesis, find))
  return row && toHead(row)
}

function toHead(row: HeadRow): ChainHead {
  return {
    position: Number(row.last_position),
    hash: row.last_hash,
    signedPosition: Number(row.signed_position),
  }
}

type HeadRow = Pick<AuditChainRow, 'last_position' | 'last_hash' | 'signed_position'>

/**
 * Takes the sole right to link to those chains of tenants to which one may add at once, until the transaction ends; the others are
 * left to whoever links them. It waits for nobody.
 */
export async function lockIdleChains(
  system: Db,
  tenants: readonly TenantId[],
): Promise<ReadonlyMap<string, ChainHead>> {
  const rows = await system.query<HeadRow & { readonly tenant_id: string }>(lockIdle, [tenants])
  return new Map(rows.map((row) => [row.tenant_id, toHead(row)]))
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

async function addThen<T>(db: Db, tenantId: TenantId, genesis: Buffer, find: () => Promise<T>): Promise<T> {
  await db.query(addChain, [tenantId, genesis])
  return find()
}

/** What no chain holds yet, in the order it was written. */
export function findUnlinked(db: Db, tenantId: TenantId, limit: number): Promise<UnlinkedEntry[]> {
  return db.query(selectUnlinked, [tenantId, limit])
}

/** Gives entries, and the events they stand for, their positions, and moves the head to the last of them. */
export async function linkEntries(
  db: Db,
  tenantId: TenantId,
  links: readonly { readonly entryId: string; readonly position: number; readonly hash: Buffer }[],
  checkpointDueAt: Date,
): Promise<void> {
  const last = links.at(-1)
  if (last === undefined) return
  await db.query(link, [
    tenantId,
    links.map((each) => each.entryId),
    links.map((each) => each.position),
    links.map((each) => each.hash),
    last.position,
    last.hash,
    checkpointDueAt,
  ])
}

/** Tenants with something to link, by id, after `after`. */
export async function tenantsWithUnlinked(system: Db, after: string, limit: number): Promise<string[]> {
  const rows = await system.query<{ tenant_id: string }>(selectTenantsWithUnlinked, [after, limit])
  return rows.map((row) => row.tenant_id)
}
