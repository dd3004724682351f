import { statement, type Db } from './database.ts'
import type { Webhook } from './webhooks.ts'

/** An endpoint that is this process's to deliver to, until `claimed_until`. */
export type ClaimedWebhook = Webhook

/**
 * Two that see the same endpoint do not both get it: the second waits for the first and finds it claimed. A tenant's
 * endpoints take turns with those of the others, and those with each other.
 */
const claimDue = statement(
  'webhooks.claim_due',
  `update webhooks
   set claimed_until = $2, claimed_at = $1, claim_fence = claim_fence + 1
   where enabled
     and (claimed_until is null or claimed_until <= $1)
     and (tenant_id, webhook_id) in (
       select tenant_id, webhook_id
       from (
         select hook.tenant_id, hook.webhook_id, hook.claimed_at,
                row_number() over (partition by hook.tenant_id order by hook.claimed_at nulls first) as turn
         from webhooks as hook
         left join audit_chains as chain on chain.tenant_id = hook.tenant_id
         where hook.enabled
           and hook.tenant_id <> all($5::text[])
           and (hook.claimed_until is null or hook.claimed_until <= $1)
           and (hook.retry_at is null or hook.retry_at <= $1)
           and (chain.last_position > hook.cursor_position or exists (
             select 1
             from webhook_deliveries as delivery
             where delivery.tenant_id = hook.tenant_id and delivery.webhook_id = hook.webhook_id
               and delivery.status = 'pending' and delivery.next_attempt_at <= $1))) as due
       where turn <= $4
       order by turn, claimed_at nulls first
       limit $3)
   returning *`,
)
const reread = statement(
  'webhooks.reread_claim',
  `select *
   from webhooks
   where tenant_id = $1 and webhook_id = $2 and claim_fence = $3 and enabled`,
)
const release = statement(
  'webhooks.release_claim',
  `update webhooks
   set claimed_until = $4
   where tenant_id = $1 and webhook_id = $2 and claim_fence = $3`,
)
const lock = statement(
  'webhooks.lock_claim',
  `select failures, failing_since, last_failed_at, url, secret, enabled
   from webhooks
   where tenant_id = $1 and webhook_id = $2 and claim_fence = $3
   for update`,
)
const succeeded = statement(
  'webhooks.succeeded',
  `update webhooks
   set failing_since = null, failures = 0, retry_at = null, last_delivered_at = $4
   where tenant_id = $1 and webhook_id = $2 and claim_fence = $3`,
)
const failed = statement(
  'webhooks.failed',
  `update webhooks
   set failing_since = coalesce(failing_since, $4), last_failed_at = $4, failures = $5, retry_at = greatest(retry_at, $6)
   where tenant_id = $1 and webhook_id = $2 and claim_fence = $3`,
)
const disable = statement(
  'webhooks.disable',
  `update webhooks
   set enabled = false, disabled_reason = $4, updated_at = $5
   where tenant_id = $1 and webhook_id = $2 and claim_fence = $3 and enabled
   returning webhook_id`,
)

/** How an endpoint has been failing. */
export type Trouble = Pick<Webhook, 'failures' | 'failing_since' | 'last_failed_at'>

/** The same with what may have been changed since the endpoint was read. */
export type LockedClaim = Trouble & Pick<Webhook, 'url' | 'secret' | 'enabled'>

/**
 * Takes endpoints that have something to deliver, at most `ofTenant` of each tenant and none of `fullTenants`. A worker that
 * dies leaves them to others when `until` comes.
 */
export async function claimDueWebhooks(
  system: Db,
  now: Date,
  until: Date,
  limits: { readonly all: number; readonly ofTenant: number; readonly fullTenants: readonly string[] },
): Promise<ClaimedWebhook[]> {
  return system.query<ClaimedWebhook>(claimDue, [now, until, limits.all, limits.ofTenant, limits.fullTenants])
}

/** The endpoint as it is now; `undefined` when it is another's, or switched off: then nothing more may be sent. */
export async function rereadClaim(db: Db, webhook: ClaimedWebhook): Promise<ClaimedWebhook | undefined> {
  return (await db.query<ClaimedWebhook>(reread, keyOf(webhook)))[0]
}

/** Leaves the endpoint to whoever comes, or to whoever comes from `notBefore` on. */
export async function releaseClaim(db: Db, webhook: ClaimedWebhook, notBefore: Date | undefined): Promise<void> {
  await db.query(release, [...keyOf(webhook), notBefore ?? null])
}

/** Keeps the claim from going to another within the caller's transaction; `undefined` when it has gone. */
export async function lockClaim(db: Db, webhook: ClaimedWebhook): Promise<LockedClaim | undefined> {
  return (await db.query<LockedClaim>(lock, keyOf(webhook)))[0]
}

export async function noteWebhookSuccess(db: Db, webhook: ClaimedWebhook, now: Date): Promise<void> {
  await db.query(succeeded, [...keyOf(webhook), now])
}

export async function noteWebhookFailure(
  db: Db,
  webhook: ClaimedWebhook,
  failure: { readonly failures: number; readonly now: Date; readonly retryAt: Date },
): Promise<void> {
  await db.query(failed, [...keyOf(webhook), failure.now, failure.failures, failure.retryAt])
}

/** Answers `false` when it was switched off before. */
export async function disableWebhook(db: Db, webhook: ClaimedWebhook, reason: string, now: Date): Promise<boolean> {
  return (await db.query(disable, [...keyOf(webhook), reason, now])).length > 0
}

function keyOf(webhook: ClaimedWebhook): readonly [string, string, number] {
  return [webhook.tenant_id, webhook.webhook_id, webhook.claim_fence]
}
