import { Type, type Static } from 'typebox'
import {
  closed,
  ConnectorId,
  described,
  HttpUrl,
  ProviderSlug,
  Timestamp,
  UrlVariables,
  Uuid,
  data,
  nullable,
  visible,
} from './common.ts'
import { connectedFields } from './connectors.ts'

export const ProviderParams = Type.Object({ provider_slug: ProviderSlug })

/** `GET …/authorize`: the six parameters of the request behind this service. */
export const AuthorizeQuery = Type.Object({
  collection_id: described(Uuid, 'The target collection'),
  space_id: described(Uuid, 'The target space'),
  redirect_uri: Type.Optional(
    described(HttpUrl, 'A registered landing page or callback, as an exact string; absent: this service’s own pages'),
  ),
  connector_id: Type.Optional(
    described(ConnectorId, 'A known connector is reconnected in place; an unknown one is created under this id'),
  ),
  token: Type.Optional(
    described(visible(512), 'A ticket of a session; anything else is kept as the caller’s context and grants nothing'),
  ),
  tenant_id: Type.Optional(described(visible(128), 'Must be the tenant of the bearer token')),
})
export type AuthorizeQuery = Static<typeof AuthorizeQuery>

/** `GET …/callback` with a code. Further parameters of the provider are accepted. */
export const CallbackQuery = Type.Object({
  code: Type.String({ minLength: 1, maxLength: 4096 }),
  state: Type.String({ minLength: 1, maxLength: 4096 }),
  error: Type.Optional(Type.String({ maxLength: 4096 })),
  error_description: Type.Optional(Type.String({ maxLength: 4096 })),
  iss: Type.Optional(Type.String({ maxLength: 2048 })),
})
/** `GET …/callback` when the provider says no: `error` stands in for `code`. */
export const RefusedCallbackQuery = Type.Object({
  error: Type.String({ maxLength: 4096 }),
  error_description: Type.Optional(Type.String({ maxLength: 4096 })),
  state: Type.String({ minLength: 1, maxLength: 4096 }),
  iss: Type.Optional(Type.String({ maxLength: 2048 })),
})
/** For providers that name the code otherwise. */
export const RenamedCodeCallbackQuery = Type.Object({
  state: Type.String({ minLength: 1, maxLength: 4096 }),
})

export const ConnectedBody = Type.Object({
  message: Type.Literal('OAuth connection established successfully'),
  provider: Type.String(),
  collection_id: Uuid,
  connector_id: ConnectorId,
})
export type ConnectedBody = Static<typeof ConnectedBody>

/** `POST …/sessions`. */
export const SessionBody = Type.Object(
  {
    collection_id: Uuid,
    space_id: Uuid,
    redirect_uri: Type.Optional(HttpUrl),
    connector_id: Type.Optional(ConnectorId),
    token: Type.Optional(visible(512)),
    tenant_id: Type.Optional(visible(128)),
    origin: Type.Optional(Type.String({ format: 'origin', maxLength: 300 })),
    scopes: Type.Optional(Type.Array(visible(256), { maxItems: 100 })),
    login_hint: Type.Optional(Type.String({ minLength: 1, maxLength: 320 })),
    allow_account_change: Type.Optional(Type.Boolean()),
    url_variables: Type.Optional(described(UrlVariables, 'What the provider must know first: its subdomain, its shop')),
  },
  closed,
)
export type SessionBody = Static<typeof SessionBody>

export const SessionCreated = data(
  Type.Object({
    session_id: Type.String(),
    token: Type.String({ description: 'The ticket: one use, 120 seconds' }),
    authorize_url: Type.String({ format: 'uri' }),
    expires_at: Timestamp,
  }),
)
export type SessionCreated = Static<typeof SessionCreated>

export const SessionParams = Type.Object({ session_id: Type.String({ maxLength: 64 }) })
export const SessionStatus = data(
  Type.Object({
    status: Type.Enum(['created', 'started', 'awaiting_completion', 'connected', 'failed', 'expired']),
    error_code: nullable(Type.String()),
    connector_id: nullable(ConnectorId),
    ...connectedFields,
  }),
)
export type SessionStatus = Static<typeof SessionStatus>

/** `POST …/complete`: `session_id` or `state` names the transaction. With a `connect_session_id` it must be of that one. */
export const CompleteBody = Type.Object(
  {
    state: Type.Optional(Type.String({ minLength: 1, maxLength: 4096 })),
    session_id: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    connect_session_id: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description: 'From the same message or address; a session of another connect session is refused',
      }),
    ),
    completion_code: Type.String({ minLength: 1, maxLength: 256 }),
  },
  closed,
)
export type CompleteBody = Static<typeof CompleteBody>
