import { statement, type Db } from './database.ts'
import type { Webhook } from './webhooks.ts'

/** An endpoint that is this process's to deliver to, until `claimed_until`. */
export type ClaimedWebhook = Webhook

const claimDue = statement(
  'webhooks.claim_due',
  `update webhooks
   set claimed_until = $2, claim_fence = claim_fence + 1
   where (tenant_id, webhook_id) in (
     select hook.tenant_id, hook.webhook_id
     from webhooks as hook
     left join audit_chains as chain on chain.tenant_id = hook.tenant_id
     where hook.enabled
       and (hook.claimed_until is null or hook.claimed_until <= $1)
       and (hook.retry_at is null or hook.retry_at <= $1)
       and (chain.last_position > hook.cursor_position or exists (
         select 1
         from webhook_deliveries as delivery
         where delivery.tenant_id = hook.tenant_id and delivery.webhook_id = hook.webhook_id
           and delivery.status = 'pending' and delivery.next_attempt_at <= $1))
     order by hook.claimed_until nulls first
     limit $3
     for update of hook skip locked)
   returning *`,
)
const renew = statement(
  'webhooks.renew_claim',
  `update webhooks
   set claimed_until = $4
   where tenant_id = $1 and webhook_id = $2 and claim_fence = $3 and enabled
   returning webhook_id`,
)
const release = statement(
  'webhooks.release_claim',
  `update webhooks
   set claimed_until = null
   where tenant_id = $1 and webhook_id = $2 and claim_fence = $3`,
)
const succeeded = statement(
  'webhooks.succeeded',
  `update webhooks
   set failing_since = null, failures = 0, retry_at = null, last_delivered_at = $3
   where tenant_id = $1 and webhook_id = $2`,
)
const failed = statement(
  'webhooks.failed',
  `update webhooks
   set failing_since = coalesce(failing_since, $3), failures = failures + 1, retry_at = $4
   where tenant_id = $1 and webhook_id = $2
   returning failing_since`,
)
const disable = statement(
  'webhooks.disable',
  `update webhooks
   set enabled = false, disabled_reason = $3, updated_at = $4
   where tenant_id = $1 and webhook_id = $2 and enabled
   returning webhook_id`,
)

type Key = Pick<Webhook, 'tenant_id' | 'webhook_id'>

/** Takes endpoints that have something to deliver. A worker that dies leaves them to others when `until` comes. */
export async function claimDueWebhooks(system: Db, now: Date, until: Date, limit: number): Promise<ClaimedWebhook[]> {
  return system.query<ClaimedWebhook>(claimDue, [now, until, limit])
}

/** `false` when the claim is another's by now, or the endpoint is switched off: then nothing more may be sent. */
export async function renewClaim(db: Db, webhook: ClaimedWebhook, until: Date): Promise<boolean> {
  return (await db.query(renew, [webhook.tenant_id, webhook.webhook_id, webhook.claim_fence, until])).length > 0
}

export async function releaseClaim(db: Db, webhook: ClaimedWebhook): Promise<void> {
  await db.query(release, [webhook.tenant_id, webhook.webhook_id, webhook.claim_fence])
}

export async function noteWebhookSuccess(db: Db, { tenant_id: tenant, webhook_id: id }: Key, now: Date): Promise<void> {
  await db.query(succeeded, [tenant, id, now])
}

/** Answers since when the endpoint has been failing. */
export async function noteWebhookFailure(
  db: Db,
  { tenant_id: tenant, webhook_id: id }: Key,
  now: Date,
  retryAt: Date,
): Promise<Date> {
  const [row] = await db.query<{ failing_since: Date }>(failed, [tenant, id, now, retryAt])
  return row?.failing_since ?? now
}

/** Answers `false` when it was switched off before. */
export async function disableWebhook(
  db: Db,
  { tenant_id: tenant, webhook_id: id }: Key,
  reason: string,
  now: Date,
): Promise<boolean> {
  return (await db.query(disable, [tenant, id, reason, now])).length > 0
}
