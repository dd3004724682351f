import type {
  Webhook,
  WebhookDelivery,
  WebhookDeliveryFilter,
  WebhookPatch,
  WebhookReplay,
  WebhookRequest,
  WebhookTest,
  WebhookWithSecret,
} from './api-types.ts'
import { listOf, type List } from './pages.ts'
import type { Transport } from './transport.ts'

const base = '/v1/admin/webhooks'
const pathOf = (id: string): string => `${base}/${encodeURIComponent(id)}`

/** The endpoints that receive the tenant's events. */
export class Webhooks {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** `POST /v1/admin/webhooks`. The answer holds the signing secret, once. */
  create(request: WebhookRequest): Promise<WebhookWithSecret> {
    return this.#transport.data({ method: 'POST', path: base, body: request })
  }

  /** `GET /v1/admin/webhooks` */
  list(): List<Webhook> {
    return listOf(this.#transport, base, {})
  }

  /** `GET /v1/admin/webhooks/{webhook_id}` */
  get(id: string): Promise<Webhook> {
    return this.#transport.data({ method: 'GET', path: pathOf(id) })
  }

  /** `PATCH /v1/admin/webhooks/{webhook_id}` */
  update(id: string, patch: WebhookPatch): Promise<Webhook> {
    return this.#transport.data({ method: 'PATCH', path: pathOf(id), body: patch, isRepeatable: true })
  }

  /** `DELETE /v1/admin/webhooks/{webhook_id}` */
  remove(id: string): Promise<void> {
    return this.#transport.remove(pathOf(id), 'webhook_unknown')
  }

  /** `POST …/rotate-secret`. The old secret signs beside the new one for `overlapSeconds`, by default a day. */
  rotateSecret(id: string, overlapSeconds?: number): Promise<WebhookWithSecret> {
    const body = overlapSeconds === undefined ? {} : { overlap_seconds: overlapSeconds }
    return this.#transport.data({ method: 'POST', path: `${pathOf(id)}/rotate-secret`, body })
  }

  /** `POST …/test`: sends a test message now. */
  test(id: string): Promise<WebhookTest> {
    return this.#transport.data({ method: 'POST', path: `${pathOf(id)}/test` })
  }

  /** `GET …/deliveries`, newest first, with their attempts. */
  deliveries(id: string, filter: WebhookDeliveryFilter = {}): List<WebhookDelivery> {
    return listOf(this.#transport, `${pathOf(id)}/deliveries`, filter)
  }

  /** `POST …/deliveries/{event_id}/replay` */
  async replayOne(id: string, eventId: string): Promise<void> {
    await this.#transport.data({
      method: 'POST',
      path: `${pathOf(id)}/deliveries/${encodeURIComponent(eventId)}/replay`,
    })
  }

  /** `POST …/replay`, as often as it takes to replay all that fits; answers how many deliveries those were. */
  async replay(id: string, which: WebhookReplay = {}): Promise<number> {
    let replayed = 0
    let from = which.from
    for (;;) {
      const { data, meta } = await this.#transport.json<{
        readonly data: { readonly replayed: number }
        readonly meta: { readonly next_from: string | null }
      }>({ method: 'POST', path: `${pathOf(id)}/replay`, body: { ...which, ...(from !== undefined && { from }) } })
      replayed += data.replayed
      if (meta.next_from === null || meta.next_from === from) return replayed
      from = meta.next_from
    }
  }
}
