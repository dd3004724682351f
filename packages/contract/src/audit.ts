import { Type } from 'typebox'
import { OrderQuery, PageQuery, Timestamp, data, list, nullable } from './common.ts'

const position = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: 9_007_199_254_740_990, description }))
const Hash = Type.String({ description: 'SHA-256 over the entry before and this one, in hexadecimal' })

export const AuditEntry = Type.Object({
  id: Type.String(),
  tenant_id: Type.String(),
  position: Type.Integer(),
  action: Type.String(),
  actor_id: nullable(Type.String()),
  resource_type: Type.String(),
  resource_id: Type.String(),
  space_id: nullable(Type.String()),
  collection_id: nullable(Type.String()),
  metadata: Type.Record(Type.String(), Type.Unknown()),
  created_at: Timestamp,
  hash: Hash,
})
export const AuditList = list(AuditEntry)
export const AuditQuery = Type.Object({
  ...PageQuery,
  ...OrderQuery,
  action: Type.Optional(Type.String({ maxLength: 64 })),
  actor_id: Type.Optional(Type.String({ maxLength: 512 })),
  resource_type: Type.Optional(Type.String({ maxLength: 64 })),
  resource_id: Type.Optional(Type.String({ maxLength: 128 })),
  from_date: Type.Optional(Timestamp),
  to_date: Type.Optional(Timestamp),
})

export const AuditExportQuery = Type.Object({
  from_position: position('The first entry; default: the first there is'),
  to_position: position('The last entry; default: the last there is'),
})
export const AuditExport = Type.String({
  description:
    'JSON lines (application/x-ndjson): a header with the public keys, entries with their hashes and signed checkpoints, a signed footer. `connector-oauth audit verify --file` checks them offline',
})

export const AuditCheckpointList = list(
  Type.Object({
    tenant_id: Type.String(),
    position: Type.Integer(),
    hash: Hash,
    created_at: Timestamp,
    key_id: Type.String(),
    signature: Type.String({ description: 'Ed25519, base64url' }),
  }),
)
export const AuditCheckpointQuery = Type.Object({ ...PageQuery })
export const AuditKeysBody = data(
  Type.Array(
    Type.Object({
      key_id: Type.String(),
      public_key: Type.String({ description: 'Ed25519, SubjectPublicKeyInfo in Base64; pin it outside this service' }),
      created_at: Timestamp,
    }),
  ),
)
