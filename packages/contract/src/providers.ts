import { Type, type Static } from 'typebox'
import { closed, data, nullable, ProviderSlug, visible } from './common.ts'

const Scope = Type.Object({ name: Type.String(), description: Type.String() })

const UrlVariable = Type.Object({
  name: Type.String(),
  title: Type.String(),
  description: Type.String(),
  pattern: Type.String({ description: 'Anchored regular expression of the values that fit' }),
  example: nullable(Type.String()),
  default: nullable(Type.String()),
  allowed: nullable(Type.Array(Type.String(), { description: 'All values there are' })),
})

export const Provider = Type.Object({
  provider_slug: Type.String(),
  display_name: Type.String(),
  logo_url: nullable(Type.String()),
  categories: Type.Array(Type.String()),
  scopes: Type.Array(Scope),
  setup_complete: Type.Boolean(),
  url_variables: Type.Array(
    Type.Object({
      ...UrlVariable.properties,
      per: Type.Enum(['connection', 'app'], {
        description: '`connection`: whoever connects brings the value; `app`: an administrator did',
      }),
      required: Type.Boolean({ description: 'Whether a connection must bring a value' }),
    }),
  ),
})
export const ProviderQuery = Type.Object({ provider_slug: Type.Optional(ProviderSlug) })
export const ProviderList = Type.Object({
  data: Type.Array(Provider),
  meta: Type.Object({ next_cursor: Type.Null(), has_more: Type.Literal(false) }),
})

export const AdminProvider = Type.Object({
  id: Type.String(),
  provider_slug: Type.String(),
  display_name: Type.String(),
  auth_type: Type.Literal('oauth2'),
  execution_strategy: Type.Literal('authorization_code'),
  default_scopes: Type.Array(Scope),
  config_schema: Type.Unknown({ description: 'JSON Schema of what PATCH takes' }),
  setup_complete: Type.Boolean(),
  redirect_uri: Type.String({ description: 'To be registered at the provider' }),
  client_id: nullable(Type.String()),
  has_secret: Type.Boolean(),
  has_own_client: Type.Boolean({
    description: 'Whether the client is this tenant’s own, which `DELETE` forgets; otherwise it is the deployment’s',
  }),
  scopes: nullable(Type.Array(Type.String())),
  secret_audience: nullable(
    Type.String({
      description: 'Where the client secret may go: an origin, or `https://*.<domain>` for all hosts of a provider',
    }),
  ),
  url_variables: Type.Array(
    Type.Object({
      ...UrlVariable.properties,
      per: Type.Enum(['connection', 'app'], {
        description: '`connection`: without a value here, whoever connects brings one',
      }),
      value: nullable(Type.String({ description: 'What PATCH or the operator set' })),
    }),
  ),
  docs_url: nullable(Type.String()),
  setup_notes: Type.Array(Type.String(), { description: 'What to know before the client is registered there' }),
})
export const AdminProviderBody = data(AdminProvider)
export const AdminProviderList = Type.Object({
  data: Type.Array(AdminProvider),
  meta: Type.Object({ next_cursor: Type.Null(), has_more: Type.Literal(false) }),
})

const ClientId = visible(512)
const ClientSecret = Type.String({ minLength: 1, maxLength: 4096, pattern: '^[\\x20-\\x7e]*$', writeOnly: true })

export const PatchProviderBody = Type.Object(
  {
    client_id: Type.Optional(nullable(ClientId)),
    client_secret: Type.Optional(nullable(ClientSecret)),
    scopes: Type.Optional(nullable(Type.Array(visible(256), { maxItems: 100 }))),
    url_variables: Type.Optional(
      Type.Record(Type.String(), nullable(Type.String({ maxLength: 300 })), {
        maxProperties: 50,
        description: 'null takes a value away',
      }),
    ),
  },
  closed,
)
export type PatchProviderBody = Static<typeof PatchProviderBody>

/** Beside these, `POST` takes any field of a catalogue entry; the entry's own schema judges them. */
export const CustomProviderBody = Type.Object({
  display_name: Type.String({ minLength: 1, maxLength: 100 }),
  client_id: Type.Optional(ClientId),
  client_secret: Type.Optional(ClientSecret),
})
export type CustomProviderBody = Static<typeof CustomProviderBody>

export const RedirectUris = Type.Array(
  Type.Object(
    {
      uri: Type.String({ minLength: 1, maxLength: 2048 }),
      kind: Type.Enum(['landing', 'callback']),
      provider_slug: Type.Optional(Type.String({ maxLength: 64 })),
    },
    closed,
  ),
  { maxItems: 200 },
)
export type RedirectUris = Static<typeof RedirectUris>
export const RedirectUrisBody = data(RedirectUris)
