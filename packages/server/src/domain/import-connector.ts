import { createHash } from 'node:crypto'
import { mintConnectorId, type CollectionId, type ConnectorId, type ProviderSlug, type SpaceId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import type { Secret } from '../core/secret.ts'
import { beginConnecting } from '../store/connecting.ts'
import { addConnector, findConnector } from '../store/connectors.ts'
import { addEvent } from '../store/events.ts'
import { storeAnswer, takeIdempotencyKey } from '../store/idempotency-keys.ts'
import { connectionValues, toldValues, type UrlValues } from './connection-values.ts'
import { connectorPlace } from './connector-places.ts'
import { viewConnector, type ConnectorView } from './connector-view.ts'
import type { Context } from './context.ts'
import { logChange } from './log-change.ts'
import { requireReach, requireRight, type Principal } from './principal.ts'
import { findUsableApp, forConnection } from './provider-client.ts'
import { firstRefreshAt } from './refresh-schedule.ts'

export interface ImportRequest {
  readonly spaceId: SpaceId
  readonly collectionId: CollectionId
  readonly providerSlug: ProviderSlug
  readonly connectorId: ConnectorId | undefined
  readonly credential: {
    readonly accessToken: Secret
    readonly refreshToken: Secret | undefined
    readonly expiresAt: Date | undefined
    readonly scopes: readonly string[] | undefined
  }
  readonly scopeConfig: unknown
  readonly urlVariables: UrlValues
  readonly displayName?: string | undefined
  /** Absent: the caller sees to it that nothing is imported twice. */
  readonly idempotencyKey: string | undefined
}

/**
 * Takes over credentials that were obtained elsewhere with the same provider app.
 *
 * The same key with the same body answers what it answered before. Throws 404 `provider_unknown`,
 * 409 `provider_not_configured`, `idempotency_conflict` and `connector_id_taken`, 422 for `url_variables`.
 */
export async function importConnector(
  context: Pick<Context, 'database' | 'vault' | 'catalog' | 'clock' | 'settings' | 'log'>,
  principal: Principal,
  request: ImportRequest,
): Promise<ConnectorView> {
  requireRight(principal, 'connectors:manage')
  requireReach(principal, request.spaceId, request.collectionId)
  const tenant = principal.tenantId
  const { issuer, subject } = principal
  const app = await findUsableApp(context, tenant, request.providerSlug)
  const provider = forConnection(app, connectionValues(app, request.urlVariables, {}))
  const { idempotencyKey: key } = request
  const scope = key === undefined ? undefined : { tenantId: tenant, issuer, subject, key }
  const requestDigest = digestRequest(request)
  const ids = {
    tenant_id: tenant,
    space_id: request.spaceId,
    collection_id: request.collectionId,
    connector_id: request.connectorId ?? mintConnectorId(),
  }
  const { accessToken, refreshToken, expiresAt, scopes } = request.credential
  const grantedAt = context.clock.now()
  const credentials = {
    contextId: provider.contextId,
    urlVariables: provider.urlVariables,
    principal: { issuer, subject },
    account: { id: undefined, name: undefined },
    requestedScopes: scopes ?? [],
    grantedScopes: scopes ?? [],
    accessToken: await context.vault.seal(connectorPlace(ids, 'access_token'), accessToken),
    refreshToken: refreshToken && (await context.vault.seal(connectorPlace(ids, 'refresh_token'), refreshToken)),
    tokenType: 'Bearer',
    expiresAt,
    idTokenSubject: undefined,
    kept: {},
    nextRefreshAt: refreshToken && firstRefreshAt(ids.connector_id, expiresAt, provider.client.definition, grantedAt),
  }
  const imported = await context.database.transaction(tenant, async (db) => {
    const earlier = scope && (await takeIdempotencyKey(db, scope))
    if (earlier !== undefined) {
      if (!earlier.requestDigest.equals(requestDigest)) throw new Problem('idempotency_conflict')
      // Stored below, so it is a connector's view.
      return { view: earlier.body as ConnectorView, isNew: false }
    }
    await beginConnecting(db, tenant)
    const now = context.clock.now()
    const id = ids.connector_id
    const { spaceId, collectionId, providerSlug, scopeConfig } = request
    const connector = {
      tenantId: tenant,
      connectorId: id,
      spaceId,
      collectionId,
      providerSlug,
      displayName: request.displayName,
      scopeConfig,
      credentials,
    }
    if (!(await addConnector(db, connector, now))) throw new Problem('connector_id_taken')
    const row = await findConnector(db, tenant, id)
    if (row === undefined) throw new Error('The imported connector was not stored')
    const view = viewConnector(row)
    if (scope !== undefined) await storeAnswer(db, scope, { requestDigest, status: 201, body: view }, now)
    await addEvent(
      db,
      tenant,
      {
        eventType: 'connector.connected',
        actorId: subject,
        resourceType: 'connector',
        resourceId: id,
        place: ids,
        metadata: {
          provider_slug: providerSlug,
          space_id: spaceId,
          collection_id: collectionId,
          imported: true,
          ...toldValues(provider.urlVariables),
        },
      },
      now,
    )
    return { view, isNew: true }
  })
  if (imported.isNew) logChange(context, ids, 'connected')
  return imported.view
}

/** Tells two bodies apart without keeping either: tokens enter the digest, and only the digest is stored. */
function digestRequest(request: ImportRequest): Buffer {
  const { credential } = request
  const parts = [
    request.spaceId,
    request.collectionId,
    request.providerSlug,
    request.connectorId ?? null,
    credential.accessToken.reveal(),
    credential.refreshToken?.reveal() ?? null,
    credential.expiresAt?.toISOString() ?? null,
    credential.scopes ?? null,
    request.scopeConfig ?? null,
    // Only where there are any: digests from before must still fit.
    ...(Object.keys(request.urlVariables).length === 0 ? [] : [sorted(request.urlVariables)]),
  ]
  return createHash('sha256').update(JSON.stringify(parts)).digest()
}

const sorted = (values: UrlValues) => Object.entries(values).toSorted(([a], [b]) => (a < b ? -1 : 1))
