import { pageEvents, type EventFilter } from '../store/events.ts'
import { readCallerContext } from './caller-context.ts'
import type { Context } from './context.ts'
import { cutPage, readCursor, type Page, type PageRequest } from './page.ts'
import { requireRight, type Principal } from './principal.ts'
import { callerContextPlace } from './store-connection.ts'

export interface EventView {
  readonly id: string
  readonly tenant_id: string
  readonly category: string
  readonly event_type: string
  readonly actor_id: string | null
  readonly resource_type: string
  readonly resource_id: string
  readonly metadata: Readonly<Record<string, unknown>>
  readonly created_at: string
}

/** The tenant's events, oldest first. A `connected` event gives the caller's context back to the platform that sent it. */
export async function listEvents(
  context: Pick<Context, 'database' | 'vault' | 'activity'>,
  principal: Principal,
  filter: Omit<EventFilter, 'spaces' | 'collections'>,
  page: PageRequest,
): Promise<Page<EventView>> {
  requireRight(principal, 'connectors:read')
  const { tenantId } = principal
  const after = readCursor(page.cursor)
  await context.activity.flush()
  const reach = {
    spaces: principal.spaces && [...principal.spaces],
    collections: principal.collections && [...principal.collections],
  }
  const db = context.database.tenant(tenantId)
  const rows = await pageEvents(db, tenantId, { ...filter, ...reach }, { after, limit: page.limit + 1 })
  const opened = new Map<string, string>()
  for (const row of rows) {
    // It came from one user; others of the tenant have no business with it, nor has a namesake of another issuer.
    const isAdmin = principal.rights.has('connectors:admin')
    if (row.caller_context === null || !(isAdmin || row.actor_id === principal.subject)) continue
    const secret = await context.vault.open(callerContextPlace(tenantId, row.event_id), row.caller_context)
    const { callerContext, issuer } = readCallerContext(secret)
    if (isAdmin || issuer === principal.issuer) opened.set(row.event_id, callerContext)
  }
  return cutPage(
    rows,
    page.limit,
    (row) => {
      const callerContext = opened.get(row.event_id)
      // Written by `addEvent` as an object.
      const metadata = row.metadata as Record<string, unknown>
      return {
        id: row.event_id,
        tenant_id: tenantId,
        category: row.category,
        event_type: row.event_type,
        actor_id: row.actor_id,
        resource_type: row.resource_type,
        resource_id: row.resource_id,
        metadata: callerContext === undefined ? metadata : { ...metadata, caller_context: callerContext },
        created_at: row.created_at.toISOString(),
      }
    },
    (row) => ({ createdAt: row.created_at, id: row.event_id }),
  )
}
