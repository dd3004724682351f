import { randomBytes } from 'node:crypto'
import { Webhook as Signer } from 'standardwebhooks'
import { tenantId } from '../core/ids.ts'
import { Secret } from '../core/secret.ts'
import type { Webhook } from '../store/webhooks.ts'
import type { Place } from '../vault/place.ts'
import type { Context } from './context.ts'

/** A new signing secret, in the spelling of Standard Webhooks: `whsec_` and 32 bytes in Base64. */
export function mintWebhookSecret(): Secret {
  return new Secret(`whsec_${randomBytes(32).toString('base64')}`)
}

type Key = Pick<Webhook, 'tenant_id' | 'webhook_id'>

/** The place of an endpoint's signing secret. */
export function webhookSecretPlace(webhook: Key, field: 'secret' | 'previous_secret'): Place {
  return {
    purpose: 'webhook',
    tenantId: tenantId(webhook.tenant_id),
    spaceId: '',
    collectionId: '',
    subjectId: webhook.webhook_id,
    field,
  }
}

/** A message as it goes out: what the signature covers. */
export interface WebhookMessage {
  /** Stays the same over retries and replays, so that receivers can tell what they have seen. */
  readonly id: string
  readonly sentAt: Date
  readonly body: string
}

/**
 * The headers of a signed message (Standard Webhooks). While a rotation's overlap lasts there are two signatures, so
 * that a receiver may know either secret.
 */
export async function signWebhook(
  context: Pick<Context, 'vault'>,
  webhook: Webhook,
  message: WebhookMessage,
): Promise<Readonly<Record<string, string>>> {
  const { previous_secret: previous, previous_secret_expires_at: previousEnds } = webhook
  const isOverlap = previous !== null && previousEnds !== null && previousEnds > message.sentAt
  const signatures: string[] = []
  const sign = async (field: 'secret' | 'previous_secret', sealed: Buffer): Promise<void> => {
    const secret = await context.vault.open(webhookSecretPlace(webhook, field), sealed)
    signatures.push(new Signer(secret.reveal()).sign(message.id, message.sentAt, message.body))
  }
  await sign('secret', webhook.secret)
  if (isOverlap) await sign('previous_secret', previous)
  return {
    'webhook-id': message.id,
    'webhook-timestamp': String(Math.floor(message.sentAt.getTime() / 1000)),
    'webhook-signature': signatures.join(' '),
  }
}
