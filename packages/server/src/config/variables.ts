import { z } from 'zod'

const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  )
const optionalText = z.string().optional()

/** A variable with its default and its meaning; `docs/settings.md` is generated from this table. */
export const variables = {
  NODE_ENV: {
    schema: z.enum(['production', 'development', 'test']).default('development'),
    shown: 'development',
    meaning: '`production`: no sandbox, nothing is generated',
  },
  HOST: { schema: z.string().min(1).default('127.0.0.1'), shown: '127.0.0.1', meaning: 'Address to listen on' },
  PORT: {
    schema: z
      .string()
      .regex(/^\d{1,5}$/, 'must be a number from 0 to 65535')
      .transform(Number)
      .refine((port) => port <= 65_535, 'must be a number from 0 to 65535')
      .default(3000),
    shown: '3000',
    meaning: 'Port to listen on',
  },
  PUBLIC_URL: {
    schema: optionalText,
    shown: '`http://localhost:$PORT`',
    meaning: 'The only source of OAuth redirect URIs; https in production',
  },
  DATABASE_URL: { schema: optionalText, shown: 'embedded, under `DATA_DIR`', meaning: 'PostgreSQL 15 or newer' },
  DATA_DIR: {
    schema: z.string().min(1).default('./data'),
    shown: './data',
    meaning: 'Embedded database and generated development secrets',
  },
  ENCRYPTION_KEYS: {
    schema: optionalText,
    shown: 'generated in development',
    meaning:
      '`id:base64-of-32-bytes`, comma-separated; the first seals, all open. A key in a key service: `id:aws-kms:key-or-arn@region` (region optional), `id:gcp-kms:projects/…/locations/…/keyRings/…/cryptoKeys/…`, `id:vault-transit:mount/key`',
  },
  ENCRYPTION_KEYS_FILE: {
    schema: optionalText,
    shown: 'unset',
    meaning: 'File with the same entries, one a line, instead; others must not be able to read it',
  },
  VAULT_ADDR: {
    schema: optionalText,
    shown: 'unset',
    meaning: 'HashiCorp Vault or OpenBao, for keys in its transit engine',
  },
  VAULT_TOKEN: { schema: optionalText, shown: 'unset', meaning: 'Its token' },
  VAULT_TOKEN_FILE: {
    schema: optionalText,
    shown: 'unset',
    meaning: 'File with its token instead, read for each call, so that an agent may renew it',
  },
  VAULT_NAMESPACE: { schema: optionalText, shown: 'unset', meaning: 'Its namespace' },
  AUTH_JWT_SECRET: {
    schema: optionalText,
    shown: 'generated in development',
    meaning: 'HS256 secret of the platform’s bearer tokens, at least 32 bytes',
  },
  AUTH_JWKS_URL: {
    schema: optionalText,
    shown: 'unset',
    meaning: 'Keys for RS256, PS256, ES256 and EdDSA instead of HS256',
  },
  AUTH_ISSUER: { schema: optionalText, shown: 'unset', meaning: 'Checked against `iss` when set' },
  AUTH_AUDIENCE: { schema: optionalText, shown: 'unset', meaning: 'Checked against `aud` when set' },
  AUTH_TENANT_CLAIM: {
    schema: z.string().min(1).default('tenant_id'),
    shown: 'tenant_id',
    meaning: 'Claim that names the tenant',
  },
  AUTH_DEFAULT_TENANT: {
    schema: z
      .string()
      .regex(/^[\x21-\x7e]{1,128}$/, 'use 1 to 128 visible characters')
      .optional(),
    shown: 'unset (`default` in development)',
    meaning: 'Tenant of a token without that claim; unset: such a token is refused',
  },
  AUTH_DEFAULT_SCOPE: {
    schema: z.string().default('connectors:connect connectors:read connectors:use connectors:manage'),
    shown: 'connectors:connect connectors:read connectors:use connectors:manage',
    meaning: 'Rights of a token without a `scope` claim',
  },
  AUTH_COOKIE: {
    schema: z
      .string()
      .regex(/^[A-Za-z0-9_.-]{1,64}$/, 'use letters, digits, _ . and -')
      .optional(),
    shown: 'unset',
    meaning: 'Same-site cookie whose JWT may authenticate the two browser navigations and nothing else',
  },
  DASHBOARD_OIDC_CLIENT_ID: {
    schema: z
      .string()
      .regex(/^[\x21-\x7e]{1,512}$/, 'use 1 to 512 visible characters')
      .optional(),
    shown: 'unset',
    meaning:
      'Public client at `AUTH_ISSUER` with which the dashboard signs people in (code and PKCE, in the browser); the access token it gets is their bearer',
  },
  DASHBOARD_OIDC_SCOPE: {
    schema: z
      .string()
      .regex(/^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/, 'use scopes joined by single spaces')
      .default('openid'),
    shown: 'openid',
    meaning: 'What the dashboard asks `AUTH_ISSUER` for',
  },
  ALLOWED_REDIRECT_URIS: {
    schema: list,
    shown: 'unset',
    meaning: 'Exact landing pages allowed for every tenant, comma-separated',
  },
  ALLOWED_ORIGINS: { schema: list, shown: 'unset', meaning: 'Exact CORS origins, comma-separated' },
  ALLOWED_PRIVATE_HOSTS: {
    schema: list,
    shown: 'unset',
    meaning:
      '`host:port` on private or loopback addresses that outbound calls may reach; also names that only the hosts file knows',
  },
  TRUST_PROXY: { schema: list, shown: 'unset', meaning: 'Addresses of proxies whose forwarding headers count' },
  RATE_LIMITS: {
    schema: z.enum(['on', 'off']).default('on'),
    shown: 'on',
    meaning: '`off` switches the service’s own request limits off',
  },
  LOG_LEVEL: {
    schema: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
    shown: 'info',
    meaning: 'How much is logged',
  },
  METRICS_PORT: {
    schema: z
      .string()
      .regex(/^\d{1,5}$/, 'must be a number from 1 to 65535')
      .transform(Number)
      .refine((port) => port >= 1 && port <= 65_535, 'must be a number from 1 to 65535')
      .optional(),
    shown: 'unset',
    meaning:
      'A port of its own on `HOST` for `GET /metrics` (Prometheus) and the health probes; each process on a machine needs another',
  },
  METRICS_PUBLIC: {
    schema: z.enum(['on', 'off']).default('off'),
    shown: 'off',
    meaning: '`on` answers `GET /metrics` on `PORT` as well, to everybody who reaches it',
  },
  DRAIN_DELAY_SECONDS: {
    schema: z
      .string()
      .regex(/^\d{1,3}$/, 'must be a number from 0 to 300')
      .transform(Number)
      .refine((seconds) => seconds <= 300, 'must be a number from 0 to 300')
      .default(0),
    shown: '0',
    meaning: 'How long after SIGTERM it answers on, not ready any more, so that load balancers can turn away from it',
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    schema: optionalText,
    shown: 'unset',
    meaning: 'Where traces go by OTLP over HTTP, such as `http://collector:4318`; `/v1/traces` is added',
  },
} as const
