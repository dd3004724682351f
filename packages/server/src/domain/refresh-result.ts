import type { ConnectorRow } from '../store/rows.ts'

/** Why a connector is refreshed: somebody reads its token, a provider's API refused it, or its time has come. */
export type RefreshReason = 'read' | 'rejected' | 'due'

/** How one try to refresh ended. */
export type RefreshResult =
  /** The row may be different now: read it again. */
  | { readonly kind: 'changed' }
  /** The row says why. */
  | { readonly kind: 'failed'; readonly connector: ConnectorRow }
  /** Nothing was tried, and nothing is known against the connector: the provider is in trouble, or much asked. */
  | { readonly kind: 'deferred'; readonly retryAfterSeconds: number }
