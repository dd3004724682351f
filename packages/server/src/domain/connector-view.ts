import type { ConnectorRow } from '../store/rows.ts'
import { keptValues, type UrlValues } from './connection-values.ts'

/** A connector as callers see it; never a secret. Field names are the API's. */
export interface ConnectorView {
  readonly id: string
  readonly space_id: string
  readonly collection_id: string
  readonly provider_slug: string
  readonly principal_id: string
  readonly display_name: string | null
  readonly account: { readonly id: string | null; readonly name: string | null }
  readonly status: string
  readonly status_reason: string | null
  readonly scopes: {
    readonly requested: readonly string[]
    readonly granted: readonly string[]
    readonly missing: readonly string[]
  }
  readonly access_token_expires_at: string | null
  readonly last_refreshed_at: string | null
  readonly last_used_at: string | null
  readonly scope_config: unknown
  readonly sync_schedule: string | null
  readonly proxy_policy: unknown
  /** Which shop, subdomain or instance; defaults left out. */
  readonly url_variables: UrlValues
  readonly created_at: string
  readonly updated_at: string
}

export function viewConnector(row: ConnectorRow): ConnectorView {
  const granted = new Set(row.granted_scopes)
  return {
    id: row.connector_id,
    space_id: row.space_id,
    collection_id: row.collection_id,
    provider_slug: row.provider_slug,
    principal_id: row.principal_subject,
    display_name: row.display_name,
    account: { id: row.account_id, name: row.account_name },
    status: row.status,
    status_reason: row.status_reason,
    scopes: {
      requested: row.requested_scopes,
      granted: row.granted_scopes,
      missing: row.requested_scopes.filter((scope) => !granted.has(scope)),
    },
    access_token_expires_at: row.access_token_expires_at?.toISOString() ?? null,
    last_refreshed_at: row.last_refreshed_at?.toISOString() ?? null,
    last_used_at: row.last_used_at?.toISOString() ?? null,
    scope_config: row.scope_config,
    sync_schedule: row.sync_schedule,
    proxy_policy: row.proxy_policy,
    url_variables: keptValues(row),
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  }
}
