import type { FastifyInstance } from 'fastify'
import { AppearanceAnswer, AppearanceBody } from '@connector-oauth/contract/appearance.ts'
import {
  ConnectSessionBody,
  ConnectSessionCreated,
  ConnectSessionParams,
  ConnectSessionStatus,
} from '@connector-oauth/contract/connect-sessions.ts'
import { collectionId, connectorId, providerSlug, spaceId } from '../../core/ids.ts'
import { readAppearance, writeAppearance } from '../../domain/appearance.ts'
import { createConnectSession, readConnectSession } from '../../domain/connect-sessions.ts'
import type { HttpContext } from '../http-context.ts'
import { addApiRoute } from '../route.ts'

const tag = 'Connect page'

export function connectSessionRoutes(app: FastifyInstance, http: HttpContext): void {
  /** `POST /v1/connect-sessions`: the address in the answer opens the hosted page, with its secret in the fragment. */
  addApiRoute(app, http, {
    method: 'POST',
    url: '/v1/connect-sessions',
    tag,
    summary: 'Make a session of the hosted Connect page',
    schemas: { body: ConnectSessionBody },
    status: 201,
    response: ConnectSessionCreated,
    async handle({ principal, body }) {
      const session = await createConnectSession(http.flows, principal, {
        spaceId: spaceId(body.space_id),
        collectionId: collectionId(body.collection_id),
        providers: body.providers?.map(providerSlug),
        connectorId: body.connector_id === undefined ? undefined : connectorId(body.connector_id),
        redirectUri: body.redirect_uri,
        origin: body.origin,
        scopes: body.scopes,
        allowAccountChange: body.allow_account_change ?? false,
        mode: body.mode ?? 'popup',
        locale: body.locale,
        display: body.display ?? {},
        ttlSeconds: body.ttl_seconds,
      })
      return {
        data: {
          connect_session_id: session.id,
          connect_url: session.connectUrl,
          expires_at: session.expiresAt.toISOString(),
        },
      }
    },
  })

  /** `GET /v1/connect-sessions/{connect_session_id}`: reading never completes anything. */
  addApiRoute(app, http, {
    method: 'GET',
    url: '/v1/connect-sessions/:connect_session_id',
    tag,
    summary: 'Read how far a connect session has come',
    schemas: { params: ConnectSessionParams },
    status: 200,
    response: ConnectSessionStatus,
    async handle({ principal, params }) {
      const session = await readConnectSession(http.flows, principal, params.connect_session_id)
      return {
        data: {
          status: session.status,
          error_code: session.errorCode ?? null,
          connector_id: session.connectorId ?? null,
          provider_slug: session.providerSlug ?? null,
          session_id: session.sessionId ?? null,
          ...session.facts,
        },
      }
    },
  })

  addApiRoute(app, http, {
    method: 'GET',
    url: '/v1/admin/tenant/appearance',
    tag: 'Tenant',
    summary: 'Read how the tenant’s Connect page looks',
    schemas: {},
    status: 200,
    response: AppearanceAnswer,
    async handle({ principal }) {
      return { data: await readAppearance(http.flows, principal) }
    },
  })

  addApiRoute(app, http, {
    method: 'PUT',
    url: '/v1/admin/tenant/appearance',
    tag: 'Tenant',
    summary: 'Set how the tenant’s Connect page looks',
    schemas: { body: AppearanceBody },
    // A logo of 48 KiB in base64, and the fields around it.
    maxBodyBytes: 80 * 1024,
    status: 200,
    response: AppearanceAnswer,
    async handle({ principal, body }) {
      const { display_name: name = null, accent = null, radius = null, logo = null } = body
      return { data: await writeAppearance(http.flows, principal, { display_name: name, accent, radius, logo }) }
    },
  })
}
