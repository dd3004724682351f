import assert from 'node:assert/strict'
import { entryHash, genesisHash } from '../../src/core/audit-entry.ts'
import type { TenantId } from '../../src/core/ids.ts'
import type { AuditEntryRow } from '../../src/store/rows.ts'
import { rows } from './connectors.ts'
import type { TestService } from './service.ts'

/** A tenant's chain as it stands, checked: no gap, every hash follows from the one before. */
export async function chainOf(service: TestService, tenant: TenantId): Promise<readonly AuditEntryRow[]> {
  const found = await rows(
    service,
    'select * from audit_entries where tenant_id = $1 and position is not null order by position',
    [tenant],
  )
  // The query names the table the type was generated from.
  const entries = found as unknown as readonly AuditEntryRow[]
  let previous = genesisHash
  for (const [index, row] of entries.entries()) {
    assert.equal(Number(row.position), index + 1)
    previous = entryHash(previous, { ...row, position: index + 1, created_at: row.created_at.toISOString() })
    assert.equal(row.hash?.toString('hex'), previous)
  }
  const [head] = await rows(service, 'select * from audit_chains where tenant_id = $1', [tenant])
  assert.equal(Number(head?.['last_position'] ?? 0), entries.length)
  return entries
}

/** How many of a tenant's entries have no place in its chain yet. */
export async function unlinked(service: TestService, tenant: TenantId): Promise<number> {
  const [row] = await rows(
    service,
    'select count(*)::int as count from audit_entries where tenant_id = $1 and position is null',
    [tenant],
  )
  return Number(row?.['count'])
}
