import { findHead, pageAuditEntries, pageNewestAuditEntries, type AuditFilter } from '../store/audit-entries.ts'
import { findCheckpoints, listAuditKeys } from '../store/audit-checkpoints.ts'
import type { Context } from './context.ts'
import { linkTenant } from './link-audit.ts'
import { cutPage, readCursor, type OrderedPageRequest, type Page, type PageRequest } from './page.ts'
import { Problem } from '../core/problem.ts'
import type { AuditCheckpoint } from '../core/audit-checkpoint.ts'
import { requireRight, type Principal } from './principal.ts'
import { auditSigner } from './sign-checkpoint.ts'

export interface AuditEntryView {
  readonly id: string
  readonly tenant_id: string
  readonly position: number
  readonly action: string
  readonly actor_id: string | null
  readonly resource_type: string
  readonly resource_id: string
  readonly space_id: string | null
  readonly collection_id: string | null
  readonly metadata: unknown
  readonly created_at: string
  readonly hash: string
}

/** The tenant's record in the order of its chain, or backwards. A bearer narrowed to spaces sees what happened in them. */
export async function listAudit(
  context: Pick<Context, 'database' | 'clock' | 'activity'>,
  principal: Principal,
  filter: Omit<AuditFilter, 'spaces' | 'collections'>,
  page: OrderedPageRequest,
): Promise<Page<AuditEntryView>> {
  requireRight(principal, 'connectors:admin')
  const { tenantId } = principal
  const from = readPosition(page.cursor)
  const reach = {
    spaces: principal.spaces && [...principal.spaces],
    collections: principal.collections && [...principal.collections],
  }
  await bringUpToDate(context, principal)
  const db = context.database.tenant(tenantId)
  const wanted = { ...filter, ...reach }
  const limit = page.limit + 1
  const rows =
    page.order === 'desc'
      ? await pageNewestAuditEntries(db, tenantId, wanted, { before: from, limit })
      : await pageAuditEntries(db, tenantId, wanted, { after: from ?? 0, limit })
  return cutPage(
    rows,
    page.limit,
    ({ entry_id: id, ...rest }) => ({ id, ...rest }),
    (row) => ({ createdAt: new Date(row.created_at), id: String(row.position) }),
  )
}

/** Links what this process has noted and what is committed, so that a reader finds what came before. */
export async function bringUpToDate(
  context: Pick<Context, 'database' | 'clock' | 'activity'>,
  principal: Principal,
): Promise<void> {
  await context.activity.flush()
  await linkTenant(context, principal.tenantId)
}

export interface PublicAuditKey {
  readonly key_id: string
  readonly public_key: string
  readonly created_at: string
}

/** The keys that the tenant's checkpoints are signed with, the newest first. */
export async function listPublicAuditKeys(
  context: Pick<Context, 'database' | 'clock' | 'vault'>,
  principal: Principal,
): Promise<readonly PublicAuditKey[]> {
  requireRight(principal, 'connectors:admin')
  await auditSigner(context, principal.tenantId)
  const keys = await listAuditKeys(context.database.tenant(principal.tenantId), principal.tenantId)
  return keys.map((key) => ({
    key_id: key.key_id,
    public_key: key.public_key,
    created_at: key.created_at.toISOString(),
  }))
}

/** The tenant's signed checkpoints, oldest first. */
export async function listCheckpoints(
  context: Pick<Context, 'database'>,
  principal: Principal,
  page: PageRequest,
): Promise<Page<AuditCheckpoint>> {
  requireRight(principal, 'connectors:admin')
  requireWholeTenant(principal)
  const { tenantId } = principal
  const after = readPosition(page.cursor) ?? 0
  const db = context.database.tenant(tenantId)
  const upTo = (await findHead(db, tenantId))?.position ?? 0
  const rows = await findCheckpoints(db, tenantId, { after, upTo, limit: page.limit + 1 })
  return cutPage(
    rows,
    page.limit,
    (row) => row,
    (row) => ({ createdAt: new Date(row.created_at), id: String(row.position) }),
  )
}

/** A chain has entries of every space. Throws 403 `space_forbidden`. */
export function requireWholeTenant(principal: Principal): void {
  if (principal.spaces !== undefined || principal.collections !== undefined) throw new Problem('space_forbidden')
}

function readPosition(cursor: string | undefined): number | undefined {
  const at = readCursor(cursor)
  if (at === undefined) return undefined
  if (!/^\d{1,15}$/.test(at.id)) throw new Problem('invalid_cursor')
  return Number(at.id)
}
