import type { TenantId } from '../core/ids.ts'
import { statement, type Db } from './database.ts'

/** A registered redirect URI: where a popup may end, or the OAuth redirect URI of one named provider. */
export type RedirectUri =
  | { readonly uri: string; readonly kind: 'landing' }
  | { readonly uri: string; readonly kind: 'callback'; readonly provider_slug: string }

const selectAll = statement(
  'redirect_uris.list',
  `select uri, kind, provider_slug
   from redirect_uris
   where tenant_id = $1
   order by uri`,
)
const deleteAll = statement('redirect_uris.clear', 'delete from redirect_uris where tenant_id = $1')
const insertOne = statement(
  'redirect_uris.add',
  `insert into redirect_uris (tenant_id, uri, kind, provider_slug)
   values ($1, $2, $3, $4)`,
)

export async function listRedirectUris(db: Db, tenantId: TenantId): Promise<RedirectUri[]> {
  const rows = await db.query<{ uri: string; kind: string; provider_slug: string | null }>(selectAll, [tenantId])
  return rows.map((row) =>
    row.provider_slug === null
      ? { uri: row.uri, kind: 'landing' }
      : { uri: row.uri, kind: 'callback', provider_slug: row.provider_slug },
  )
}

/** Replaces the tenant's whole list; run it in a transaction. */
export async function replaceRedirectUris(db: Db, tenantId: TenantId, entries: readonly RedirectUri[]): Promise<void> {
  await db.query(deleteAll, [tenantId])
  for (const entry of entries) {
    await db.query(insertOne, [tenantId, entry.uri, entry.kind, entry.kind === 'callback' ? entry.provider_slug : null])
  }
}
