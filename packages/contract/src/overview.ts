import { Type } from 'typebox'
import { ProviderSlug, Timestamp, data } from './common.ts'

const Count = Type.Integer({ minimum: 0 })

const ByStatus = Type.Object({
  active: Count,
  degraded: Count,
  reauth_required: Count,
  paused: Count,
  disconnected: Count,
})

export const OverviewQuery = Type.Object({
  hours: Type.Optional(Type.Enum(['24', '168', '720'], { default: '24' })),
})

export const Overview = data(
  Type.Object({
    connectors: Type.Object({ total: Count, by_status: ByStatus }),
    by_provider: Type.Array(Type.Object({ provider_slug: ProviderSlug, total: Count, by_status: ByStatus }), {
      description: 'The largest first',
    }),
    needs_person: Type.Integer({ minimum: 0, description: 'Connectors that a person must connect again' }),
    activity: Type.Array(
      Type.Object({
        from: Timestamp,
        counts: Type.Record(Type.String(), Count, { examples: [{ 'token.refreshed': 12 }] }),
      }),
      {
        description:
          'Events by type in each bucket, oldest first, the last one still running; empty for a bearer narrowed to spaces or collections, since events are counted for the whole tenant',
      },
    ),
    hours: Type.Integer(),
    bucket_seconds: Type.Integer({ examples: [3600, 86_400] }),
  }),
)
