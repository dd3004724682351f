import type { AuditCheckpoint } from '../core/audit-checkpoint.ts'
import type { TenantId } from '../core/ids.ts'
import { statement, type Db } from './database.ts'
import type { AuditCheckpointRow, AuditKeyRow } from './rows.ts'

const selectKeys = statement(
  'audit_keys.list',
  `select tenant_id, key_id, public_key, private_key, created_at
   from audit_keys
   where tenant_id = $1
   order by created_at desc, key_id`,
)
const insertKey = statement(
  'audit_keys.add',
  `insert into audit_keys (tenant_id, key_id, public_key, private_key, created_at)
   values ($1, $2, $3, $4, $5)
   on conflict do nothing`,
)
const insertCheckpoint = statement(
  'audit_checkpoints.add',
  `with checkpoint as (
     insert into audit_checkpoints (tenant_id, position, hash, created_at, key_id, signature)
     values ($1, $2, $3, $4, $5, $6)
     on conflict do nothing)
   update audit_chains
   set signed_position = $2, checkpoint_due_at = null
   where tenant_id = $1`,
)
const postpone = statement(
  'audit_checkpoints.postpone',
  `update audit_chains
   set checkpoint_due_at = $2
   where tenant_id = $1`,
)
const selectDue = statement(
  'audit_checkpoints.due',
  `select tenant_id
   from audit_chains
   where checkpoint_due_at <= $1
   order by checkpoint_due_at
   limit $2`,
)
const selectRange = statement(
  'audit_checkpoints.range',
  `select tenant_id, position, hash, created_at, key_id, signature
   from audit_checkpoints
   where tenant_id = $1 and position > $2 and position <= $3
   order by position
   limit $4`,
)
const selectNewest = statement(
  'audit_checkpoints.newest',
  `select tenant_id, position, hash, created_at, key_id, signature
   from audit_checkpoints
   where tenant_id = $1
   order by position desc
   limit 1`,
)

/** The tenant's signing keys, the newest first: that one signs. */
export function listAuditKeys(db: Db, tenantId: TenantId): Promise<AuditKeyRow[]> {
  return db.query<AuditKeyRow>(selectKeys, [tenantId])
}

export async function addAuditKey(db: Db, key: AuditKeyRow): Promise<void> {
  await db.query(insertKey, [key.tenant_id, key.key_id, key.public_key, key.private_key, key.created_at])
}

/** Stores a checkpoint of the chain's head; run it under the chain's lock. */
export async function addCheckpoint(db: Db, checkpoint: AuditCheckpoint): Promise<void> {
  await db.query(insertCheckpoint, [
    checkpoint.tenant_id,
    checkpoint.position,
    Buffer.from(checkpoint.hash, 'hex'),
    checkpoint.created_at,
    checkpoint.key_id,
    checkpoint.signature,
  ])
}

/** Lets a checkpoint that could not be signed wait, so that it does not keep the others from it. */
export async function postponeCheckpoint(db: Db, tenantId: TenantId, until: Date): Promise<void> {
  await db.query(postpone, [tenantId, until])
}

export async function tenantsWithDueCheckpoint(system: Db, now: Date, limit: number): Promise<string[]> {
  const rows = await system.query<{ tenant_id: string }>(selectDue, [now, limit])
  return rows.map((row) => row.tenant_id)
}

/** Checkpoints after one position and up to another, in their order. */
export async function findCheckpoints(
  db: Db,
  tenantId: TenantId,
  range: { readonly after: number; readonly upTo: number; readonly limit: number },
): Promise<AuditCheckpoint[]> {
  const values = [tenantId, range.after, range.upTo, range.limit]
  return (await db.query<AuditCheckpointRow>(selectRange, values)).map(toCheckpoint)
}

export async function newestCheckpoint(db: Db, tenantId: TenantId): Promise<AuditCheckpoint | undefined> {
  const [row] = await db.query<AuditCheckpointRow>(selectNewest, [tenantId])
  return row && toCheckpoint(row)
}

function toCheckpoint(row: AuditCheckpointRow): AuditCheckpoint {
  return {
    tenant_id: row.tenant_id,
    position: Number(row.position),
    hash: row.hash.toString('hex'),
    created_at: row.created_at.toISOString(),
    key_id: row.key_id,
    signature: row.signature,
  }
}
