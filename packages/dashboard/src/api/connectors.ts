import type { Static } from 'typebox'
import type { Connector as ConnectorSchema, Disconnected } from '@connector-oauth/contract/connectors.ts'
import { auditPath, type AuditEntry } from './audit.ts'
import { call, CallProblem, send } from './call.ts'
import type { ListBody } from './lists.ts'

export type Connector = Static<typeof ConnectorSchema>
export type Receipt = Static<typeof Disconnected>['data']

/** Every connector of the tenant. */
export const connectorsPath = '/v1/admin/connectors'

/** Where a connector stands; the API's address of it needs all three. */
export interface ConnectorPlace {
  readonly spaceId: string
  readonly collectionId: string
  readonly connectorId: string
}

/** What is connected from here, and not by a platform, has a space and collection of its own. */
export const ownPlace = {
  spaceId: '123e4567-e89b-12d3-a456-426614174001',
  collectionId: '123e4567-e89b-12d3-a456-426614174000',
} as const

export function placeOf(connector: Pick<Connector, 'id' | 'space_id' | 'collection_id'>): ConnectorPlace {
  return { spaceId: connector.space_id, collectionId: connector.collection_id, connectorId: connector.id }
}

function connectorPath({ spaceId, collectionId, connectorId }: ConnectorPlace): string {
  const parts = [spaceId, collectionId, connectorId].map(encodeURIComponent)
  return `/v1/spaces/${parts[0]}/collections/${parts[1]}/connectors/${parts[2]}`
}

export async function readConnector(place: ConnectorPlace, signal?: AbortSignal): Promise<Connector> {
  return (await call<{ data: Connector }>('GET', connectorPath(place), { signal })).data
}

/**
 * Where the connector with this id stands, or stood, as the record knows it; only an exact id finds it. Throws 404 like the
 * service, which can say so only of a place.
 */
export async function findPlace(connectorId: string, signal: AbortSignal): Promise<ConnectorPlace> {
  const query = { resource_id: connectorId, order: 'desc', limit: 20 }
  const { data } = await call<ListBody<AuditEntry>>('GET', auditPath, { query, signal })
  for (const { resource_type: type, space_id: spaceId, collection_id: collectionId } of data) {
    if (type === 'connector' && spaceId !== null && collectionId !== null) return { spaceId, collectionId, connectorId }
  }
  throw new CallProblem({
    message: 'There is no connector with this id.',
    status: 404,
    code: 'connector_unknown',
    correlationId: undefined,
    fields: [],
  })
}

export async function patchConnector(
  place: ConnectorPlace,
  change: { readonly paused?: boolean; readonly display_name?: string | null },
): Promise<Connector> {
  return (await call<{ data: Connector }>('PATCH', connectorPath(place), { body: change })).data
}

export async function disconnect(place: ConnectorPlace): Promise<Receipt> {
  return (await call<{ data: Receipt }>('DELETE', connectorPath(place))).data
}

export interface ProxiedAnswer {
  readonly status: number
  readonly contentType: string
  readonly text: string
  readonly durationMs: number
}

const shownBytes = 64 * 1024

/** One call of the provider's API. Its refusals are answers, not problems. */
export async function callThroughProxy(place: ConnectorPlace, method: string, path: string): Promise<ProxiedAnswer> {
  const started = performance.now()
  const response = await send(method, `${connectorPath(place)}/proxy/${path.replace(/^\/+/, '')}`)
  const text = await response.text()
  return {
    status: response.status,
    contentType: response.headers.get('content-type') ?? '',
    text: text.length > shownBytes ? `${text.slice(0, shownBytes)}\n… cut here` : text,
    durationMs: Math.round(performance.now() - started),
  }
}

/** What to call a connector where there is room for one name. */
export function nameOf(connector: Pick<Connector, 'id' | 'display_name' | 'account'>): string {
  return connector.display_name ?? connector.account.name ?? connector.account.id ?? connector.id
}
