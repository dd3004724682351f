import type { FastifyInstance } from 'fastify'
import {
  CompleteBody,
  ConnectedBody,
  ProviderParams,
  SessionBody,
  SessionCreated,
  SessionParams,
  SessionStatus,
} from '@connector-oauth/contract/oauth.ts'
import { collectionId, connectSessionId, connectorId, providerSlug, spaceId, transactionId } from '../../core/ids.ts'
import { Problem } from '../../core/problem.ts'
import { Secret } from '../../core/secret.ts'
import { complete } from '../../domain/complete.ts'
import { InvalidFields } from '../../domain/invalid-fields.ts'
import { readSession } from '../../domain/session-status.ts'
import { startSession } from '../../domain/start-session.ts'
import type { HttpContext } from '../http-context.ts'
import { addApiRoute } from '../route.ts'
import { connectedBody } from './callback.ts'

export function sessionRoutes(app: FastifyInstance, http: HttpContext): void {
  /** `POST /v1/connectors/oauth/{provider_slug}/sessions`: the ticket in the answer opens a popup that has no bearer. */
  addApiRoute(app, http, {
    method: 'POST',
    url: '/v1/connectors/oauth/:provider_slug/sessions',
    tag: 'OAuth',
    summary: 'Mint a ticket that opens the authorization popup',
    schemas: { params: ProviderParams, body: SessionBody },
    status: 201,
    response: SessionCreated,
    async handle({ principal, params, body }) {
      if (body.tenant_id !== undefined && body.tenant_id !== principal.tenantId) throw new Problem('tenant_mismatch')
      const session = await startSession(http.flows, principal, {
        providerSlug: providerSlug(params.provider_slug),
        spaceId: spaceId(body.space_id),
        collectionId: collectionId(body.collection_id),
        redirectUri: body.redirect_uri,
        connectorId: body.connector_id === undefined ? undefined : connectorId(body.connector_id),
        callerContext: body.token === undefined ? undefined : new Secret(body.token),
        origin: body.origin,
        scopes: body.scopes,
        loginHint: body.login_hint,
        allowAccountChange: body.allow_account_change,
        urlVariables: body.url_variables ?? {},
      })
      return {
        data: {
          session_id: session.sessionId,
          token: session.ticket.reveal(),
          authorize_url: session.authorizeUrl,
          expires_at: session.expiresAt.toISOString(),
        },
      }
    },
  })

  /** `GET /v1/connectors/oauth/sessions/{session_id}`: reading never completes anything. */
  addApiRoute(app, http, {
    method: 'GET',
    url: '/v1/connectors/oauth/sessions/:session_id',
    tag: 'OAuth',
    summary: 'Read how far a session has come',
    schemas: { params: SessionParams },
    status: 200,
    response: SessionStatus,
    async handle({ principal, params }) {
      const session = await readSession(http.flows, principal, transactionId(params.session_id))
      return {
        data: {
          status: session.status,
          error_code: session.errorCode ?? null,
          connector_id: session.connectorId ?? null,
          ...session.facts,
        },
      }
    },
  })

  /** `POST /v1/connectors/oauth/{provider_slug}/complete`: the user who finishes must be the user who started. */
  addApiRoute(app, http, {
    method: 'POST',
    url: '/v1/connectors/oauth/:provider_slug/complete',
    tag: 'OAuth',
    summary: 'Complete a connection as the user who started it',
    schemas: { params: ProviderParams, body: CompleteBody },
    status: 200,
    response: ConnectedBody,
    async handle({ principal, params, body }) {
      const connected = await complete(http.flows, principal, {
        providerSlug: providerSlug(params.provider_slug),
        by: transactionNamedBy(body),
        connectSessionId: body.connect_session_id === undefined ? undefined : connectSessionId(body.connect_session_id),
        completionCode: body.completion_code,
      })
      return connectedBody(connected)
    },
  })
}

function transactionNamedBy(body: CompleteBody): { readonly sessionId: string } | { readonly state: string } {
  if (body.session_id !== undefined) return { sessionId: body.session_id }
  if (body.state !== undefined) return { state: body.state }
  throw new InvalidFields([{ loc: ['body', 'session_id'], msg: 'field required', type: 'value_error.missing' }])
}
