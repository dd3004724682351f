import { Type } from 'typebox'
import { Timestamp, Uuid, data, described, nullable } from './common.ts'

const Narrowing = (of: string) =>
  described(nullable(Type.Array(Uuid)), `The only ${of} that the bearer token reaches; null: every one of the tenant`)

/** What this service makes of a bearer token. */
export const Me = data(
  Type.Object({
    principal_id: Type.String({ description: 'The subject of the bearer token' }),
    subject: Type.String(),
    issuer: nullable(Type.String()),
    tenant_id: Type.String(),
    rights: Type.Array(Type.String(), { examples: [['connectors:read', 'connectors:admin']] }),
    spaces: Narrowing('spaces'),
    collections: Narrowing('collections'),
    expires_at: Timestamp,
  }),
)

/** What the administrator of a tenant may know of the deployment: nothing that another tenant brought along, and no secret. */
export const DeploymentSettings = data(
  Type.Object({
    version: Type.String(),
    public_url: Type.String(),
    allowed_origins: Type.Array(Type.String()),
    allowed_redirect_uris: Type.Array(Type.String(), { description: 'Landing pages allowed for every tenant' }),
    auth: Type.Object({
      kind: Type.Enum(['hs256', 'jwks']),
      issuer: nullable(Type.String()),
      audience: nullable(Type.String()),
      tenant_claim: Type.String(),
      default_scope: Type.String({ description: 'Rights of a token without a `scope` claim' }),
    }),
    rate_limits: Type.Enum(['on', 'off']),
    environment: Type.Enum(['production', 'development']),
  }),
)

/** What the dashboard needs before anybody has signed in. */
export const DashboardConfig = Type.Object({
  oidc: nullable(
    Type.Object({
      issuer: Type.String(),
      client_id: Type.String(),
      scope: Type.String(),
      audience: nullable(Type.String()),
    }),
  ),
  sandbox: Type.Boolean({ description: 'Whether the sandbox provider runs here' }),
})
