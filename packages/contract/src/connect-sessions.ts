import { Type, type Static } from 'typebox'
import {
  closed,
  ConnectorId,
  data,
  described,
  HttpUrl,
  nullable,
  ProviderSlug,
  Timestamp,
  Uuid,
  visible,
} from './common.ts'
import { connectedFields } from './connectors.ts'

/** Shown on the page: no control characters, and none that turn the direction of what follows. */
export const Shown = Type.String({
  minLength: 1,
  maxLength: 120,
  pattern: String.raw`^[^\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]*$`,
})

/** `POST /v1/connect-sessions`. */
export const ConnectSessionBody = Type.Object(
  {
    space_id: Uuid,
    collection_id: Uuid,
    providers: Type.Optional(
      described(
        Type.Array(ProviderSlug, { minItems: 1, maxItems: 100 }),
        'What may be connected; absent: every provider that is set up',
      ),
    ),
    connector_id: Type.Optional(described(ConnectorId, 'Reconnects this connector, or makes it under this id')),
    redirect_uri: Type.Optional(described(HttpUrl, 'A registered landing page; required for `redirect` and `link`')),
    origin: Type.Optional(
      described(
        Type.String({ format: 'origin', maxLength: 300 }),
        'The page that opens the popup and hears the outcome',
      ),
    ),
    scopes: Type.Optional(described(Type.Array(visible(256), { maxItems: 100 }), 'With one provider only')),
    allow_account_change: Type.Optional(Type.Boolean()),
    mode: Type.Optional(Type.Enum(['popup', 'redirect', 'link'])),
    locale: Type.Optional(Type.String({ maxLength: 35, pattern: '^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*$' })),
    display: Type.Optional(
      Type.Object(
        {
          tenant_name: Type.Optional(Shown),
          space_name: Type.Optional(Shown),
          collection_name: Type.Optional(Shown),
          started_by: Type.Optional(Shown),
        },
        closed,
      ),
    ),
    ttl_seconds: Type.Optional(
      described(
        Type.Integer({ minimum: 60, maximum: 604_800 }),
        'At most 3600, the default 1800; `link`: up to 604800, which is its default',
      ),
    ),
  },
  closed,
)
export type ConnectSessionBody = Static<typeof ConnectSessionBody>

export const ConnectSessionCreated = data(
  Type.Object({
    connect_session_id: Type.String(),
    connect_url: Type.String({ format: 'uri', description: 'The page, with its secret token in the fragment' }),
    expires_at: Timestamp,
  }),
)

export const ConnectSessionParams = Type.Object({ connect_session_id: Type.String({ maxLength: 64 }) })

export const ConnectSessionStatus = data(
  Type.Object({
    status: Type.Enum(['created', 'started', 'awaiting_completion', 'connected', 'failed', 'expired'], {
      description: '`failed` is final; an attempt that may be followed by another leaves `started` and an `error_code`',
    }),
    error_code: nullable(Type.String()),
    connector_id: nullable(ConnectorId),
    provider_slug: nullable(Type.String()),
    session_id: nullable(Type.String({ description: 'Of the newest attempt' })),
    ...connectedFields,
  }),
)

/** What the page sends when the user clicks. */
export const ConnectStartBody = Type.Object(
  {
    provider_slug: ProviderSlug,
    url_variables: Type.Optional(Type.Record(Type.String(), Type.String({ maxLength: 300 }), { maxProperties: 50 })),
  },
  closed,
)
export type ConnectStartBody = Static<typeof ConnectStartBody>
