import type { SpaceId, CollectionId } from '../core/ids.ts'
import { pageTenantConnectors } from '../store/tenant-connectors.ts'
import { viewConnector, type ConnectorView } from './connector-view.ts'
import type { Context } from './context.ts'
import { cutPage, readCursor, type Page, type PageRequest } from './page.ts'
import { requireRight, type Principal } from './principal.ts'

/** Which of a tenant's connectors an administrator wants to see. */
export interface TenantConnectorsWanted {
  readonly status: string | undefined
  readonly providerSlug: string | undefined
  readonly spaceId: SpaceId | undefined
  readonly collectionId: CollectionId | undefined
  readonly principalId: string | undefined
  /** How the id, the display name or the account's name begins. */
  readonly prefix: string | undefined
}

/** The connectors of the whole tenant, newest first; of those places alone that the bearer reaches. */
export async function listTenantConnectors(
  context: Pick<Context, 'database'>,
  principal: Principal,
  wanted: TenantConnectorsWanted,
  page: PageRequest,
): Promise<Page<ConnectorView>> {
  requireRight(principal, 'connectors:admin')
  const before = readCursor(page.cursor)
  const { tenantId } = principal
  const filter = {
    status: wanted.status,
    providerSlug: wanted.providerSlug,
    spaces: within(wanted.spaceId, principal.spaces),
    collections: within(wanted.collectionId, principal.collections),
    principalSubject: wanted.principalId,
    prefix: wanted.prefix,
  }
  const db = context.database.tenant(tenantId)
  const rows = await pageTenantConnectors(db, tenantId, filter, { before, limit: page.limit + 1 })
  return cutPage(rows, page.limit, viewConnector, (row) => ({ createdAt: row.created_at, id: row.connector_id }))
}

/** What is asked for, as far as it is reached; asking for what is out of reach finds nothing. */
function within(asked: string | undefined, reached: ReadonlySet<string> | undefined): readonly string[] | undefined {
  if (asked === undefined) return reached && [...reached]
  return reached?.has(asked.toLowerCase()) === false ? [] : [asked]
}
