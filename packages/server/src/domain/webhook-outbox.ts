import type { WebhookId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import { pageDeliveries, replayDeliveries, type Attempt, type Delivery } from '../store/webhook-deliveries.ts'
import type { Context } from './context.ts'
import { readPosition, writePosition } from './events.ts'
import type { Page, PageRequest } from './page.ts'
import type { Principal } from './principal.ts'
import { recordAdminAct } from './record-admin-act.ts'
import { sendWebhook } from './send-webhook.ts'
import { requireWebhook } from './webhooks.ts'

/** One event's delivery to one endpoint. Field names are the API's. */
export interface DeliveryView {
  /** The event's id, which is also the message's `webhook-id`. */
  readonly event_id: string
  readonly event_type: string
  readonly resource_id: string
  readonly status: string
  readonly attempts: number
  readonly next_attempt_at: string | null
  /** The last twenty. */
  readonly attempt_log: readonly Attempt[]
  readonly created_at: string
  readonly finished_at: string | null
}

type Needs = Pick<Context, 'database' | 'clock' | 'wakeUp'>

/** An endpoint's deliveries, newest first, for 30 days after they ended. */
export async function listDeliveries(
  context: Needs,
  principal: Principal,
  id: WebhookId,
  filter: { readonly status: string | undefined; readonly eventId: string | undefined },
  page: PageRequest,
): Promise<Page<DeliveryView>> {
  await requireWebhook(context, principal, id)
  const { tenantId } = principal
  const before = readPosition(page.cursor)
  const db = context.database.tenant(tenantId)
  const rows = await pageDeliveries(db, { tenantId, id }, filter, { before, limit: page.limit + 1 })
  const shown = rows.slice(0, page.limit)
  const last = shown.at(-1)
  const isMore = rows.length > page.limit && last !== undefined
  return { items: shown.map(viewDelivery), nextCursor: isMore ? writePosition(Number(last.position)) : undefined }
}

/** Some two minutes' work for one endpoint. */
const replayedAtOnce = 10_000

/**
 * Delivers ended ones again, under the same ids, the oldest events first; `from` is a time of events. Answers how many,
 * and from when to go on if there are more than one call replays. Throws 404 `delivery_unknown` for a single one.
 */
export async function replay(
  context: Needs,
  principal: Principal,
  id: WebhookId,
  which: { readonly eventId?: string; readonly status?: 'delivered' | 'dead'; readonly from?: Date },
): Promise<{ readonly replayed: number; readonly nextFrom: Date | undefined }> {
  await requireWebhook(context, principal, id)
  const { tenantId } = principal
  return context.database.transaction(tenantId, async (db) => {
    const done = await replayDeliveries(db, { tenantId, id }, which, context.clock.now(), replayedAtOnce)
    if (done.replayed === 0 && which.eventId !== undefined) throw new Problem('delivery_unknown')
    await recordAdminAct(context, db, principal, {
      action: 'webhook.replayed',
      resourceType: 'webhook',
      resourceId: id,
      metadata: { count: done.replayed },
    })
    await context.wakeUp.wake(db, 'deliver')
    return done
  })
}

/** Sends a message of the type `webhook.test` now, outside the outbox, and answers what came of it. */
export async function testWebhook(
  context: Pick<Context, 'database' | 'vault' | 'egress' | 'clock'>,
  principal: Principal,
  id: WebhookId,
): Promise<Attempt & { readonly delivered: boolean }> {
  const webhook = await requireWebhook(context, principal, id)
  const now = context.clock.now()
  const body = JSON.stringify({ type: 'webhook.test', timestamp: now.toISOString(), data: { webhook_id: id } })
  const { attempt, isDelivered } = await sendWebhook(context, webhook, `test_${id}_${now.getTime()}`, body)
  const { tenantId } = principal
  await context.database.transaction(tenantId, (db) =>
    recordAdminAct(context, db, principal, {
      action: 'webhook.tested',
      resourceType: 'webhook',
      resourceId: id,
      metadata: { delivered: isDelivered },
    }),
  )
  return { delivered: isDelivered, ...attempt }
}

function viewDelivery(row: Delivery): DeliveryView {
  return {
    event_id: row.event_id,
    event_type: row.event_type,
    resource_id: row.resource_id,
    status: row.status,
    attempts: row.attempts,
    next_attempt_at: row.next_attempt_at?.toISOString() ?? null,
    // Written by `deliver-webhooks.ts` alone.
    attempt_log: row.attempt_log as readonly Attempt[],
    created_at: row.created_at.toISOString(),
    finished_at: row.finished_at?.toISOString() ?? null,
  }
}
