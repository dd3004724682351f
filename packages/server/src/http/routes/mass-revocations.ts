import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import {
  MassRevocationBody,
  MassRevocationDetail,
  MassRevocationHeaders,
  MassRevocationList,
  MassRevocationListQuery,
  MassRevocationOrdered,
  MassRevocationParams,
  MassRevocationQuery,
  MassRevocationReport,
  ReportQuery,
} from '@connector-oauth/contract/mass-revocations.ts'
import { providerSlug, spaceId } from '../../core/ids.ts'
import { listMassRevocations, readMassRevocation, reportMassRevocation } from '../../domain/mass-revocations.ts'
import { orderMassRevocation } from '../../domain/order-mass-revocation.ts'
import type { HttpContext } from '../http-context.ts'
import { pageBody, pageRequest } from '../paging.ts'
import { reportLines, reportTypes } from '../report-lines.ts'
import { addApiRoute } from '../route.ts'

const base = '/v1/admin/revocations'
const one = `${base}/:revocation_id`
const tag = 'Kill switch'

export function massRevocationRoutes(app: FastifyInstance, http: HttpContext): void {
  /** The answer comes before the work; an order for the whole tenant is an explicit empty object, never a missing body. */
  addApiRoute(app, http, {
    method: 'POST',
    url: base,
    tag,
    summary: 'Disconnect every connector that fits',
    schemas: { body: MassRevocationBody, headers: MassRevocationHeaders },
    status: 202,
    response: MassRevocationOrdered,
    async handle({ principal, body, headers }) {
      const view = await orderMassRevocation(http.flows, principal, {
        providerSlug: body.provider_slug === undefined ? undefined : providerSlug(body.provider_slug),
        spaceId: body.space_id === undefined ? undefined : spaceId(body.space_id),
        connectedBefore: body.connected_before === undefined ? undefined : new Date(body.connected_before),
        connectedAfter: body.connected_after === undefined ? undefined : new Date(body.connected_after),
        principalId: body.principal_id,
        idempotencyKey: headers['idempotency-key'],
      })
      return { data: view }
    },
  })

  addApiRoute(app, http, {
    method: 'GET',
    url: base,
    tag,
    summary: 'List the orders',
    schemas: { query: MassRevocationListQuery },
    status: 200,
    response: MassRevocationList,
    async handle({ principal, query }) {
      return pageBody(await listMassRevocations(http.flows, principal, { ...pageRequest(query), order: query.order }))
    },
  })

  /** Paging goes over the receipts; the counts are those of the whole order. */
  addApiRoute(app, http, {
    method: 'GET',
    url: one,
    tag,
    summary: 'Read an order’s progress and receipts',
    schemas: { params: MassRevocationParams, query: MassRevocationQuery },
    status: 200,
    response: MassRevocationDetail,
    async handle({ principal, params, query }) {
      const page = pageRequest(query)
      const { order, receipts } = await readMassRevocation(http.flows, principal, params.revocation_id, page)
      const { data, meta } = pageBody(receipts)
      return { data: { ...order, receipts: data }, meta }
    },
  })

  addApiRoute(app, http, {
    method: 'GET',
    url: `${one}/report`,
    tag,
    summary: 'Download an order’s receipts',
    schemas: { params: MassRevocationParams, query: ReportQuery },
    status: 200,
    response: MassRevocationReport,
    produces: ['text/csv', 'application/jsonl'],
    async handle({ principal, params, query }, reply) {
      const format = query.format ?? 'csv'
      const receipts = await reportMassRevocation(http.flows, principal, params.revocation_id)
      void reply.header('content-type', reportTypes[format])
      // The id is of our own making, or there would be no such order.
      void reply.header('content-disposition', `attachment; filename="${params.revocation_id}.${format}"`)
      return Readable.from(reportLines(receipts, format))
    },
  })
}
