import { Webhook } from 'standardwebhooks'
import type { ConnectorEvent } from './api-types.ts'
import { ConnectorOAuthError } from './errors.ts'

/** The headers of the request, as Node.js, Fastify and Express have them, or as `fetch` does. */
export type WebhookHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>

/** What a webhook carries. */
export interface WebhookMessage {
  /** The event's type, or `webhook.test`. */
  readonly type: string
  readonly timestamp: string
  /** As `GET /v1/events` has it; absent from the test message. */
  readonly event: ConnectorEvent | undefined
}

/**
 * The message of a webhook, once its signature and its time have been checked (Standard Webhooks).
 *
 * `payload` is the body as it came, before any parsing. Give both secrets while one is being rotated. The event's `id` (`webhook-id`) is the same at every
 * attempt: keep it, and do nothing twice. Throws `ConnectorOAuthError` with the code `webhook_refused`.
 */
export function verifyWebhook(
  secrets: string | readonly string[],
  headers: WebhookHeaders,
  payload: string | Buffer,
): WebhookMessage {
  const signed = {
    'webhook-id': headerOf(headers, 'webhook-id'),
    'webhook-timestamp': headerOf(headers, 'webhook-timestamp'),
    'webhook-signature': headerOf(headers, 'webhook-signature'),
  }
  for (const secret of typeof secrets === 'string' ? [secrets] : secrets) {
    try {
      // Signed by the service, so it is what the service sends.
      return messageOf(new Webhook(secret).verify(payload, signed) as SignedPayload)
    } catch {
      // The next secret may fit.
    }
  }
  throw new ConnectorOAuthError('The webhook is not signed with this secret, or is too old', {
    code: 'webhook_refused',
  })
}

interface SignedPayload {
  readonly type: string
  readonly timestamp: string
  readonly data: ConnectorEvent | { readonly webhook_id: string }
}

function messageOf({ type, timestamp, data }: SignedPayload): WebhookMessage {
  return { type, timestamp, event: 'event_type' in data ? data : undefined }
}

function headerOf(headers: WebhookHeaders, name: string): string {
  const value = headers instanceof Headers ? headers.get(name) : headers[name]
  return typeof value === 'string' ? value : ''
}
