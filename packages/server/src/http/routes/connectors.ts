import type { FastifyInstance } from 'fastify'
import {
  AccessToken,
  CollectionParams,
  ConnectorBody,
  ConnectorList,
  ConnectorParams,
  ConnectorQuery,
  Disconnected,
  ImportBody,
  ImportHeaders,
  PatchConnectorBody,
  TokenBody,
  TokenQuery,
} from '@connector-oauth/contract/connectors.ts'
import { collectionId, connectorId, providerSlug, spaceId } from '../../core/ids.ts'
import { Secret } from '../../core/secret.ts'
import { viewConnector } from '../../domain/connector-view.ts'
import { listConnectors, patchConnector, readConnector } from '../../domain/connectors.ts'
import { disconnect } from '../../domain/disconnect.ts'
import { exportToken } from '../../domain/export-token.ts'
import { importConnector } from '../../domain/import-connector.ts'
import type { HttpContext } from '../http-context.ts'
import { pageBody, pageRequest } from '../paging.ts'
import { requirePatterns } from '../path-patterns.ts'
import { addApiRoute } from '../route.ts'

const base = '/v1/spaces/:space_id/collections/:collection_id/connectors'
const one = `${base}/:connector_id`
const tag = 'Connectors'

export function connectorRoutes(app: FastifyInstance, http: HttpContext): void {
  addApiRoute(app, http, {
    method: 'GET',
    url: base,
    tag,
    summary: 'List the connectors of a collection',
    schemas: { params: CollectionParams, query: ConnectorQuery },
    status: 200,
    response: ConnectorList,
    async handle({ principal, params, query }) {
      const filter = { providerSlug: query.provider_slug, status: query.status }
      return pageBody(await listConnectors(http.flows, principal, collection(params), filter, pageRequest(query)))
    },
  })

  addApiRoute(app, http, {
    method: 'POST',
    url: base,
    tag,
    summary: 'Import credentials that were obtained elsewhere',
    schemas: { params: CollectionParams, body: ImportBody, headers: ImportHeaders },
    status: 201,
    response: ConnectorBody,
    // Two tokens of up to 16 KiB, their scopes and what to sync.
    maxBodyBytes: 262_144,
    async handle({ principal, params, body, headers }) {
      const { credential } = body
      const view = await importConnector(http.flows, principal, {
        ...collection(params),
        providerSlug: providerSlug(body.provider_slug),
        connectorId: body.connector_id === undefined ? undefined : connectorId(body.connector_id),
        credential: {
          accessToken: new Secret(credential.access_token),
          refreshToken: credential.refresh_token === undefined ? undefined : new Secret(credential.refresh_token),
          expiresAt: credential.expires_at === undefined ? undefined : new Date(credential.expires_at),
          scopes: credential.scopes,
        },
        scopeConfig: body.scope_config ?? undefined,
        urlVariables: body.url_variables ?? {},
        idempotencyKey: headers['idempotency-key'],
      })
      return { data: view }
    },
  })

  addApiRoute(app, http, {
    method: 'GET',
    url: one,
    tag,
    summary: 'Read a connector',
    schemas: { params: ConnectorParams },
    status: 200,
    response: ConnectorBody,
    async handle({ principal, params }) {
      return { data: await readConnector(http.flows, principal, connector(params)) }
    },
  })

  addApiRoute(app, http, {
    method: 'PATCH',
    url: one,
    tag,
    summary: 'Change a connector’s settings',
    schemas: { params: ConnectorParams, body: PatchConnectorBody },
    status: 200,
    response: ConnectorBody,
    async handle({ principal, params, body }) {
      requirePatterns(['body', 'proxy_policy', 'paths'], body.proxy_policy?.paths ?? [])
      return { data: await patchConnector(http.flows, principal, connector(params), body) }
    },
  })

  /** The secrets are destroyed before the answer; the provider is told later, and the end state becomes an event. */
  addApiRoute(app, http, {
    method: 'DELETE',
    url: one,
    tag,
    summary: 'Disconnect: destroy the secrets now, revoke at the provider soon',
    schemas: { params: ConnectorParams },
    status: 202,
    response: Disconnected,
    async handle({ principal, params }) {
      const ended = await disconnect(http.flows, principal, connector(params))
      return { data: { ...viewConnector(ended.connector), revocation: ended.revocation } }
    },
  })

  /** The one route that hands out a secret; the right `connectors:token` is never implied. */
  addApiRoute(app, http, {
    method: 'POST',
    url: `${one}/token`,
    tag,
    summary: 'Export a fresh access token',
    schemas: { params: ConnectorParams, query: TokenQuery, body: TokenBody, bodyIsOptional: true },
    status: 200,
    response: AccessToken,
    async handle({ principal, params, query, body }) {
      const minTtlSeconds = body.min_ttl ?? query.min_ttl ?? 60
      const access = await exportToken(http.flows, principal, connector(params), minTtlSeconds * 1000)
      return {
        data: {
          access_token: access.accessToken.reveal(),
          token_type: access.tokenType,
          expires_at: access.expiresAt?.toISOString() ?? null,
          scopes: access.scopes,
        },
      }
    },
  })
}

function collection(params: { readonly space_id: string; readonly collection_id: string }) {
  return { spaceId: spaceId(params.space_id), collectionId: collectionId(params.collection_id) }
}

function connector(params: {
  readonly space_id: string
  readonly collection_id: string
  readonly connector_id: string
}) {
  return { ...collection(params), connectorId: connectorId(params.connector_id) }
}
