import { Type, type Static } from 'typebox'
import { closed, ConnectorId, data, list, nullable, PageQuery, Timestamp, Uuid, visible } from './common.ts'

export const LeaseId = Type.String({ pattern: '^lse_[A-Za-z0-9_-]{1,60}$', examples: ['lse_abc123'] })
export const ConnectorLeaseParams = Type.Object({
  space_id: Uuid,
  collection_id: Uuid,
  connector_id: ConnectorId,
  lease_id: LeaseId,
})

const Method = Type.Enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** `POST` of a lease: what its holder may do, how often and how long. */
export const LeaseBody = Type.Object(
  {
    methods: Type.Array(Method, { minItems: 1, maxItems: 7 }),
    paths: Type.Array(visible(512), {
      minItems: 1,
      maxItems: 20,
      description: 'Patterns of the path after `/proxy`: `*` stands for one segment, `**` for the rest',
      examples: [['/v1/issues/*', '/v1/repos/**']],
    }),
    max_calls: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'Absent: as many as its time allows' }),
    ),
    ttl_seconds: Type.Integer({ minimum: 1, maximum: 86_400 }),
  },
  closed,
)
export type LeaseBody = Static<typeof LeaseBody>

const Lease = Type.Object({
  id: LeaseId,
  methods: Type.Array(Type.String()),
  paths: Type.Array(Type.String()),
  max_calls: nullable(Type.Integer()),
  calls: Type.Integer({ description: 'Calls that were let through' }),
  expires_at: Timestamp,
  created_at: Timestamp,
  revoked_at: nullable(Timestamp),
  principal_id: Type.String({ description: 'Who made it: the subject of the bearer token' }),
})
export const NewLease = data(
  Type.Object({
    ...Lease.properties,
    lease: Type.String({ description: 'The bearer for the proxy, shown this once', examples: ['lease_…'] }),
  }),
)
export const LeaseList = list(Lease)
export const LeaseQuery = Type.Object({ ...PageQuery })
