import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { plusMs } from '../core/clock.ts'
import { providerSlug, tenantId } from '../core/ids.ts'
import { claimDueRefreshes, rescheduleRefresh } from '../store/refresh-schedule.ts'
import type { ConnectorRow } from '../store/rows.ts'
import { findDefinition } from './provider-client.ts'
import { judgeDue } from './refresh-schedule.ts'
import { refresh, type RefreshNeeds } from './refresh.ts'

/**
 * At most so many refreshes under way, and of one context half of what its gate lets in: readers come first. A tenant may
 * have any number of contexts, so it has a share of its own.
 */
const mostUnderWay = 64
const mostOfTenant = 16
const mostOfContext = 10
/** A worker that dies leaves its connectors to others after this long; so does a context that was shut meanwhile. */
const claimLifeMs = 60_000
/** One call takes no more than this, and begins nothing new after a moment, so that a process can end. */
const mostAtOnce = 1_000
const beginsForMs = 5_000
const lookAgainMs = 1_000

/**
 * Refreshes connectors whose time has come, before their access tokens expire or their refresh tokens die of disuse, and
 * answers how many it looked at.
 *
 * It takes a few of each context at a time and goes on with the others while some of them hang. A context whose gate is
 * shut is left alone: what is due there waits, unmarked, and is worked off at the gate's pace once the provider answers.
 * Throws the first failure of this service's own once the others are done.
 */
export async function sweepRefreshes(context: RefreshNeeds, stopping?: AbortSignal): Promise<number> {
  const sweep: Sweep = { underWay: new Set(), ofContext: new Map(), ofTenant: new Map(), failures: [] }
  const endsAt = performance.now() + beginsForMs
  let count = 0
  while (count < mostAtOnce && performance.now() < endsAt) {
    if (stopping?.aborted === true) break
    const wasIdle = sweep.underWay.size === 0
    const due = await claimSome(context, sweep)
    for (const row of due) begin(context, sweep, row)
    count += due.length
    if (due.length > 0) continue
    // What ended while the claim was under way still counted against its rooms; look again before giving up.
    if (wasIdle) break
    // Whatever ends may make room.
    if (sweep.underWay.size > 0) await Promise.race([...sweep.underWay, wait(lookAgainMs, undefined, { ref: false })])
  }
  await Promise.all(sweep.underWay)
  const [failure] = sweep.failures
  if (failure !== undefined) throw failure
  return count
}

interface Sweep {
  readonly underWay: Set<Promise<void>>
  readonly ofContext: Map<string, number>
  readonly ofTenant: Map<string, number>
  readonly failures: Error[]
}

/** Contexts are named by digests, so every look begins elsewhere. */
function randomPlace(): string {
  return randomBytes(6).toString('base64url')
}

async function claimSome(context: RefreshNeeds, sweep: Sweep): Promise<ConnectorRow[]> {
  const all = mostUnderWay - sweep.underWay.size
  if (all <= 0) {
    await Promise.race(sweep.underWay)
    return claimSome(context, sweep)
  }
  const { limited, others } = context.refreshGate.room()
  const rooms = new Map([...limited].map(([contextId, room]) => [contextId, Math.min(room, mostOfContext)]))
  for (const [contextId, underWay] of sweep.ofContext) {
    const left = mostOfContext - underWay
    rooms.set(contextId, Math.max(0, Math.min(left, limited.get(contextId) ?? others)))
  }
  const now = context.clock.now()
  const roomsOfTenants = new Map([...sweep.ofTenant].map(([tenant, underWay]) => [tenant, mostOfTenant - underWay]))
  const limits = { all, ofContext: mostOfContext, ofTenant: mostOfTenant }
  const claim = { afterContext: randomPlace(), limits, rooms, roomsOfTenants }
  return context.database.systemTransaction((db) => claimDueRefreshes(db, now, plusMs(now, claimLifeMs), claim))
}

function begin(context: RefreshNeeds, sweep: Sweep, row: ConnectorRow): void {
  const count = (by: number) => {
    sweep.ofContext.set(row.context_id, (sweep.ofContext.get(row.context_id) ?? 0) + by)
    sweep.ofTenant.set(row.tenant_id, (sweep.ofTenant.get(row.tenant_id) ?? 0) + by)
  }
  count(1)
  const working = workOff(context, row)
    .catch((error: unknown) => {
      sweep.failures.push(error instanceof Error ? error : new Error('A refresh failed'))
    })
    .finally(() => {
      count(-1)
      sweep.underWay.delete(working)
    })
  sweep.underWay.add(working)
}

async function workOff(context: RefreshNeeds, row: ConnectorRow): Promise<void> {
  const tenant = tenantId(row.tenant_id)
  const definition = await findDefinition(context, tenant, providerSlug(row.provider_slug))
  const verdict = judgeDue(row, definition?.refresh_token_idle_days, context.clock.now())
  if (verdict === 'refresh') await refresh(context, row, 'due')
  else await rescheduleRefresh(context.database.tenant(tenant), row, verdict.lookAgainAt)
}
