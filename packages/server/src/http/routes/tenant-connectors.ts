import type { FastifyInstance } from 'fastify'
import { ConnectorList, TenantConnectorQuery } from '@connector-oauth/contract/connectors.ts'
import { Overview, OverviewQuery } from '@connector-oauth/contract/overview.ts'
import { collectionId, spaceId } from '../../core/ids.ts'
import { readOverview } from '../../domain/overview.ts'
import { listTenantConnectors } from '../../domain/tenant-connectors.ts'
import type { HttpContext } from '../http-context.ts'
import { pageBody, pageRequest } from '../paging.ts'
import { addApiRoute } from '../route.ts'

const tag = 'Connectors'

/** What an administrator sees of all of a tenant's connectors. */
export function tenantConnectorRoutes(app: FastifyInstance, http: HttpContext): void {
  addApiRoute(app, http, {
    method: 'GET',
    url: '/v1/admin/connectors',
    tag,
    summary: 'List the connectors of the tenant, newest first',
    schemas: { query: TenantConnectorQuery },
    status: 200,
    response: ConnectorList,
    async handle({ principal, query }) {
      const wanted = {
        status: query.status,
        providerSlug: query.provider_slug,
        spaceId: query.space_id === undefined ? undefined : spaceId(query.space_id),
        collectionId: query.collection_id === undefined ? undefined : collectionId(query.collection_id),
        principalId: query.principal_id,
        prefix: query.q,
      }
      return pageBody(await listTenantConnectors(http.flows, principal, wanted, pageRequest(query)))
    },
  })

  addApiRoute(app, http, {
    method: 'GET',
    url: '/v1/admin/overview',
    tag,
    summary: 'Count the connectors of the tenant, and what happened to them',
    schemas: { query: OverviewQuery },
    status: 200,
    response: Overview,
    async handle({ principal, query }) {
      return { data: await readOverview(http.flows, principal, hoursOf[query.hours ?? '24']) }
    },
  })
}

const hoursOf = { '24': 24, '168': 168, '720': 720 } as const
