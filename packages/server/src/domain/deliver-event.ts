import { tenantId, type TenantId } from '../core/ids.ts'
import type { Db } from '../store/database.ts'
import { addEvent, findEvents, type PagedEvent } from '../store/events.ts'
import {
  disableWebhook,
  lockClaim,
  noteWebhookFailure,
  noteWebhookSuccess,
  type ClaimedWebhook,
  type Trouble,
} from '../store/webhook-claims.ts'
import { endDelivery, failDelivery, type Attempt, type Delivery } from '../store/webhook-deliveries.ts'
import { SealBroken } from '../vault/vault.ts'
import type { Context } from './context.ts'
import { viewEvent, type EventView } from './event-view.ts'
import { sendWebhook, type Sent } from './send-webhook.ts'
import { isDeliveryDead, isEndpointDead, retryAt } from './webhook-schedule.ts'

type Needs = Pick<Context, 'database' | 'vault' | 'egress' | 'clock' | 'meter'>

const attemptsKept = 20

/**
 * Sends one event to an endpoint and marks what came of it. Answers whether the endpoint may get the next one.
 *
 * A mark of a process that lost its claim meanwhile has no effect: what is true is what the new holder finds out.
 */
export async function deliverEvent(
  context: Needs,
  webhook: ClaimedWebhook,
  delivery: Delivery,
  mayGoOn: () => boolean,
): Promise<boolean> {
  const tenant = tenantId(webhook.tenant_id)
  const body = await bodyOf(context, tenant, delivery)
  if (!mayGoOn()) return false
  if (body === undefined) return giveUp(context, webhook, delivery)
  const sent = await sendWebhook(context, webhook, delivery.event_id, body)
  const now = context.clock.now()
  const log = logWith(delivery, sent.attempt)
  const outcome = sent.isDelivered ? 'delivered' : isDeliveryDead(delivery.first_attempt_at, now) ? 'dead' : 'failed'
  let isAsRead = false
  const isOurs = await context.database.transaction(tenant, async (db) => {
    const trouble = await lockClaim(db, webhook)
    if (trouble === undefined) return false
    // What was changed meanwhile is read anew before the next one: no more of them with an old address or secret.
    isAsRead = trouble.enabled && trouble.url === webhook.url && trouble.secret.equals(webhook.secret)
    if (outcome === 'delivered') {
      await endDelivery(db, delivery, log, now)
      await noteWebhookSuccess(db, webhook, now)
      return true
    }
    const again = retryAt(now, delivery.attempts + 1, sent.retryAfterSeconds, Math.random())
    await failDelivery(db, delivery, log, now, outcome === 'dead' ? undefined : again)
    await noteFailure(db, webhook, trouble, sent, now)
    return true
  })
  if (isOurs) context.meter.count('webhook_deliveries_total', { outcome })
  return isOurs && isAsRead && sent.isDelivered
}

/** Messages that were under way together fail together: that is one failure, not eight. */
async function noteFailure(db: Db, webhook: ClaimedWebhook, trouble: Trouble, sent: Sent, now: Date): Promise<void> {
  const isNew = trouble.last_failed_at === null || trouble.last_failed_at <= new Date(sent.attempt.at)
  const failures = trouble.failures + (isNew ? 1 : 0)
  await noteWebhookFailure(db, webhook, {
    failures,
    now,
    retryAt: retryAt(now, failures, sent.retryAfterSeconds, Math.random()),
  })
  const isDead = isEndpointDead(trouble.failing_since ?? now, now)
  const reason = sent.isGone ? 'gone' : isDead ? 'failing' : undefined
  if (reason === undefined || !(await disableWebhook(db, webhook, reason, now))) return
  await addEvent(db, tenantId(webhook.tenant_id), disabled(webhook, reason), now)
}

/** An event that is no more can reach nobody; what comes after it can. */
async function giveUp(context: Needs, webhook: ClaimedWebhook, delivery: Delivery): Promise<boolean> {
  const now = context.clock.now()
  const log = logWith(delivery, { at: now.toISOString(), duration_ms: 0, error: 'event_gone' })
  const isOurs = await context.database.transaction(tenantId(webhook.tenant_id), async (db) => {
    if ((await lockClaim(db, webhook)) === undefined) return false
    await failDelivery(db, delivery, log, now, undefined)
    return true
  })
  if (isOurs) context.meter.count('webhook_deliveries_total', { outcome: 'dead' })
  return isOurs
}

/** The payload that Standard Webhooks proposes: `type`, `timestamp`, `data`. The same bytes at every attempt. */
async function bodyOf(context: Needs, tenant: TenantId, { event_id: id }: Delivery): Promise<string | undefined> {
  const [row] = await findEvents(context.database.tenant(tenant), tenant, [id])
  if (row === undefined) return undefined
  const event = await viewOrPart(context, tenant, row)
  return JSON.stringify({ type: event.event_type, timestamp: event.created_at, data: event })
}

/** A caller's context that cannot be opened any more, its data key being gone, must not keep the event from being told. */
async function viewOrPart(context: Needs, tenant: TenantId, row: PagedEvent): Promise<EventView> {
  try {
    return await viewEvent(context, tenant, 'administrators', row)
  } catch (error) {
    if (!(error instanceof SealBroken)) throw error
    return viewEvent(context, tenant, 'administrators', { ...row, caller_context: null })
  }
}

function logWith(delivery: Delivery, attempt: Attempt): readonly Attempt[] {
  // Written by this file alone.
  const earlier = delivery.attempt_log as readonly Attempt[]
  return [...earlier, attempt].slice(-attemptsKept)
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
