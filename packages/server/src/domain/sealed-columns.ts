import { tenantId } from '../core/ids.ts'
import type {
  AuditKeyRow,
  ConnectorRow,
  EventRow,
  ProviderAppRow,
  RevocationRow,
  TransactionRow,
  WebhookRow,
} from '../store/rows.ts'
import type { SealedColumnName } from '../store/sealed-rows.ts'
import type { Place } from '../vault/place.ts'
import { clientSecretPlace } from './client-secret.ts'
import { connectorPlace } from './connector-places.ts'
import { revocationPlace } from './end-connector.ts'
import { auditKeyPlace } from './sign-checkpoint.ts'
import { callerContextPlace } from './store-connection.ts'
import { transactionPlace } from './transaction-places.ts'
import { webhookSecretPlace } from './webhook-secrets.ts'

/** A column of sealed values, and the place of each. */
export interface SealedColumn extends SealedColumnName {
  /** The place of the value in `row`, of which tenant_id, the key and `placedBy` are there. */
  place(row: Readonly<Record<string, unknown>>): Place
}

const inCollection = ['space_id', 'collection_id']

/**
 * Every column of sealed values there is: what is missing here is never sealed anew, and its data keys never end. A test
 * holds this table against the database.
 */
export const sealedColumns: readonly SealedColumn[] = [
  ...(['access_token', 'refresh_token'] as const).map((column) => ({
    table: 'connectors',
    column,
    key: 'connector_id',
    placedBy: inCollection,
    place: (row: object) => connectorPlace(row as ConnectorRow, column),
  })),
  ...(['access_token', 'refresh_token'] as const).map((column) => ({
    table: 'revocations',
    column,
    key: 'revocation_id',
    placedBy: inCollection,
    place: (row: object) => revocationPlace(row as RevocationRow, column),
  })),
  ...(['verifier', 'nonce', 'code', 'caller_context'] as const).map((column) => ({
    table: 'transactions',
    column,
    key: 'transaction_id',
    placedBy: inCollection,
    place: (row: object) => transactionPlace(row as TransactionRow, column),
  })),
  ...(['secret', 'previous_secret'] as const).map((column) => ({
    table: 'webhooks',
    column,
    key: 'webhook_id',
    placedBy: [],
    place: (row: object) => webhookSecretPlace(row as WebhookRow, column),
  })),
  {
    table: 'audit_keys',
    column: 'private_key',
    key: 'key_id',
    placedBy: [],
    place: (row: object) => auditKeyPlace(row as AuditKeyRow),
  },
  {
    table: 'events',
    column: 'caller_context',
    key: 'event_id',
    placedBy: [],
    place(row: object) {
      const { tenant_id: tenant, event_id: id } = row as EventRow
      return callerContextPlace(tenant, id)
    },
  },
  {
    table: 'provider_apps',
    column: 'client_secret',
    key: 'provider_slug',
    placedBy: ['secret_origin'],
    place(row: object) {
      const { tenant_id: tenant, provider_slug: slug, secret_origin: origin } = row as ProviderAppRow
      return clientSecretPlace(tenantId(tenant), slug, origin ?? '')
    },
  },
]
