import type { Static } from 'typebox'
import type { Overview } from '@connector-oauth/contract/overview.ts'
import { call } from './call.ts'

export type OverviewFigures = Static<typeof Overview>['data']

export async function readOverview(hours: number, signal: AbortSignal): Promise<OverviewFigures> {
  return (await call<{ data: OverviewFigures }>('GET', '/v1/admin/overview', { query: { hours }, signal })).data
}
