import { createHash } from 'node:crypto'
import { mintAuditId, type TenantId } from '../core/ids.ts'
import { statement, type Db } from './database.ts'
import type { ResourceType } from './events.ts'

/** Something for the record that is no event: a start, a refusal, a proxied call, an administrator's act. */
export interface NewAuditEntry {
  /** `resource.verb`, such as `session.started`. */
  readonly action: string
  readonly actorId: string | undefined
  readonly resourceType: ResourceType
  readonly resourceId: string
  readonly place: { readonly space_id: string; readonly collection_id: string } | undefined
  /** Ids and words only, never a secret. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** What is recorded once however often it happens, so that nobody floods the record. */
  readonly onlyOnce?: string | undefined
}

const insertOne = statement(
  'audit.add',
  `insert into audit_entries
     (tenant_id, entry_id, action, actor_id, resource_type, resource_id, space_id, collection_id, metadata, created_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
   on conflict (tenant_id, entry_id) do nothing`,
)

/** Writes an entry in its cause's transaction; it is linked into the tenant's chain later. `addEvent` writes its own. */
export async function addAuditEntry(db: Db, tenantId: TenantId, entry: NewAuditEntry, now: Date): Promise<void> {
  const once = entry.onlyOnce
  await db.query(insertOne, [
    tenantId,
    once === undefined ? mintAuditId() : `aud_${createHash('sha256').update(once).digest('base64url').slice(0, 22)}`,
    entry.action,
    entry.actorId ?? null,
    entry.resourceType,
    entry.resourceId,
    entry.place?.space_id ?? null,
    entry.place?.collection_id ?? null,
    JSON.stringify(entry.metadata),
    now,
  ])
}
