import { Type } from 'typebox'
import { OrderQuery, PageQuery, Timestamp, list, nullable } from './common.ts'

export const Event = Type.Object({
  id: Type.String(),
  tenant_id: Type.String(),
  category: Type.String(),
  event_type: Type.String(),
  actor_id: nullable(Type.String()),
  resource_type: Type.String(),
  resource_id: Type.String(),
  metadata: Type.Record(Type.String(), Type.Unknown()),
  created_at: Timestamp,
})
export const EventList = list(Event)
export const EventQuery = Type.Object({
  ...PageQuery,
  ...OrderQuery,
  category: Type.Optional(Type.String({ maxLength: 64 })),
  resource_type: Type.Optional(Type.String({ maxLength: 64 })),
  resource_id: Type.Optional(Type.String({ maxLength: 128 })),
  from_date: Type.Optional(Timestamp),
  to_date: Type.Optional(Timestamp),
})

export const EventStreamQuery = Type.Object({
  category: Type.Optional(Type.String({ maxLength: 64 })),
  resource_type: Type.Optional(Type.String({ maxLength: 64 })),
  resource_id: Type.Optional(Type.String({ maxLength: 128 })),
})
export const EventStreamHeaders = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({ maxLength: 64, description: 'The `id` of the last event that was seen; absent: from now on' }),
  ),
})
export const EventStream = Type.String({
  description: '`text/event-stream`: `id` to resume from, `event` the event type, `data` the event as JSON',
})

export const LoginBody = Type.Object(
  { login_code: Type.String({ minLength: 1, maxLength: 128 }) },
  { additionalProperties: false },
)
export const LoggedIn = Type.Object({
  data: Type.Object({ access_token: Type.String(), expires_at: Timestamp, tenant_id: Type.String() }),
})
