import type { Static } from 'typebox'
import type { Event } from '@connector-oauth/contract/events.ts'
import { call } from './call.ts'
import type { ListBody } from './lists.ts'

export type ServiceEvent = Static<typeof Event>

/** The newest events about one thing. */
export function newestEvents(resourceId: string, limit: number, signal?: AbortSignal): Promise<ListBody<ServiceEvent>> {
  return call('GET', '/v1/events', { query: { resource_id: resourceId, order: 'desc', limit }, signal })
}
