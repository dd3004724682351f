import { setTimeout as wait } from 'node:timers/promises'
import { plusMs } from '../core/clock.ts'
import { tenantId } from '../core/ids.ts'
import { chainHeads } from '../store/chain-heads.ts'
import { claimDueWebhooks, releaseClaim, rereadClaim, type ClaimedWebhook } from '../store/webhook-claims.ts'
import { dueDeliveries, fanOutEvents, probeDelivery, type Delivery } from '../store/webhook-deliveries.ts'
import type { Context } from './context.ts'
import { deliverEvent } from './deliver-event.ts'

type Needs = Pick<Context, 'database' | 'vault' | 'egress' | 'clock' | 'meter' | 'log' | 'webhookTurns'>

const endpointsOfTenantAtOnce = 2
/** After this no message is begun; the rest waits for another turn, so that a slow endpoint keeps no place for good. */
const turnMs = 60_000
/** A turn, a last message of fifteen seconds, and its mark. */
const claimLifeMs = 90_000
const portionsOfTurn = 20
const deliveriesAtOnce = 100
const resourcesAtOnce = 8
/** A hundred a second: what an outage leaves behind must not bring the receiver down again. */
const msPerDelivery = 10
const fanOutsOfTurn = 20
/** What our own trouble ended is not begun again at once. */
const waitAfterTroubleMs = 10_000

/**
 * Begins to deliver events to the endpoints that want them, and answers how many endpoints had something. It does not wait
 * for them: one that hangs must not hold up the others, here or in the next round.
 *
 * One process at a time delivers to an endpoint, each event after the earlier ones of its resource. A process that
 * dies between sending and marking leads to a second message with the same `webhook-id`.
 */
export async function deliverDue(context: Needs): Promise<number> {
  const turns = context.webhookTurns
  const { left, fullTenants } = turns.room()
  if (left === 0 || turns.stopping.aborted) return 0
  const now = context.clock.now()
  const limits = { all: left, ofTenant: endpointsOfTenantAtOnce, fullTenants }
  const claimed = await claimDueWebhooks(context.database.system, now, plusMs(now, claimLifeMs), limits)
  for (const webhook of claimed) turns.begin(webhook.tenant_id, takeTurn(context, webhook, plusMs(now, turnMs)))
  return claimed.length
}

/** Never rejects: nobody waits for it. */
async function takeTurn(context: Needs, webhook: ClaimedWebhook, ends: Date): Promise<void> {
  const db = context.database.tenant(tenantId(webhook.tenant_id))
  const mayGoOn = (): boolean => context.clock.now() < ends && !context.webhookTurns.stopping.aborted
  try {
    await releaseClaim(db, webhook, await deliverTo(context, webhook, mayGoOn))
  } catch (error) {
    context.meter.count('job_failures_total', { work: 'deliver' })
    const name = error instanceof Error ? error.name : 'unknown'
    context.log.warn({ webhook_id: webhook.webhook_id, error: name }, 'delivering to a webhook failed')
    // Where this fails too, the claim ends by itself.
    await releaseClaim(db, webhook, plusMs(context.clock.now(), waitAfterTroubleMs)).catch(() => {})
  }
}

/** Answers the moment before which nothing more may be sent, if there is one. */
async function deliverTo(context: Needs, claimed: ClaimedWebhook, mayGoOn: () => boolean): Promise<Date | undefined> {
  if (!(await fanOut(context, claimed, mayGoOn))) return undefined
  const db = context.database.tenant(tenantId(claimed.tenant_id))
  // An endpoint in trouble is asked with one delivery; the rest follow once it has taken that.
  let isTrusted = claimed.failures === 0
  let notBefore: Date | undefined
  for (let portion = 0; portion < portionsOfTurn && mayGoOn(); portion += 1) {
    const webhook = await rereadClaim(db, claimed)
    if (webhook === undefined) return undefined
    const now = context.clock.now()
    const due = isTrusted
      ? await dueDeliveries(db, webhook, now, deliveriesAtOnce)
      : await probeDelivery(db, webhook, now)
    if (due.length === 0) return notBefore
    notBefore = plusMs(now, due.length * msPerDelivery)
    if (!(await sendInOrder(context, webhook, due, mayGoOn))) return notBefore
    isTrusted = true
    await waitUntil(context, notBefore)
  }
  return notBefore
}

async function waitUntil(context: Needs, moment: Date): Promise<void> {
  const ms = Math.min(moment.getTime() - context.clock.now().getTime(), deliveriesAtOnce * msPerDelivery)
  if (ms > 0) await wait(ms, undefined, { signal: context.webhookTurns.stopping }).catch(() => {})
}

/** Answers `false` when the claim is another's by now. */
async function fanOut(context: Needs, webhook: ClaimedWebhook, mayGoOn: () => boolean): Promise<boolean> {
  const tenant = tenantId(webhook.tenant_id)
  const db = context.database.tenant(tenant)
  const head = (await chainHeads(db, [tenant])).get(tenant) ?? 0
  let cursor = Number(webhook.cursor_position)
  for (let portion = 0; portion < fanOutsOfTurn && cursor < head && mayGoOn(); portion += 1) {
    const moved = await fanOutEvents(db, webhook, cursor, head, context.clock.now())
    if (moved === undefined) return false
    cursor = moved
  }
  return true
}

/** Each resource's deliveries one after the other, several resources side by side. Answers whether the endpoint took all. */
async function sendInOrder(
  context: Needs,
  webhook: ClaimedWebhook,
  due: readonly Delivery[],
  mayGoOn: () => boolean,
): Promise<boolean> {
  const queues = [...Map.groupBy(due, (delivery) => delivery.resource_id).values()]
  let isWell = true
  const work = async (): Promise<void> => {
    for (let queue = queues.shift(); queue !== undefined && isWell; queue = queues.shift()) {
      for (const delivery of queue) {
        if (!isWell) return
        if (!(await deliverEvent(context, webhook, delivery, mayGoOn))) isWell = false
      }
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: resourcesAtOnce }, work))
  const failed = ends.find((end) => end.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return isWell
}
