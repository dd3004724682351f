import type { TenantId } from '../core/ids.ts'
import { addAuditEntry } from '../store/audit.ts'
import { addEvent } from '../store/events.ts'
import type { Context } from './context.ts'

/** One use of a connector's token. */
export interface Use {
  readonly action: 'token.exported' | 'connector.proxied'
  readonly tenantId: TenantId
  readonly connectorId: string
  readonly place: { readonly space_id: string; readonly collection_id: string }
  readonly actorId: string
  /** Part of what uses are counted by, so few values each: method, path template, status, lease. */
  readonly metadata: Readonly<Record<string, string | number>>
}

/**
 * What happens too often for a row each. Uses are counted in memory and written together: those that differ in nothing
 * but their moment become one record with `count`, `first_at` and `last_at`.
 */
export interface Activity {
  /** Notes a use. Resolves at once, unless so much waits to be written that the caller must wait too. */
  note(use: Use): Promise<void>
  /** Writes what waits, so that what comes after can read it. */
  flush(): Promise<void>
}

/** Writes each use at once. */
export function createActivity(context: Pick<Context, 'database' | 'clock'>): Activity {
  return {
    async note(use) {
      const { tenantId } = use
      const db = context.database.tenant(tenantId)
      const about = {
        actorId: use.actorId,
        resourceType: 'connector',
        resourceId: use.connectorId,
        place: use.place,
        metadata: use.metadata,
      } as const
      const now = context.clock.now()
      if (use.action === 'token.exported') await addEvent(db, tenantId, { ...about, eventType: use.action }, now)
      else await addAuditEntry(db, tenantId, { ...about, action: use.action }, now)
    },
    async flush() {},
  }
}
