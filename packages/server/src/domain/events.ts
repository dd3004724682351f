import { Problem } from '../core/problem.ts'
import { pageEvents, pageNewestEvents, type EventFilter, type PagedEvent } from '../store/events.ts'
import type { Context } from './context.ts'
import { viewEvent, type EventView } from './event-view.ts'
import { linkTenant } from './link-audit.ts'
import type { OrderedPageRequest, Page } from './page.ts'
import { requireRight, type Principal } from './principal.ts'

/** What of the tenant's events somebody wants to see. */
export type EventQuery = Omit<EventFilter, 'spaces' | 'collections'>

/** The tenant's events that the caller reaches, up to those of this moment. */
export async function listEvents(
  context: Pick<Context, 'database' | 'vault' | 'activity' | 'clock'>,
  principal: Principal,
  query: EventQuery,
  page: OrderedPageRequest,
): Promise<Page<EventView>> {
  requireRight(principal, 'connectors:read')
  const { tenantId } = principal
  const from = readPosition(page.cursor)
  // Whoever has just done something finds it here.
  await context.activity.flush()
  await linkTenant(context, tenantId)
  const db = context.database.tenant(tenantId)
  const filter = reachOf(principal, query)
  const limit = page.limit + 1
  const rows =
    page.order === 'desc'
      ? await pageNewestEvents(db, tenantId, filter, { before: from, limit })
      : await pageEvents(db, tenantId, filter, { after: from ?? 0, limit })
  const shown = rows.slice(0, page.limit)
  const last = shown.at(-1)
  const items: EventView[] = []
  for (const row of shown) items.push(await viewEvent(context, tenantId, principal, row))
  return { items, nextCursor: rows.length > page.limit && last ? writePosition(positionOf(last)) : undefined }
}

/** Narrows a filter to the places that a bearer token reaches. */
export function reachOf(principal: Principal, query: EventQuery): EventFilter {
  return {
    ...query,
    spaces: principal.spaces && [...principal.spaces],
    collections: principal.collections && [...principal.collections],
  }
}

export function positionOf(event: Pick<PagedEvent, 'position'>): number {
  // A tenant that wrote a thousand events a second would get past what a number holds in some 285,000 years.
  return Number(event.position)
}

/** A place in the order of events as callers keep it: in cursors, and as ids of the stream. */
export function writePosition(position: number): string {
  return Buffer.from(`p${position}`).toString('base64url')
}

/** Throws 400 `invalid_cursor`. */
export function readPosition(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const digits = /^p(\d{1,15})$/.exec(Buffer.from(text, 'base64url').toString('latin1'))?.[1]
  if (digits === undefined || writePosition(Number(digits)) !== text) throw new Problem('invalid_cursor')
  return Number(digits)
}
