import type { TenantId } from '../core/ids.ts'
import type { PagedEvent } from '../store/events.ts'
import { readCallerContext } from './caller-context.ts'
import type { Context } from './context.ts'
import type { Principal } from './principal.ts'
import { callerContextPlace } from './store-connection.ts'

/** An event as callers see it. Field names are the API's. */
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

/** Who will see it: `administrators` stands for an endpoint that one of them named. */
export type EventReader = Principal | 'administrators'

/** A `connected` event gives the caller's context back to the user who sent it, and to the tenant's administrators. */
export async function viewEvent(
  context: Pick<Context, 'vault'>,
  tenantId: TenantId,
  reader: EventReader,
  row: PagedEvent,
): Promise<EventView> {
  const callerContext = await openCallerContext(context, tenantId, reader, row)
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
}

async function openCallerContext(
  context: Pick<Context, 'vault'>,
  tenantId: TenantId,
  reader: EventReader,
  row: PagedEvent,
): Promise<string | undefined> {
  if (row.caller_context === null) return undefined
  const isAdmin = reader === 'administrators' || reader.rights.has('connectors:admin')
  // It came from one user; others of the tenant have no business with it, nor has a namesake of another issuer.
  if (!isAdmin && row.actor_id !== reader.subject) return undefined
  const secret = await context.vault.open(callerContextPlace(tenantId, row.event_id), row.caller_context)
  const { callerContext, issuer } = readCallerContext(secret)
  return isAdmin || issuer === reader.issuer ? callerContext : undefined
}
