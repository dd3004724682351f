import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import {
  AuditCheckpointList,
  AuditCheckpointQuery,
  AuditExport,
  AuditExportQuery,
  AuditKeysBody,
  AuditList,
  AuditQuery,
} from '@connector-oauth/contract/audit.ts'
import { listAudit, listCheckpoints, listPublicAuditKeys } from '../../domain/audit-record.ts'
import { exportAudit } from '../../domain/export-audit.ts'
import type { HttpContext } from '../http-context.ts'
import { pageBody, pageRequest } from '../paging.ts'
import { addApiRoute } from '../route.ts'

const tag = 'Audit'

/** The tenant's hash-chained record. */
export function auditRoutes(app: FastifyInstance, http: HttpContext): void {
  addApiRoute(app, http, {
    method: 'GET',
    url: '/v1/admin/audit',
    tag,
    summary: 'List the audit record in the order of its chain, or backwards',
    schemas: { query: AuditQuery },
    status: 200,
    response: AuditList,
    async handle({ principal, query }) {
      const filter = {
        action: query.action,
        actorId: query.actor_id,
        resourceType: query.resource_type,
        resourceId: query.resource_id,
        fromDate: query.from_date === undefined ? undefined : new Date(query.from_date),
        toDate: query.to_date === undefined ? undefined : new Date(query.to_date),
      }
      return pageBody(await listAudit(http.flows, principal, filter, { ...pageRequest(query), order: query.order }))
    },
  })

  addApiRoute(app, http, {
    method: 'GET',
    url: '/v1/admin/audit/export',
    tag,
    summary: 'Export the audit record so that it can be verified offline',
    schemas: { query: AuditExportQuery },
    status: 200,
    response: AuditExport,
    produces: ['application/x-ndjson'],
    async handle({ principal, query }, reply) {
      const lines = await exportAudit(http.flows, principal, { from: query.from_position, to: query.to_position })
      reply.header('content-type', 'application/x-ndjson').header('cache-control', 'no-store')
      // Lines are made as the client takes them; one that leaves ends the reading.
      return Readable.from(lines, { objectMode: false })
    },
  })

  addApiRoute(app, http, {
    method: 'GET',
    url: '/v1/admin/audit/checkpoints',
    tag,
    summary: 'List the signed checkpoints of the audit record',
    schemas: { query: AuditCheckpointQuery },
    status: 200,
    response: AuditCheckpointList,
    async handle({ principal, query }) {
      return pageBody(await listCheckpoints(http.flows, principal, pageRequest(query)))
    },
  })

  addApiRoute(app, http, {
    method: 'GET',
    url: '/v1/admin/audit/keys',
    tag,
    summary: 'Read the public keys that checkpoints are signed with',
    schemas: {},
    status: 200,
    response: AuditKeysBody,
    async handle({ principal }) {
      return { data: await listPublicAuditKeys(http.flows, principal) }
    },
  })
}
