import type { FastifyInstance } from 'fastify'
import { PageQuery } from '@connector-oauth/contract/common.ts'
import {
  DeliveryList,
  DeliveryParams,
  DeliveryQuery,
  NewWebhook,
  OneWebhook,
  PatchWebhookBody,
  ReplayBody,
  Replayed,
  ReplayedMany,
  RotateSecretBody,
  Tested,
  WebhookBody,
  WebhookList,
  WebhookParams,
} from '@connector-oauth/contract/webhooks.ts'
import { Type } from 'typebox'
import { webhookId } from '../../core/ids.ts'
import { listDeliveries, replay, testWebhook } from '../../domain/webhook-outbox.ts'
import {
  createWebhook,
  deleteWebhook,
  listWebhooks,
  patchWebhook,
  readWebhook,
  rotateWebhookSecret,
} from '../../domain/webhooks.ts'
import type { HttpContext } from '../http-context.ts'
import { pageBody, pageRequest } from '../paging.ts'
import { addApiRoute } from '../route.ts'

const base = '/v1/admin/webhooks'
const one = `${base}/:webhook_id`
const tag = 'Webhooks'

/** Endpoints that receive the tenant's events, signed the Standard Webhooks way. */
export function webhookRoutes(app: FastifyInstance, http: HttpContext): void {
  /** This answer and a rotation's are the only ones that carry the secret. */
  addApiRoute(app, http, {
    method: 'POST',
    url: base,
    tag,
    summary: 'Add an endpoint that receives what happens from now on',
    schemas: { body: WebhookBody },
    status: 201,
    response: NewWebhook,
    async handle({ principal, body }) {
      const { view, secret } = await createWebhook(http.flows, principal, body)
      return { data: { ...view, secret: secret.reveal() } }
    },
  })

  addApiRoute(app, http, {
    method: 'GET',
    url: base,
    tag,
    summary: 'List endpoints',
    schemas: { query: Type.Object(PageQuery) },
    status: 200,
    response: WebhookList,
    async handle({ principal, query }) {
      return pageBody(await listWebhooks(http.flows, principal, pageRequest(query)))
    },
  })

  addApiRoute(app, http, {
    method: 'GET',
    url: one,
    tag,
    summary: 'Read an endpoint',
    schemas: { params: WebhookParams },
    status: 200,
    response: OneWebhook,
    async handle({ principal, params }) {
      return { data: await readWebhook(http.flows, principal, webhookId(params.webhook_id)) }
    },
  })

  addApiRoute(app, http, {
    method: 'PATCH',
    url: one,
    tag,
    summary: 'Change an endpoint, or switch it off and on',
    schemas: { params: WebhookParams, body: PatchWebhookBody },
    status: 200,
    response: OneWebhook,
    async handle({ principal, params, body }) {
      return { data: await patchWebhook(http.flows, principal, webhookId(params.webhook_id), body) }
    },
  })

  addApiRoute(app, http, {
    method: 'DELETE',
    url: one,
    tag,
    summary: 'Remove an endpoint and what waits for it',
    schemas: { params: WebhookParams },
    status: 204,
    response: {},
    async handle({ principal, params }) {
      await deleteWebhook(http.flows, principal, webhookId(params.webhook_id))
      return undefined
    },
  })

  addApiRoute(app, http, {
    method: 'POST',
    url: `${one}/rotate-secret`,
    tag,
    summary: 'Give an endpoint a new signing secret; the old one signs beside it for a while',
    schemas: { params: WebhookParams, body: RotateSecretBody, bodyIsOptional: true },
    status: 200,
    response: NewWebhook,
    async handle({ principal, params, body }) {
      const overlapMs = (body.overlap_seconds ?? 86_400) * 1000
      const { view, secret } = await rotateWebhookSecret(http.flows, principal, webhookId(params.webhook_id), overlapMs)
      return { data: { ...view, secret: secret.reveal() } }
    },
  })

  addApiRoute(app, http, {
    method: 'POST',
    url: `${one}/test`,
    tag,
    summary: 'Send a test message now and see what comes of it',
    schemas: { params: WebhookParams },
    status: 200,
    response: Tested,
    async handle({ principal, params }) {
      return { data: await testWebhook(http.flows, principal, webhookId(params.webhook_id)) }
    },
  })

  addApiRoute(app, http, {
    method: 'GET',
    url: `${one}/deliveries`,
    tag,
    summary: 'List deliveries with their attempts, newest first',
    schemas: { params: WebhookParams, query: DeliveryQuery },
    status: 200,
    response: DeliveryList,
    async handle({ principal, params, query }) {
      const filter = { status: query.status, eventId: query.event_id }
      const id = webhookId(params.webhook_id)
      return pageBody(await listDeliveries(http.flows, principal, id, filter, pageRequest(query)))
    },
  })

  addApiRoute(app, http, {
    method: 'POST',
    url: `${one}/deliveries/:event_id/replay`,
    tag,
    summary: 'Deliver an event again, under the same id',
    schemas: { params: DeliveryParams },
    status: 202,
    response: Replayed,
    async handle({ principal, params }) {
      const which = { eventId: params.event_id }
      const { replayed } = await replay(http.flows, principal, webhookId(params.webhook_id), which)
      return { data: { replayed } }
    },
  })

  /** At most ten thousand; `meta.next_from` is the `from` of the next call, null when nothing is left. */
  addApiRoute(app, http, {
    method: 'POST',
    url: `${one}/replay`,
    tag,
    summary: 'Deliver again what was given up, or what was delivered, since a moment',
    schemas: { params: WebhookParams, body: ReplayBody, bodyIsOptional: true },
    status: 202,
    response: ReplayedMany,
    async handle({ principal, params, body }) {
      const { status = 'dead', from } = body
      const which = { status, ...(from !== undefined && { from: new Date(from) }) }
      const { replayed, nextFrom } = await replay(http.flows, principal, webhookId(params.webhook_id), which)
      return { data: { replayed }, meta: { next_from: nextFrom?.toISOString() ?? null } }
    },
  })
}
