import type { TenantId } from '../core/ids.ts'
import { statement, type Db } from './database.ts'

/** How many connectors of one provider have one status. */
export interface ConnectorCount {
  readonly provider_slug: string
  readonly status: string
  readonly connectors: number
}

const selectAll = statement(
  'connector_counts.of_tenant',
  `select provider_slug, status, sum(connectors)::int as connectors
   from connector_counts
   where tenant_id = $1
   group by provider_slug, status
   having sum(connectors) > 0`,
)
/** Connectors of a few places are counted themselves; the index holds all that is asked for. */
const countInSpaces = statement(
  'connectors.count_in_spaces',
  `select provider_slug, status, count(*)::int as connectors
   from connectors
   where tenant_id = $1 and space_id = any($2)
   group by provider_slug, status`,
)
const countInCollections = statement(
  'connectors.count_in_collections',
  `select provider_slug, status, count(*)::int as connectors
   from connectors
   where tenant_id = $1 and collection_id = any($2) and ($3::uuid[] is null or space_id = any($3))
   group by provider_slug, status`,
)
const selectTenants = statement(
  'connector_counts.tenants_to_add_up',
  `select tenant_id
   from connector_counts
   where not is_sum and tenant_id > $1
   group by tenant_id
   order by tenant_id
   limit $2`,
)
const addUp = statement(
  'connector_counts.add_up',
  `with changes as (
     select count_id
     from connector_counts
     where tenant_id = $1 and not is_sum
     limit $2),
   gone as (
     delete from connector_counts
     where tenant_id = $1 and (is_sum or count_id in (select count_id from changes))
     returning provider_slug, status, connectors, is_sum),
   sums as (
     insert into connector_counts (tenant_id, provider_slug, status, connectors, is_sum)
     select $1, provider_slug, status, sum(connectors), true
     from gone
     group by provider_slug, status
     having sum(connectors) <> 0)
   select count(*) filter (where not is_sum)::int as added
   from gone`,
)

/** A tenant's connectors, counted by provider and status. Reads some dozen rows, however many connectors there are. */
export async function countByKind(db: Db, tenantId: TenantId): Promise<readonly ConnectorCount[]> {
  return db.query(selectAll, [tenantId])
}

/** The same for connectors of some spaces or collections. */
export async function countInPlaces(
  db: Db,
  tenantId: TenantId,
  reach: { readonly spaces: readonly string[] | undefined; readonly collections: readonly string[] | undefined },
): Promise<readonly ConnectorCount[]> {
  return reach.collections === undefined
    ? db.query(countInSpaces, [tenantId, reach.spaces ?? []])
    : db.query(countInCollections, [tenantId, reach.collections, reach.spaces ?? null])
}

/** Tenants whose counts changed since they were added up, by id, after `after`. */
export async function tenantsToAddUp(system: Db, after: string, limit: number): Promise<readonly string[]> {
  return (await system.query<{ tenant_id: string }>(selectTenants, [after, limit])).map((row) => row.tenant_id)
}

/** Adds changes up into one row for each provider and status, `limit` changes at most; answers how many. */
export async function addUpCounts(db: Db, tenantId: TenantId, limit: number): Promise<number> {
  return (await db.query<{ added: number }>(addUp, [tenantId, limit]))[0]?.added ?? 0
}
