import type { ConnectorRow } from '../store/rows.ts'

/** How one try to refresh ended. */
export type RefreshResult =
  /** The row may be different now: read it again. */
  | { readonly kind: 'changed' }
  /** The row says why. */
  | { readonly kind: 'failed'; readonly connector: ConnectorRow }
