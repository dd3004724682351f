import { chainHeads } from '../store/chain-heads.ts'
import { pageEvents } from '../store/events.ts'
import type { Context } from './context.ts'
import { positionOf, reachOf, type EventQuery } from './events.ts'
import { viewEvent, type EventView } from './event-view.ts'
import { linkTenant } from './link-audit.ts'
import { requireRight, type Principal } from './principal.ts'

/** What a stream brings, with the place to go on from: an event, or word that there is none, at first and for a while. */
export type Streamed =
  | { readonly kind: 'event'; readonly position: number; readonly event: EventView }
  | { readonly kind: 'quiet'; readonly position: number }

type Needs = Pick<Context, 'database' | 'vault' | 'activity' | 'clock' | 'eventFeed'>

const portion = 100
const quietAfterMs = 15_000

/**
 * The tenant's events after `after`, or those from now on, as they come, until the signal says to stop.
 *
 * In the order of positions, each once. It reads only as fast as it is asked, so that a slow reader costs no memory.
 * Throws 403 `missing_right` before the first read.
 */
export function streamEvents(
  context: Needs,
  principal: Principal,
  query: EventQuery,
  after: number | undefined,
  signal: AbortSignal,
): AsyncGenerator<Streamed> {
  requireRight(principal, 'connectors:read')
  return follow(context, principal, query, after, signal)
}

async function* follow(
  context: Needs,
  principal: Principal,
  query: EventQuery,
  after: number | undefined,
  signal: AbortSignal,
): AsyncGenerator<Streamed> {
  const { tenantId } = principal
  const filter = reachOf(principal, query)
  const db = context.database.tenant(tenantId)
  let position = after ?? (await presentHead(context, principal))
  yield { kind: 'quiet', position }
  while (!signal.aborted) {
    // Read before the events: what is linked between the two is seen twice at most, and never missed.
    const head = (await chainHeads(db, [tenantId])).get(tenantId) ?? 0
    const rows = head > position ? await pageEvents(db, tenantId, filter, { after: position, limit: portion }) : []
    for (const row of rows) {
      if (signal.aborted) return
      position = positionOf(row)
      yield { kind: 'event', position, event: await viewEvent(context, tenantId, principal, row) }
    }
    if (rows.length === portion) continue
    position = Math.max(position, head)
    const isNew = await context.eventFeed.beyond(tenantId, position, quietAfterMs, signal)
    if (!isNew && !signal.aborted) yield { kind: 'quiet', position }
  }
}

async function presentHead(
  context: Pick<Context, 'database' | 'activity' | 'clock'>,
  { tenantId }: Principal,
): Promise<number> {
  await context.activity.flush()
  await linkTenant(context, tenantId)
  return (await chainHeads(context.database.tenant(tenantId), [tenantId])).get(tenantId) ?? 0
}
