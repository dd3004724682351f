import { plusMs } from '../core/clock.ts'
import { tenantId, type TenantId } from '../core/ids.ts'
import { chainHeads } from '../store/chain-heads.ts'
import { addEvent, findEvents } from '../store/events.ts'
import {
  claimDueWebhooks,
  disableWebhook,
  noteWebhookFailure,
  noteWebhookSuccess,
  releaseClaim,
  renewClaim,
  type ClaimedWebhook,
} from '../store/webhook-claims.ts'
import {
  dueDeliveries,
  endDelivery,
  failDelivery,
  fanOutEvents,
  probeDelivery,
  type Attempt,
  type Delivery,
} from '../store/webhook-deliveries.ts'
import type { Context } from './context.ts'
import { viewEvent } from './event-view.ts'
import { sendWebhook } from './send-webhook.ts'
import { isDeliveryDead, isEndpointDead, retryAt } from './webhook-schedule.ts'

type Needs = Pick<Context, 'database' | 'vault' | 'egress' | 'clock' | 'meter'>

const endpointsAtOnce = 20
/** Longer than a portion takes: eight at a time, each fifteen seconds at most. */
const claimLifeMs = 120_000
const portionsOfClaim = 20
const deliveriesAtOnce = 100
const resourcesAtOnce = 8
const fanOutsOfClaim = 20
const attemptsKept = 20

/**
 * Delivers events to the endpoints that want them, and answers how many endpoints had something.
 *
 * One process at a time delivers to an endpoint, each event after the earlier ones of its resource. A process that
 * dies between sending and marking leads to a second message with the same `webhook-id`.
 */
export async function deliverDue(context: Needs): Promise<number> {
  const now = context.clock.now()
  const claimed = await claimDueWebhooks(context.database.system, now, plusMs(now, claimLifeMs), endpointsAtOnce)
  // Side by side: an endpoint that hangs must not hold up the others.
  const ends = await Promise.allSettled(claimed.map((webhook) => deliverTo(context, webhook)))
  const failed = ends.find((end) => end.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return claimed.length
}

async function deliverTo(context: Needs, webhook: ClaimedWebhook): Promise<void> {
  const db = context.database.tenant(tenantId(webhook.tenant_id))
  try {
    if (!(await fanOut(context, webhook))) return
    // An endpoint in trouble is asked with one delivery; the rest follow once it has taken that.
    let isTrusted = webhook.failures === 0
    for (let portion = 0; portion < portionsOfClaim; portion += 1) {
      const now = context.clock.now()
      if (!(await renewClaim(db, webhook, plusMs(now, claimLifeMs)))) return
      const due = isTrusted
        ? await dueDeliveries(db, webhook, now, deliveriesAtOnce)
        : await probeDelivery(db, webhook, now)
      if (due.length === 0 || !(await sendInOrder(context, webhook, due))) return
      isTrusted = true
    }
  } finally {
    await releaseClaim(db, webhook)
  }
}

/** Answers `false` when the claim is another's by now. */
async function fanOut(context: Needs, webhook: ClaimedWebhook): Promise<boolean> {
  const tenant = tenantId(webhook.tenant_id)
  const db = context.database.tenant(tenant)
  const head = (await chainHeads(db, [tenant])).get(tenant) ?? 0
  let cursor = Number(webhook.cursor_position)
  for (let portion = 0; portion < fanOutsOfClaim && cursor < head; portion += 1) {
    const moved = await fanOutEvents(db, webhook, cursor, head, context.clock.now())
    if (moved === undefined) return false
    cursor = moved
  }
  return true
}

/** Each resource's deliveries one after the other, several resources side by side. Answers whether the endpoint took all. */
async function sendInOrder(context: Needs, webhook: ClaimedWebhook, due: readonly Delivery[]): Promise<boolean> {
  const queues = [...Map.groupBy(due, (delivery) => delivery.resource_id).values()]
  let isWell = true
  const work = async (): Promise<void> => {
    for (let queue = queues.shift(); queue !== undefined && isWell; queue = queues.shift()) {
      for (const delivery of queue) {
        if (!isWell) return
        if (!(await deliverOne(context, webhook, delivery))) isWell = false
      }
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: resourcesAtOnce }, work))
  const failed = ends.find((end) => end.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return isWell
}

async function deliverOne(context: Needs, webhook: ClaimedWebhook, delivery: Delivery): Promise<boolean> {
  const tenant = tenantId(webhook.tenant_id)
  const body = await bodyOf(context, tenant, delivery)
  const sent = await sendWebhook(context, webhook, delivery.event_id, body)
  const now = context.clock.now()
  const log = [...earlierAttempts(delivery), sent.attempt].slice(-attemptsKept)
  await context.database.transaction(tenant, async (db) => {
    if (sent.isDelivered) {
      await endDelivery(db, delivery, log, now)
      await noteWebhookSuccess(db, webhook, now)
      return
    }
    const attempts = delivery.attempts + 1
    const isDead = isDeliveryDead(delivery.first_attempt_at, now)
    const again = isDead ? undefined : retryAt(now, attempts, sent.retryAfterSeconds, Math.random())
    await failDelivery(db, delivery, log, now, again)
    const endpointAgain = retryAt(now, webhook.failures + 1, sent.retryAfterSeconds, Math.random())
    const failingSince = await noteWebhookFailure(db, webhook, now, endpointAgain)
    const reason = sent.isGone ? 'gone' : isEndpointDead(failingSince, now) ? 'failing' : undefined
    if (reason !== undefined && (await disableWebhook(db, webhook, reason, now))) {
      await addEvent(db, tenant, disabled(webhook, reason), now)
    }
  })
  const outcome = sent.isDelivered ? 'delivered' : isDeliveryDead(delivery.first_attempt_at, now) ? 'dead' : 'failed'
  context.meter.count('webhook_deliveries_total', { outcome })
  return sent.isDelivered
}

/** The payload that Standard Webhooks proposes: `type`, `timestamp`, `data`. The same bytes at every attempt. */
async function bodyOf(context: Needs, tenant: TenantId, { event_id: id }: Delivery): Promise<string> {
  const [row] = await findEvents(context.database.tenant(tenant), tenant, [id])
  if (row === undefined) throw new Error('A delivery has no event')
  const event = await viewEvent(context, tenant, 'administrators', row)
  return JSON.stringify({ type: event.event_type, timestamp: event.created_at, data: event })
}

function earlierAttempts(delivery: Delivery): readonly Attempt[] {
  // Written by this file alone.
  return delivery.attempt_log as readonly Attempt[]
}

function disabled(webhook: ClaimedWebhook, reason: string) {
  return {
    eventType: 'webhook.disabled',
    actorId: undefined,
    resourceType: 'webhook',
    resourceId: webhook.webhook_id,
    place: undefined,
    metadata: { reason },
  } as const
}
