import { countByKind, countInPlaces, type ConnectorCount } from '../store/connector-counts.ts'
import { countEvents, type EventCount } from '../store/event-counts.ts'
import type { Context } from './context.ts'
import { requireRight, type Principal } from './principal.ts'

/** How far back the overview looks: a day, a week or thirty days. */
export type OverviewHours = 24 | 168 | 720

/** Connectors by status; field names are the API's. */
export interface ByStatus {
  readonly active: number
  readonly degraded: number
  readonly reauth_required: number
  readonly paused: number
  readonly disconnected: number
}

export interface OverviewView {
  readonly connectors: { readonly total: number; readonly by_status: ByStatus }
  readonly by_provider: readonly {
    readonly provider_slug: string
    readonly total: number
    readonly by_status: ByStatus
  }[]
  readonly needs_person: number
  readonly activity: readonly { readonly from: string; readonly counts: Readonly<Record<string, number>> }[]
  readonly hours: OverviewHours
  readonly bucket_seconds: number
}

const hourMs = 60 * 60_000

/**
 * How a tenant's connectors are, and what happened to them lately. Reads counts that are kept, never connectors or events
 * one by one; but a bearer that reaches some spaces or collections alone has their connectors counted, and no activity.
 */
export async function readOverview(
  context: Pick<Context, 'database' | 'clock'>,
  principal: Principal,
  hours: OverviewHours,
): Promise<OverviewView> {
  requireRight(principal, 'connectors:admin')
  const { tenantId, spaces, collections } = principal
  const db = context.database.tenant(tenantId)
  const isNarrowed = spaces !== undefined || collections !== undefined
  const reach = { spaces: spaces && [...spaces], collections: collections && [...collections] }
  const counts = isNarrowed ? await countInPlaces(db, tenantId, reach) : await countByKind(db, tenantId)
  const unit = hours === 720 ? 'day' : 'hour'
  const bucketMs = unit === 'day' ? 24 * hourMs : hourMs
  const froms = bucketStarts(context.clock.now(), hours, bucketMs)
  const [first] = froms
  const events = isNarrowed || first === undefined ? [] : await countEvents(db, tenantId, first, unit)
  const byStatus = addUp(counts)
  return {
    connectors: { total: totalOf(counts), by_status: byStatus },
    by_provider: [...Map.groupBy(counts, (count) => count.provider_slug)]
      .map(([slug, ofProvider]) => ({
        provider_slug: slug,
        total: totalOf(ofProvider),
        by_status: addUp(ofProvider),
      }))
      .toSorted((a, b) => b.total - a.total || (a.provider_slug < b.provider_slug ? -1 : 1)),
    needs_person: byStatus.reauth_required,
    activity: isNarrowed ? [] : toActivity(froms, events),
    hours,
    bucket_seconds: bucketMs / 1000,
  }
}

/** Hours and days of UTC, the last one the one that runs. */
function bucketStarts(now: Date, hours: number, bucketMs: number): readonly Date[] {
  const count = (hours * hourMs) / bucketMs
  const last = Math.floor(now.getTime() / bucketMs) * bucketMs
  return Array.from({ length: count }, (_, index) => new Date(last - (count - 1 - index) * bucketMs))
}

function toActivity(froms: readonly Date[], events: readonly EventCount[]): OverviewView['activity'] {
  const found = Map.groupBy(events, (event) => event.bucket.getTime())
  return froms.map((from) => ({
    from: from.toISOString(),
    counts: Object.fromEntries((found.get(from.getTime()) ?? []).map((event) => [event.event_type, event.events])),
  }))
}

function addUp(counts: readonly ConnectorCount[]): ByStatus {
  const of = (status: keyof ByStatus): number => totalOf(counts.filter((count) => count.status === status))
  return {
    active: of('active'),
    degraded: of('degraded'),
    reauth_required: of('reauth_required'),
    paused: of('paused'),
    disconnected: of('disconnected'),
  }
}

function totalOf(counts: readonly ConnectorCount[]): number {
  return counts.reduce((sum, count) => sum + count.connectors, 0)
}
