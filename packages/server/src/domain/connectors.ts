import type { CollectionId, ConnectorId, SpaceId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import { changeConnector, findConnector, lockConnector, pageConnectors } from '../store/connectors.ts'
import type { ConnectorRow } from '../store/rows.ts'
import { viewConnector, type ConnectorView } from './connector-view.ts'
import type { Context } from './context.ts'
import { cutPage, readCursor, type Page, type PageRequest } from './page.ts'
import { recordAdminAct } from './record-admin-act.ts'
import { requireReach, requireRight, type Principal } from './principal.ts'
import type { ProxyPolicy } from './proxy-policy.ts'

/** The collection that connectors are looked for in. */
export interface CollectionPlace {
  readonly spaceId: SpaceId
  readonly collectionId: CollectionId
}

export interface ConnectorPlaceRequest extends CollectionPlace {
  readonly connectorId: ConnectorId
}

/** What `PATCH` may change; an absent field stays. */
export interface ConnectorChange {
  readonly display_name?: string | null
  readonly scope_config?: unknown
  readonly sync_schedule?: string | null
  readonly paused?: boolean
  readonly proxy_policy?: ProxyPolicy | null
}

type Needs = Pick<Context, 'database' | 'clock'>

export async function listConnectors(
  context: Needs,
  principal: Principal,
  place: CollectionPlace,
  filter: { readonly providerSlug: string | undefined; readonly status: string | undefined },
  page: PageRequest,
): Promise<Page<ConnectorView>> {
  requireRight(principal, 'connectors:read')
  requireReach(principal, place.spaceId, place.collectionId)
  const { tenantId } = principal
  const rows = await pageConnectors(context.database.tenant(tenantId), { tenantId, ...place }, filter, {
    after: readCursor(page.cursor),
    limit: page.limit + 1,
  })
  return cutPage(rows, page.limit, viewConnector, (row) => ({ createdAt: row.created_at, id: row.connector_id }))
}

export async function readConnector(
  context: Needs,
  principal: Principal,
  place: ConnectorPlaceRequest,
): Promise<ConnectorView> {
  requireRight(principal, 'connectors:read')
  requireReach(principal, place.spaceId, place.collectionId)
  const { tenantId } = principal
  return viewConnector(
    requireHere(await findConnector(context.database.tenant(tenantId), tenantId, place.connectorId), place),
  )
}

export async function patchConnector(
  context: Needs,
  principal: Principal,
  place: ConnectorPlaceRequest,
  change: ConnectorChange,
): Promise<ConnectorView> {
  requireRight(principal, 'connectors:manage')
  requireReach(principal, place.spaceId, place.collectionId)
  const { tenantId } = principal
  return context.database.transaction(tenantId, async (db) => {
    const known = requireHere(await lockConnector(db, tenantId, place.connectorId), place)
    if (known.health === 'disconnected') throw new Problem('connector_disconnected')
    const settings = {
      displayName: change.display_name === undefined ? known.display_name : change.display_name,
      scopeConfig: change.scope_config === undefined ? known.scope_config : change.scope_config,
      syncSchedule: change.sync_schedule === undefined ? known.sync_schedule : change.sync_schedule,
      paused: change.paused ?? known.paused,
      proxyPolicy: change.proxy_policy === undefined ? known.proxy_policy : change.proxy_policy,
    }
    const changed = await changeConnector(db, tenantId, place.connectorId, settings, context.clock.now())
    await recordAdminAct(context, db, principal, {
      action: 'connector.changed',
      resourceType: 'connector',
      resourceId: place.connectorId,
      place: known,
      metadata: { provider_slug: known.provider_slug, fields: Object.keys(change), paused: settings.paused },
    })
    return viewConnector(requireHere(changed, place))
  })
}

/** A connector of another space or collection answers exactly like an absent one. Throws 404 `connector_unknown`. */
export function requireHere(row: ConnectorRow | undefined, place: CollectionPlace): ConnectorRow {
  if (row !== undefined && isHere(row, place)) return row
  throw new Problem('connector_unknown')
}

/** Whether a connector belongs to this space and collection. */
export function isHere(row: ConnectorRow, place: CollectionPlace): boolean {
  return row.space_id === place.spaceId && row.collection_id === place.collectionId
}
