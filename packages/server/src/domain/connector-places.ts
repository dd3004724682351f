import { tenantId } from '../core/ids.ts'
import type { Place } from '../vault/place.ts'

/** The place of a connector's sealed token. */
export function connectorPlace(
  connector: {
    readonly tenant_id: string
    readonly space_id: string
    readonly collection_id: string
    readonly connector_id: string
  },
  field: 'access_token' | 'refresh_token',
): Place {
  return {
    purpose: 'connector',
    tenantId: tenantId(connector.tenant_id),
    spaceId: connector.space_id,
    collectionId: connector.collection_id,
    subjectId: connector.connector_id,
    field,
  }
}
