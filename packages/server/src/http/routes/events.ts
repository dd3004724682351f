import type { FastifyInstance } from 'fastify'
import { EventList, EventQuery } from '@connector-oauth/contract/events.ts'
import { listEvents } from '../../domain/events.ts'
import type { HttpContext } from '../http-context.ts'
import { pageBody, pageRequest } from '../paging.ts'
import { addApiRoute } from '../route.ts'

export function eventRoutes(app: FastifyInstance, http: HttpContext): void {
  addApiRoute(app, http, {
    method: 'GET',
    url: '/v1/events',
    tag: 'Events',
    summary: 'List what happened, oldest first unless asked otherwise',
    schemas: { query: EventQuery },
    status: 200,
    response: EventList,
    async handle({ principal, query }) {
      const filter = {
        category: query.category,
        resourceType: query.resource_type,
        resourceId: query.resource_id,
        fromDate: query.from_date === undefined ? undefined : new Date(query.from_date),
        toDate: query.to_date === undefined ? undefined : new Date(query.to_date),
      }
      return pageBody(await listEvents(http.flows, principal, filter, { ...pageRequest(query), order: query.order }))
    },
  })
}
