import type { ProviderSlug, TenantId } from '../core/ids.ts'
import type { ProviderDefinition } from '../core/provider-definition.ts'
import { lookup, statement, type Db } from './database.ts'

const selectOne = lookup(
  'custom_providers.find',
  `select definition
   from custom_providers
   where tenant_id = $1 and provider_slug = $2`,
)
const selectAll = statement(
  'custom_providers.list',
  `select definition
   from custom_providers
   where tenant_id = $1
   order by provider_slug`,
)
const insertOne = statement(
  'custom_providers.add',
  `insert into custom_providers (tenant_id, provider_slug, definition, created_at, updated_at)
   select $1, $2, $3, $4, $4
   where (select count(*) from custom_providers where tenant_id = $1) < $5
   returning provider_slug`,
)
const deleteOne = statement(
  'custom_providers.remove',
  `delete from custom_providers
   where tenant_id = $1 and provider_slug = $2
   returning provider_slug`,
)

// What was stored passed `checkDefinition` when it was added, so the JSON is a definition.
interface Row {
  readonly definition: ProviderDefinition
}

export async function findCustomProvider(
  db: Db,
  tenantId: TenantId,
  slug: ProviderSlug,
): Promise<ProviderDefinition | undefined> {
  return (await db.query<Row>(selectOne, [tenantId, slug]))[0]?.definition
}

export async function listCustomProviders(db: Db, tenantId: TenantId): Promise<ProviderDefinition[]> {
  return (await db.query<Row>(selectAll, [tenantId])).map((row) => row.definition)
}

/** Adds one unless there are `atMost`; answers whether it did. Callers at the same moment may go over by their number. */
export async function addCustomProvider(
  db: Db,
  tenantId: TenantId,
  definition: ProviderDefinition,
  more: { readonly now: Date; readonly atMost: number },
): Promise<boolean> {
  const values = [tenantId, definition.slug, JSON.stringify(definition), more.now, more.atMost]
  return (await db.query(insertOne, values)).length > 0
}

/** Answers whether there was one. */
export async function removeCustomProvider(db: Db, tenantId: TenantId, slug: ProviderSlug): Promise<boolean> {
  return (await db.query(deleteOne, [tenantId, slug])).length > 0
}
