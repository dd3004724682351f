import { Type, type Static } from 'typebox'
import { closed, data, HttpUrl, list, nullable, PageQuery, Timestamp } from './common.ts'

const WebhookId = Type.String({ pattern: '^whk_[A-Za-z0-9_-]{1,60}$', examples: ['whk_abc123'] })
const EventId = Type.String({ pattern: '^evt_[A-Za-z0-9_-]{1,60}$' })
export const WebhookParams = Type.Object({ webhook_id: WebhookId })
export const DeliveryParams = Type.Object({ webhook_id: WebhookId, event_id: EventId })

const EventTypes = nullable(
  Type.Array(Type.String({ pattern: '^[a-z_]{1,32}\\.([a-z_]{1,32}|\\*)$' }), {
    minItems: 1,
    maxItems: 50,
    description: 'Names of events, or all of a category as in `connector.*`; null for every event',
  }),
)
const settings = {
  description: Type.Optional(nullable(Type.String({ maxLength: 200 }))),
  event_types: Type.Optional(EventTypes),
  enabled: Type.Optional(Type.Boolean()),
}
export const WebhookBody = Type.Object({ url: HttpUrl, ...settings }, closed)
export type WebhookBody = Static<typeof WebhookBody>
export const PatchWebhookBody = Type.Object({ url: Type.Optional(HttpUrl), ...settings }, closed)
export type PatchWebhookBody = Static<typeof PatchWebhookBody>

export const RotateSecretBody = Type.Object(
  {
    overlap_seconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 604_800,
        default: 86_400,
        description: 'How long the old secret signs beside the new one',
      }),
    ),
  },
  closed,
)
export const ReplayBody = Type.Object(
  {
    from: Type.Optional(Timestamp),
    status: Type.Optional(Type.Enum(['dead', 'delivered'], { default: 'dead' })),
  },
  closed,
)

const Webhook = Type.Object({
  id: WebhookId,
  url: Type.String(),
  description: nullable(Type.String()),
  event_types: nullable(Type.Array(Type.String())),
  enabled: Type.Boolean(),
  disabled_reason: nullable(Type.String({ description: '`gone`: it answered 410; `failing`: nothing for five days' })),
  failing_since: nullable(Timestamp),
  last_delivered_at: nullable(Timestamp),
  previous_secret_expires_at: nullable(Timestamp),
  created_at: Timestamp,
  updated_at: Timestamp,
})
export const OneWebhook = data(Webhook)
export const WebhookList = list(Webhook)
export const NewWebhook = data(
  Type.Object({
    ...Webhook.properties,
    secret: Type.String({ description: '`whsec_…`; shown here and never again' }),
  }),
)

const Attempt = Type.Object({
  at: Timestamp,
  duration_ms: Type.Integer(),
  status: Type.Optional(Type.Integer()),
  error: Type.Optional(Type.String()),
})
export const DeliveryList = list(
  Type.Object({
    event_id: EventId,
    event_type: Type.String(),
    resource_id: Type.String(),
    status: Type.Enum(['pending', 'delivered', 'dead']),
    attempts: Type.Integer(),
    next_attempt_at: nullable(Timestamp),
    attempt_log: Type.Array(Attempt),
    created_at: Timestamp,
    finished_at: nullable(Timestamp),
  }),
)
export const DeliveryQuery = Type.Object({
  ...PageQuery,
  status: Type.Optional(Type.Enum(['pending', 'delivered', 'dead'])),
  event_id: Type.Optional(EventId),
})
export const Replayed = data(Type.Object({ replayed: Type.Integer() }))
export const ReplayedMany = Type.Object({
  data: Type.Object({ replayed: Type.Integer({ description: 'At most 10,000 a call, those of the oldest events' }) }),
  meta: Type.Object({
    next_from: nullable(
      Type.String({ format: 'date-time', description: '`from` of the next call; null when nothing is left' }),
    ),
  }),
})
export const Tested = data(Type.Object({ delivered: Type.Boolean(), ...Attempt.properties }))
