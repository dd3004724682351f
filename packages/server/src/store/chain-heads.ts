import { statement, type Db } from './database.ts'

const selectHeads = statement(
  'audit_chains.heads',
  `select tenant_id, last_position
   from audit_chains
   where tenant_id = any($1)`,
)

/** Up to where each of these tenants' records are linked; tenants without a record are left out. */
export async function chainHeads(system: Db, tenantIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const rows = await system.query<{ tenant_id: string; last_position: string }>(selectHeads, [tenantIds])
  return new Map(rows.map((row) => [row.tenant_id, Number(row.last_position)]))
}
