import type { ProviderSlug, TenantId } from '../core/ids.ts'
import { lookup, statement, type Db } from './database.ts'

/** A tenant's own OAuth client registration at a provider; the secret is sealed. */
export interface StoredProviderApp {
  readonly providerSlug: string
  readonly clientId: string | undefined
  readonly clientSecret: Buffer | undefined
  /** Origin of the token endpoint the secret was entered for. */
  readonly secretOrigin: string | undefined
  readonly scopes: readonly string[] | undefined
  readonly urlVariables: Readonly<Record<string, string>>
}

interface Row {
  readonly provider_slug: string
  readonly client_id: string | null
  readonly client_secret: Buffer | null
  readonly secret_origin: string | null
  readonly scopes: string[] | null
  readonly url_variables: Record<string, string>
}

const selectOne = lookup(
  'provider_apps.find',
  `select provider_slug, client_id, client_secret, secret_origin, scopes, url_variables
   from provider_apps
   where tenant_id = $1 and provider_slug = $2`,
)
const selectAll = statement(
  'provider_apps.list',
  `select provider_slug, client_id, client_secret, secret_origin, scopes, url_variables
   from provider_apps
   where tenant_id = $1
   order by provider_slug`,
)
const lockOne = statement(
  'provider_apps.lock',
  `select provider_slug, client_id, client_secret, secret_origin, scopes, url_variables
   from provider_apps
   where tenant_id = $1 and provider_slug = $2
   for update`,
)
const upsert = statement(
  'provider_apps.save',
  `insert into provider_apps
     (tenant_id, provider_slug, client_id, client_secret, secret_origin, scopes, url_variables, created_at, updated_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
   on conflict (tenant_id, provider_slug) do update
   set client_id = excluded.client_id,
       client_secret = excluded.client_secret,
       secret_origin = excluded.secret_origin,
       scopes = excluded.scopes,
       url_variables = excluded.url_variables,
       updated_at = excluded.updated_at`,
)
const deleteOne = statement(
  'provider_apps.remove',
  `delete from provider_apps
   where tenant_id = $1 and provider_slug = $2
   returning provider_slug`,
)

export async function findProviderApp(
  db: Db,
  tenantId: TenantId,
  slug: ProviderSlug,
): Promise<StoredProviderApp | undefined> {
  return toApp((await db.query<Row>(selectOne, [tenantId, slug]))[0])
}

export async function listProviderApps(db: Db, tenantId: TenantId): Promise<StoredProviderApp[]> {
  return (await db.query<Row>(selectAll, [tenantId])).flatMap((row) => toApp(row) ?? [])
}

/** Like `findProviderApp`, and keeps the row from changing until the transaction ends. */
export async function lockProviderApp(
  db: Db,
  tenantId: TenantId,
  slug: ProviderSlug,
): Promise<StoredProviderApp | undefined> {
  return toApp((await db.query<Row>(lockOne, [tenantId, slug]))[0])
}

export async function saveProviderApp(db: Db, tenantId: TenantId, app: StoredProviderApp, now: Date): Promise<void> {
  await db.query(upsert, [
    tenantId,
    app.providerSlug,
    app.clientId ?? null,
    app.clientSecret ?? null,
    app.secretOrigin ?? null,
    app.scopes ?? null,
    JSON.stringify(app.urlVariables),
    now,
  ])
}

/** Answers whether there was one. */
export async function removeProviderApp(db: Db, tenantId: TenantId, slug: ProviderSlug): Promise<boolean> {
  return (await db.query(deleteOne, [tenantId, slug])).length > 0
}

function toApp(row: Row | undefined): StoredProviderApp | undefined {
  return (
    row && {
      providerSlug: row.provider_slug,
      clientId: row.client_id ?? undefined,
      clientSecret: row.client_secret ?? undefined,
      secretOrigin: row.secret_origin ?? undefined,
      scopes: row.scopes ?? undefined,
      urlVariables: row.url_variables,
    }
  )
}
