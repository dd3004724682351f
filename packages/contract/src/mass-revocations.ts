import { Type } from 'typebox'
import {
  closed,
  ConnectorId,
  data,
  described,
  list,
  nullable,
  OrderQuery,
  PageQuery,
  ProviderSlug,
  Timestamp,
  Uuid,
  visible,
} from './common.ts'

/** `POST /v1/admin/revocations`: an empty object means every connector of the tenant. */
export const MassRevocationBody = Type.Object(
  {
    provider_slug: Type.Optional(ProviderSlug),
    space_id: Type.Optional(Uuid),
    connected_before: Type.Optional(described(Timestamp, 'Connected, or connected anew, before this moment')),
    connected_after: Type.Optional(described(Timestamp, 'Connected, or connected anew, after this moment')),
    principal_id: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: 'Who connected it' })),
  },
  {
    ...closed,
    description:
      'All parts must fit; an absent one narrows nothing, so `{}` means every connector of the tenant. What is connected after the order is not touched.',
  },
)
export const MassRevocationHeaders = Type.Object({ 'idempotency-key': Type.Optional(visible(255)) })
export const MassRevocationParams = Type.Object({ revocation_id: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }) })
export const MassRevocationListQuery = Type.Object({ ...PageQuery, ...OrderQuery })
export const MassRevocationQuery = Type.Object({ ...PageQuery })
export const ReportQuery = Type.Object({ format: Type.Optional(Type.Enum(['csv', 'jsonl'])) })

const count = (description: string) => Type.Integer({ description })
const massRevocation = {
  id: Type.String(),
  status: described(
    Type.Enum(['queued', 'running', 'completed']),
    'Completed once every connector is disconnected and no revocation is pending at a provider',
  ),
  filter: Type.Object({
    provider_slug: nullable(Type.String()),
    space_id: nullable(Uuid),
    connected_before: nullable(Timestamp),
    connected_after: nullable(Timestamp),
    principal_id: nullable(Type.String()),
  }),
  counts: Type.Object({
    matched: count('How many connectors fitted; once all are disconnected, how many those were'),
    disconnected: count('Secrets destroyed here'),
    revoked: count('Revoked at the provider'),
    unsupported: count('The provider has no way to revoke'),
    failed: count('The provider was told in vain; the receipt says why'),
    pending: count('The provider is still to be told, or told again'),
  }),
  created_at: Timestamp,
  finished_at: nullable(Timestamp),
}
const Receipt = Type.Object({
  connector_id: ConnectorId,
  space_id: Uuid,
  collection_id: Uuid,
  provider_slug: Type.String(),
  revocation_id: Type.String(),
  status: Type.Enum(['queued', 'revoked', 'unsupported', 'failed']),
  reason: nullable(Type.String()),
  attempts: Type.Integer(),
  disconnected_at: Timestamp,
  finished_at: nullable(Timestamp),
})

export const MassRevocation = Type.Object(massRevocation)
export const MassRevocationOrdered = data(MassRevocation)
export const MassRevocationList = list(MassRevocation)
/** The order, and a page of its receipts. */
export const MassRevocationDetail = Type.Object({
  data: Type.Object({ ...massRevocation, receipts: Type.Array(Receipt) }),
  meta: Type.Object({ next_cursor: nullable(Type.String()), has_more: Type.Boolean() }),
})
export const MassRevocationReport = Type.String({ description: 'One receipt a line, as CSV or as JSON' })
