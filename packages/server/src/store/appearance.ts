import type { TenantId } from '../core/ids.ts'
import { lookup, statement, type Db } from './database.ts'
import type { TenantAppearanceRow } from './rows.ts'

const selectOne = lookup(
  'tenant_appearance.find',
  `select tenant_id, display_name, accent, radius_px, logo, updated_at
   from tenant_appearance
   where tenant_id = $1`,
)
const replaceOne = statement(
  'tenant_appearance.replace',
  `insert into tenant_appearance (tenant_id, display_name, accent, radius_px, logo, updated_at)
   values ($1, $2, $3, $4, $5, $6)
   on conflict (tenant_id) do update
   set display_name = excluded.display_name, accent = excluded.accent, radius_px = excluded.radius_px,
       logo = excluded.logo, updated_at = excluded.updated_at`,
)

/** How a tenant's Connect page looks; `undefined` where nobody has said. */
export async function findAppearance(db: Db, tenantId: TenantId): Promise<TenantAppearanceRow | undefined> {
  return (await db.query<TenantAppearanceRow>(selectOne, [tenantId]))[0]
}

export async function replaceAppearance(db: Db, row: TenantAppearanceRow): Promise<void> {
  await db.query(replaceOne, [row.tenant_id, row.display_name, row.accent, row.radius_px, row.logo, row.updated_at])
}
