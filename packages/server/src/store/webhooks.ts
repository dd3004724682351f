import type { TenantId, WebhookId } from '../core/ids.ts'
import { statement, type Db } from './database.ts'
import type { TimeCursor } from './events.ts'
import type { WebhookRow } from './rows.ts'

export type Webhook = WebhookRow

const columns = `tenant_id, webhook_id, url, description, event_types, enabled, disabled_reason, secret, previous_secret,
  previous_secret_expires_at, cursor_position, claimed_until, claim_fence, claimed_at, failing_since, failures,
  last_failed_at, retry_at, last_delivered_at, created_at, updated_at`

/** Two that count at the same time would not see each other's endpoint. */
const lockCount = statement('webhooks.lock_count', 'select pg_advisory_xact_lock(hashtextextended($1, 0))')
const insertOne = statement(
  'webhooks.add',
  `insert into webhooks
     (tenant_id, webhook_id, url, description, event_types, enabled, secret, cursor_position, created_at, updated_at)
   select $1, $2, $3, $4, $5, $6, $7,
          coalesce((select last_position from audit_chains where tenant_id = $1), 0), $8, $8
   where (select count(*) from webhooks where tenant_id = $1) < $9
   returning ${columns}`,
)
const selectOne = statement(
  'webhooks.find',
  `select ${columns}
   from webhooks
   where tenant_id = $1 and webhook_id = $2`,
)
const selectPage = statement(
  'webhooks.page',
  `select ${columns}
   from webhooks
   where tenant_id = $1
     and ($2::timestamptz is null or (created_at, webhook_id) > ($2, $3::text))
   order by created_at, webhook_id
   limit $4`,
)
/** Switched on again, it begins without the trouble it had; a delivery under way keeps its claim. */
const updateOne = statement(
  'webhooks.change',
  `update webhooks
   set url = $3, description = $4, event_types = $5, enabled = $6,
       disabled_reason = case when $6 then null else disabled_reason end,
       failing_since = case when $6 and not enabled or url <> $3 then null else failing_since end,
       failures = case when $6 and not enabled or url <> $3 then 0 else failures end,
       retry_at = case when $6 and not enabled or url <> $3 then null else retry_at end,
       updated_at = $7
   where tenant_id = $1 and webhook_id = $2
   returning ${columns}`,
)
const rotateSecret = statement(
  'webhooks.rotate_secret',
  `update webhooks
   set secret = $3, previous_secret = $4, previous_secret_expires_at = $5, updated_at = $6
   where tenant_id = $1 and webhook_id = $2
   returning ${columns}`,
)
const deleteOne = statement(
  'webhooks.remove',
  `with gone as (
     delete from webhook_deliveries
     where tenant_id = $1 and webhook_id = $2)
   delete from webhooks
   where tenant_id = $1 and webhook_id = $2
   returning webhook_id`,
)

export interface WebhookSettings {
  readonly url: string
  readonly description: string | null
  readonly eventTypes: readonly string[] | null
  readonly enabled: boolean
}

/** Adds an endpoint that gets what happens from now on; `undefined` when the tenant has `atMost` already. Run it in a transaction. */
export async function addWebhook(
  db: Db,
  webhook: WebhookSettings & { readonly tenantId: TenantId; readonly id: WebhookId; readonly secret: Buffer },
  now: Date,
  atMost: number,
): Promise<Webhook | undefined> {
  const { tenantId, id, url, description, eventTypes, enabled, secret } = webhook
  await db.query(lockCount, [JSON.stringify(['webhooks', tenantId])])
  return (
    await db.query<Webhook>(insertOne, [tenantId, id, url, description, eventTypes, enabled, secret, now, atMost])
  )[0]
}

export async function findWebhook(db: Db, tenantId: TenantId, id: WebhookId): Promise<Webhook | undefined> {
  return (await db.query<Webhook>(selectOne, [tenantId, id]))[0]
}

/** One page, oldest first. */
export async function pageWebhooks(
  db: Db,
  tenantId: TenantId,
  page: { readonly after: TimeCursor | undefined; readonly limit: number },
): Promise<Webhook[]> {
  return db.query(selectPage, [tenantId, page.after?.createdAt ?? null, page.after?.id ?? null, page.limit])
}

export async function changeWebhook(
  db: Db,
  tenantId: TenantId,
  id: WebhookId,
  settings: WebhookSettings,
  now: Date,
): Promise<Webhook | undefined> {
  const { url, description, eventTypes, enabled } = settings
  return (await db.query<Webhook>(updateOne, [tenantId, id, url, description, eventTypes, enabled, now]))[0]
}

/** Puts a new secret in place; the old one goes on signing beside it until `previousUntil`. */
export async function replaceWebhookSecret(
  db: Db,
  tenantId: TenantId,
  id: WebhookId,
  secrets: { readonly secret: Buffer; readonly previous: Buffer; readonly previousUntil: Date },
  now: Date,
): Promise<Webhook | undefined> {
  const values = [tenantId, id, secrets.secret, secrets.previous, secrets.previousUntil, now]
  return (await db.query<Webhook>(rotateSecret, values))[0]
}

/** Removes an endpoint and its outbox; `false` when there is none. */
export async function removeWebhook(db: Db, tenantId: TenantId, id: WebhookId): Promise<boolean> {
  return (await db.query(deleteOne, [tenantId, id])).length > 0
}
