import type { FastifyInstance } from 'fastify'
import { ConnectorParams } from '@connector-oauth/contract/connectors.ts'
import { ConnectorLeaseParams, LeaseBody, LeaseList, LeaseQuery, NewLease } from '@connector-oauth/contract/leases.ts'
import { collectionId, connectorId, leaseId, spaceId } from '../../core/ids.ts'
import { createLease, endLease, listLeases } from '../../domain/leases.ts'
import type { HttpContext } from '../http-context.ts'
import { pageBody, pageRequest } from '../paging.ts'
import { requirePatterns } from '../path-patterns.ts'
import { addApiRoute } from '../route.ts'

const base = '/v1/spaces/:space_id/collections/:collection_id/connectors/:connector_id/leases'
const tag = 'Leases'

/** Short-lived handles for those who act on a user's behalf, such as agents: the proxy within limits, and nothing else. */
export function leaseRoutes(app: FastifyInstance, http: HttpContext): void {
  /** The only answer that carries the bearer. */
  addApiRoute(app, http, {
    method: 'POST',
    url: base,
    tag,
    summary: 'Make a short-lived bearer for this connector’s proxy, limited to methods, paths and calls',
    schemas: { params: ConnectorParams, body: LeaseBody },
    status: 201,
    response: NewLease,
    async handle({ principal, params, body }) {
      requirePatterns(['body', 'paths'], body.paths)
      const { view, bearer } = await createLease(http.flows, principal, connector(params), {
        methods: [...new Set(body.methods)],
        paths: [...new Set(body.paths)],
        maxCalls: body.max_calls,
        ttlMs: body.ttl_seconds * 1000,
      })
      return { data: { ...view, lease: bearer.reveal() } }
    },
  })

  addApiRoute(app, http, {
    method: 'GET',
    url: base,
    tag,
    summary: 'List a connector’s leases, without their bearers',
    schemas: { params: ConnectorParams, query: LeaseQuery },
    status: 200,
    response: LeaseList,
    async handle({ principal, params, query }) {
      return pageBody(await listLeases(http.flows, principal, connector(params), pageRequest(query)))
    },
  })

  addApiRoute(app, http, {
    method: 'DELETE',
    url: `${base}/:lease_id`,
    tag,
    summary: 'Revoke a lease at once',
    schemas: { params: ConnectorLeaseParams },
    status: 204,
    response: {},
    async handle({ principal, params }) {
      await endLease(http.flows, principal, connector(params), leaseId(params.lease_id))
      return undefined
    },
  })
}

function connector(params: {
  readonly space_id: string
  readonly collection_id: string
  readonly connector_id: string
}) {
  return {
    spaceId: spaceId(params.space_id),
    collectionId: collectionId(params.collection_id),
    connectorId: connectorId(params.connector_id),
  }
}
