import { plusMs } from '../core/clock.ts'
import { mintWebhookId, webhookId, type WebhookId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import type { Secret } from '../core/secret.ts'
import { EgressError } from '../oauth/egress-error.ts'
import {
  addWebhook,
  changeWebhook,
  findWebhook,
  pageWebhooks,
  removeWebhook,
  replaceWebhookSecret,
  type Webhook,
} from '../store/webhooks.ts'
import type { Context } from './context.ts'
import { cutPage, readCursor, type Page, type PageRequest } from './page.ts'
import { requireRight, type Principal } from './principal.ts'
import { recordAdminAct } from './record-admin-act.ts'
import { mintWebhookSecret, webhookSecretPlace } from './webhook-secrets.ts'

/** An endpoint as callers see it; never its secret. Field names are the API's. */
export interface WebhookView {
  readonly id: string
  readonly url: string
  readonly description: string | null
  readonly event_types: readonly string[] | null
  readonly enabled: boolean
  readonly disabled_reason: string | null
  readonly failing_since: string | null
  readonly last_delivered_at: string | null
  readonly previous_secret_expires_at: string | null
  readonly created_at: string
  readonly updated_at: string
}

/** What may be set; an absent field stays, or takes its default. */
export interface WebhookChange {
  readonly url?: string
  readonly description?: string | null
  readonly event_types?: readonly string[] | null
  readonly enabled?: boolean
}

const webhooksOfTenant = 50

type Needs = Pick<Context, 'database' | 'vault' | 'clock' | 'egress'>

/**
 * Adds an endpoint for what happens from now on, and answers its signing secret, once.
 *
 * Throws 400 `url_not_allowed`, 409 `too_many_webhooks`.
 */
export async function createWebhook(
  context: Needs,
  principal: Principal,
  asked: WebhookChange & { readonly url: string },
): Promise<{ readonly view: WebhookView; readonly secret: Secret }> {
  requireAdmin(principal)
  requireAllowed(context, asked.url)
  const { tenantId } = principal
  const id = mintWebhookId()
  const secret = mintWebhookSecret()
  const sealed = await context.vault.seal(webhookSecretPlace({ tenant_id: tenantId, webhook_id: id }, 'secret'), secret)
  const settings = settingsOf(asked, { url: asked.url, description: null, event_types: null, enabled: true })
  const webhook = await context.database.transaction(tenantId, async (db) => {
    const now = context.clock.now()
    const added = await addWebhook(db, { ...settings, tenantId, id, secret: sealed }, now, webhooksOfTenant)
    if (added === undefined) throw new Problem('too_many_webhooks')
    // The rest of the address is a secret at many receivers, and the record is for ever.
    const { origin } = new URL(asked.url)
    await recordAdminAct(context, db, principal, act('webhook.created', id, { origin }))
    return added
  })
  return { view: viewWebhook(webhook), secret }
}

export async function listWebhooks(
  context: Needs,
  principal: Principal,
  page: PageRequest,
): Promise<Page<WebhookView>> {
  requireAdmin(principal)
  const { tenantId } = principal
  const after = readCursor(page.cursor)
  const rows = await pageWebhooks(context.database.tenant(tenantId), tenantId, { after, limit: page.limit + 1 })
  return cutPage(rows, page.limit, viewWebhook, (row) => ({ createdAt: row.created_at, id: row.webhook_id }))
}

export async function readWebhook(context: Needs, principal: Principal, id: WebhookId): Promise<WebhookView> {
  return viewWebhook(await requireWebhook(context, principal, id))
}

/** Switching an endpoint on again lets it begin where it stopped. Throws 400 `url_not_allowed`. */
export async function patchWebhook(
  context: Needs,
  principal: Principal,
  id: WebhookId,
  change: WebhookChange,
): Promise<WebhookView> {
  const known = await requireWebhook(context, principal, id)
  if (change.url !== undefined) requireAllowed(context, change.url)
  const { tenantId } = principal
  return context.database.transaction(tenantId, async (db) => {
    const settings = settingsOf(change, known)
    const changed = await changeWebhook(db, tenantId, id, settings, context.clock.now())
    if (changed === undefined) throw new Problem('webhook_unknown')
    await recordAdminAct(context, db, principal, act('webhook.changed', id, { fields: Object.keys(change) }))
    return viewWebhook(changed)
  })
}

export async function deleteWebhook(context: Needs, principal: Principal, id: WebhookId): Promise<void> {
  requireAdmin(principal)
  await context.database.transaction(principal.tenantId, async (db) => {
    if (!(await removeWebhook(db, principal.tenantId, id))) throw new Problem('webhook_unknown')
    await recordAdminAct(context, db, principal, act('webhook.removed', id, {}))
  })
}

/** Gives an endpoint a new secret and answers it, once; both sign until the overlap ends. */
export async function rotateWebhookSecret(
  context: Needs,
  principal: Principal,
  id: WebhookId,
  overlapMs: number,
): Promise<{ readonly view: WebhookView; readonly secret: Secret }> {
  const known = await requireWebhook(context, principal, id)
  const { tenantId } = principal
  const secret = mintWebhookSecret()
  const old = await context.vault.open(webhookSecretPlace(known, 'secret'), known.secret)
  const sealed = await context.vault.seal(webhookSecretPlace(known, 'secret'), secret)
  const previous = await context.vault.seal(webhookSecretPlace(known, 'previous_secret'), old)
  const changed = await context.database.transaction(tenantId, async (db) => {
    const now = context.clock.now()
    const secrets = { secret: sealed, previous, previousUntil: plusMs(now, overlapMs) }
    const rotated = await replaceWebhookSecret(db, tenantId, id, secrets, now)
    if (rotated === undefined) throw new Problem('webhook_unknown')
    await recordAdminAct(
      context,
      db,
      principal,
      act('webhook.secret_rotated', id, { overlap_seconds: overlapMs / 1000 }),
    )
    return rotated
  })
  return { view: viewWebhook(changed), secret }
}

/** Throws 403 `missing_right`, 404 `webhook_unknown`. */
export async function requireWebhook(
  context: Pick<Context, 'database'>,
  principal: Principal,
  id: WebhookId,
): Promise<Webhook> {
  requireAdmin(principal)
  const { tenantId } = principal
  const webhook = await findWebhook(context.database.tenant(tenantId), tenantId, id)
  if (webhook === undefined) throw new Problem('webhook_unknown')
  return webhook
}

/** An endpoint is told of the whole tenant, so a token of some spaces may not set one up. */
function requireAdmin(principal: Principal): void {
  requireRight(principal, 'connectors:admin')
  if (principal.spaces !== undefined || principal.collections !== undefined) throw new Problem('space_forbidden')
}

function requireAllowed(context: Pick<Context, 'egress'>, url: string): void {
  try {
    context.egress.assertAllowed(url)
  } catch (error) {
    if (!(error instanceof EgressError)) throw error
    throw new Problem('url_not_allowed', {
      detail: 'This url points where this service must not connect; use a public https address.',
    })
  }
}

function settingsOf(change: WebhookChange, known: Pick<Webhook, 'url' | 'description' | 'event_types' | 'enabled'>) {
  return {
    url: change.url ?? known.url,
    description: change.description === undefined ? known.description : change.description,
    eventTypes: change.event_types === undefined ? known.event_types : change.event_types,
    enabled: change.enabled ?? known.enabled,
  }
}

function act(action: string, id: WebhookId, metadata: Readonly<Record<string, unknown>>) {
  return { action, resourceType: 'webhook', resourceId: id, metadata } as const
}

function viewWebhook(row: Webhook): WebhookView {
  return {
    id: webhookId(row.webhook_id),
    url: row.url,
    description: row.description,
    event_types: row.event_types,
    enabled: row.enabled,
    disabled_reason: row.disabled_reason,
    failing_since: row.failing_since?.toISOString() ?? null,
    last_delivered_at: row.last_delivered_at?.toISOString() ?? null,
    previous_secret_expires_at: row.previous_secret_expires_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  }
}
