import { Type, type Static } from 'typebox'
import {
  closed,
  ConnectorId,
  PageQuery,
  ProviderSlug,
  Timestamp,
  UrlVariables,
  Uuid,
  data,
  list,
  nullable,
  visible,
} from './common.ts'

export const CollectionParams = Type.Object({ space_id: Uuid, collection_id: Uuid })
export const ConnectorParams = Type.Object({ space_id: Uuid, collection_id: Uuid, connector_id: ConnectorId })

/** For the reference page: the path is taken as it was sent, undecoded. */
export const ProxyParams = Type.Object({
  ...ConnectorParams.properties,
  path: Type.String({ description: 'What follows the provider’s API address, with any number of slashes' }),
})

export const ConnectorStatus = Type.Enum(['active', 'degraded', 'reauth_required', 'paused', 'disconnected'])

const ProxyPolicy = nullable(
  Type.Object(
    {
      methods: Type.Optional(
        Type.Array(Type.String({ pattern: '^[A-Z]{1,20}$' }), {
          minItems: 1,
          maxItems: 40,
          examples: [['GET', 'POST']],
        }),
      ),
      paths: Type.Optional(
        Type.Array(visible(512), {
          minItems: 1,
          maxItems: 50,
          description: 'Patterns of the path after `/proxy`: `*` stands for one segment, `**` for the rest',
          examples: [['/v1/issues/*', '/v1/repos/**']],
        }),
      ),
    },
    { ...closed, description: 'What may be called through the proxy; null, or a list left out, allows all' },
  ),
)

const Account = Type.Object({ id: nullable(Type.String()), name: nullable(Type.String()) })
const Scopes = Type.Object({
  requested: Type.Array(Type.String()),
  granted: Type.Array(Type.String()),
  missing: Type.Array(Type.String()),
})

/** What a session has connected, as its status tells whoever started it; absent before, and once somebody else has reconnected it. */
export const connectedFields = {
  account: Type.Optional(Account),
  scopes: Type.Optional(Scopes),
}

export const Connector = Type.Object({
  id: ConnectorId,
  space_id: Uuid,
  collection_id: Uuid,
  provider_slug: Type.String(),
  principal_id: Type.String({ description: 'Who connected it: the subject of the bearer token' }),
  display_name: nullable(Type.String()),
  account: Account,
  status: ConnectorStatus,
  status_reason: nullable(Type.String()),
  scopes: Scopes,
  access_token_expires_at: nullable(Timestamp),
  last_refreshed_at: nullable(Timestamp),
  last_used_at: nullable(Timestamp),
  scope_config: Type.Unknown(),
  sync_schedule: nullable(Type.String()),
  proxy_policy: ProxyPolicy,
  url_variables: Type.Record(Type.String(), Type.String(), {
    description: 'Which shop, subdomain or instance; defaults left out',
  }),
  created_at: Timestamp,
  updated_at: Timestamp,
})
export const ConnectorBody = data(Connector)
export const ConnectorList = list(Connector)

export const ConnectorQuery = Type.Object({
  ...PageQuery,
  provider_slug: Type.Optional(ProviderSlug),
  status: Type.Optional(ConnectorStatus),
})

/** `GET /v1/admin/connectors`: every connector of the tenant, narrowed by any of these together. */
export const TenantConnectorQuery = Type.Object({
  ...ConnectorQuery.properties,
  space_id: Type.Optional(Uuid),
  collection_id: Type.Optional(Uuid),
  principal_id: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
  q: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 200,
      description: 'How the id, the display name or the account’s name begins; case counts in ids only',
    }),
  ),
})

const maxScopeConfig = { levels: 20, bytes: 16_384 }

const ScopeConfig = nullable(
  Type.Refine(
    Type.Object({}, { description: 'What to sync; kept for the platform as it is. At most 20 levels and 16 KiB' }),
    (value) =>
      !isDeeper(value, maxScopeConfig.levels) &&
      new TextEncoder().encode(JSON.stringify(value)).length <= maxScopeConfig.bytes,
    () => `ensure this value has at most ${maxScopeConfig.levels} levels and ${maxScopeConfig.bytes} bytes of JSON`,
  ),
)

/** Looks no deeper than it must: text of a few kilobytes can be nested deeper than the stack. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((part) => isDeeper(part, levels - 1))
}

/** `POST` base: takes over credentials obtained elsewhere with the same provider app. */
export const ImportBody = Type.Object(
  {
    provider_slug: ProviderSlug,
    connector_id: Type.Optional(ConnectorId),
    credential: Type.Object(
      {
        access_token: visible(16_384),
        refresh_token: Type.Optional(visible(16_384)),
        expires_at: Type.Optional(Timestamp),
        scopes: Type.Optional(Type.Array(visible(256), { maxItems: 100 })),
      },
      closed,
    ),
    scope_config: Type.Optional(ScopeConfig),
    url_variables: Type.Optional(UrlVariables),
  },
  closed,
)
export type ImportBody = Static<typeof ImportBody>
export const ImportHeaders = Type.Object({ 'idempotency-key': visible(255) })

export const PatchConnectorBody = Type.Object(
  {
    display_name: Type.Optional(nullable(Type.String({ maxLength: 200 }))),
    scope_config: Type.Optional(ScopeConfig),
    sync_schedule: Type.Optional(nullable(Type.String({ maxLength: 128 }))),
    paused: Type.Optional(Type.Boolean()),
    proxy_policy: Type.Optional(ProxyPolicy),
  },
  closed,
)
export type PatchConnectorBody = Static<typeof PatchConnectorBody>

export const TokenBody = Type.Object(
  { min_ttl: Type.Optional(Type.Integer({ minimum: 0, maximum: 3600, default: 60, description: 'Seconds' })) },
  closed,
)
export type TokenBody = Static<typeof TokenBody>
export const TokenQuery = Type.Object({
  min_ttl: Type.Optional(Type.Integer({ minimum: 0, maximum: 3600, default: 60, description: 'Seconds' })),
})
export const AccessToken = data(
  Type.Object({
    access_token: Type.String(),
    token_type: Type.String(),
    expires_at: nullable(Timestamp),
    scopes: Type.Array(Type.String()),
  }),
)

export const Disconnected = data(
  Type.Object({
    ...Connector.properties,
    revocation: Type.Object({
      id: Type.String(),
      status: Type.Enum(['queued', 'revoked', 'unsupported', 'failed']),
      reason: nullable(Type.String()),
      created_at: Timestamp,
      finished_at: nullable(Timestamp),
    }),
  }),
)
