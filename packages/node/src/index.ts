/**
 * Use connected accounts from a backend: start with `ConnectorOAuth`.
 */
export type { Freshness } from './access-tokens.ts'
export type * from './api-types.ts'
export type { Admin } from './admin.ts'
export { ConnectorOAuth } from './client.ts'
export type { Collection, Connector as ConnectorHandle } from './connector.ts'
export type { Connectors } from './connectors.ts'
export { errorCodes, type ErrorCode } from './error-codes.ts'
export { ConnectorOAuthError, type ClientErrorCode, type FieldProblem } from './errors.ts'
export type { Events, StreamedEvent, StreamOptions } from './events.ts'
export type { List, Page } from './pages.ts'
export { signToken, type TokenClaims } from './sign-token.ts'
export type { ClientOptions } from './transport.ts'
export type { Webhooks } from './webhook-endpoints.ts'
export { verifyWebhook, type WebhookHeaders, type WebhookMessage } from './webhooks.ts'
