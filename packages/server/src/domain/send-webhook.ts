import { EgressError } from '../oauth/egress-error.ts'
import { retryAfterSeconds } from '../oauth/retry-after.ts'
import type { Attempt } from '../store/webhook-deliveries.ts'
import type { Webhook } from '../store/webhooks.ts'
import { SealBroken } from '../vault/vault.ts'
import type { Context } from './context.ts'
import { signWebhook } from './webhook-secrets.ts'

/** What came of sending one message. */
export interface Sent {
  readonly isDelivered: boolean
  /** The endpoint says that it is gone for good (410). */
  readonly isGone: boolean
  readonly retryAfterSeconds: number | undefined
  readonly attempt: Attempt
}

const deadlineMs = 15_000
/** Nobody reads the reply; a page of an error is let through, a download is not. */
const maxReplyBytes = 262_144

/** Signs a message and posts it. A redirect is a failure like any other and is not followed. */
export async function sendWebhook(
  context: Pick<Context, 'vault' | 'egress' | 'clock'>,
  webhook: Webhook,
  id: string,
  body: string,
): Promise<Sent> {
  const sentAt = context.clock.now()
  const begun = performance.now()
  const attempt = (more: Pick<Attempt, 'status' | 'error'>): Attempt => ({
    at: sentAt.toISOString(),
    duration_ms: Math.round(performance.now() - begun),
    ...more,
  })
  const failed = { isDelivered: false, isGone: false, retryAfterSeconds: undefined }
  try {
    const signed = await signWebhook(context, webhook, { id, sentAt, body })
    const { status, headers } = await context.egress.request({
      method: 'POST',
      url: webhook.url,
      headers: { 'content-type': 'application/json', ...signed },
      body,
      deadlineMs,
      maxBytes: maxReplyBytes,
    })
    const isDelivered = status >= 200 && status < 300
    return {
      isDelivered,
      isGone: status === 410,
      retryAfterSeconds: isDelivered ? undefined : retryAfterSeconds(headers['retry-after'], sentAt),
      attempt: attempt({ status }),
    }
  } catch (error) {
    // Its data key is gone. Counted as the endpoint's failure, so that it is tried less and less and then switched off.
    if (error instanceof SealBroken) return { ...failed, attempt: attempt({ error: 'secret_unreadable' }) }
    if (!(error instanceof EgressError)) throw error
    return { ...failed, attempt: attempt({ error: error.kind }) }
  }
}
