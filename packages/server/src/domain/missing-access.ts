import { connectorId, providerSlug, type TenantId } from '../core/ids.ts'
import { findConnector } from '../store/connectors.ts'
import { viewConnector } from './connector-view.ts'
import type { Context } from './context.ts'
import { findDefinition } from './provider-client.ts'
import { describeScopes } from './provider-view.ts'
import type { Connected } from './store-connection.ts'

/** What a user did not allow, in words for the page that says so. */
export interface MissingAccess {
  readonly providerName: string
  /** The description is empty where the catalogue has none. */
  readonly scopes: readonly { readonly name: string; readonly description: string }[]
}

/** What was asked for and not granted to a connector that has just been connected; `undefined` when nothing is missing. */
export async function missingAccess(
  context: Pick<Context, 'catalog' | 'database'>,
  tenantId: TenantId,
  connected: Connected,
): Promise<MissingAccess | undefined> {
  const db = context.database.tenant(tenantId)
  const [row, definition] = await Promise.all([
    findConnector(db, tenantId, connectorId(connected.connectorId)),
    findDefinition(context, tenantId, providerSlug(connected.provider)),
  ])
  if (row === undefined || definition === undefined) return undefined
  const { missing } = viewConnector(row).scopes
  if (missing.length === 0) return undefined
  return { providerName: definition.display_name, scopes: describeScopes(definition, missing) }
}
