import { plusMs } from '../core/clock.ts'
import type { ConnectorId, TenantId } from '../core/ids.ts'
import type { Secret } from '../core/secret.ts'
import { findConnector } from '../store/connectors.ts'
import type { ConnectorRow } from '../store/rows.ts'
import { connectorPlace } from './connector-places.ts'
import type { Context } from './context.ts'
import { providerAppChanged, refresh, usableProvider } from './refresh.ts'

/** An access token that may be handed out or used now. */
export interface ReadyAccess {
  readonly kind: 'ready'
  readonly accessToken: Secret
  readonly tokenType: string
  readonly expiresAt: Date | undefined
  readonly scopes: readonly string[]
  /** The row it was read from. */
  readonly connector: ConnectorRow
}

export type FreshAccess =
  | ReadyAccess
  | { readonly kind: 'unknown' }
  | { readonly kind: 'disconnected' }
  | { readonly kind: 'paused' }
  /** A person must connect again. */
  | { readonly kind: 'reauth-required'; readonly reason: string }
  /** Provider trouble: try later. */
  | { readonly kind: 'unavailable'; readonly retryAfterSeconds: number }

/** What getting a fresh token takes. */
export type AccessNeeds = Pick<
  Context,
  'database' | 'vault' | 'catalog' | 'clock' | 'settings' | 'egress' | 'keySets' | 'refreshesUnderWay'
>

/** Where a caller says that a connector is; anywhere else there is none. */
export interface AccessPlace {
  readonly spaceId: string
  readonly collectionId: string
  readonly connectorId: ConnectorId
}

/** How often a caller looks again while somebody else refreshes; each look waits, so this bounds the whole. */
const rounds = 80

/**
 * An access token good for at least `minTtlMs`, refreshed when it must be.
 *
 * A token that lives shorter than asked but is still valid is handed out when no refresh is possible.
 */
export async function freshAccess(
  context: AccessNeeds,
  tenantId: TenantId,
  place: AccessPlace,
  minTtlMs: number,
): Promise<FreshAccess> {
  let versionAtFirst: number | undefined
  for (let round = 0; round < rounds; round += 1) {
    const connector = await findConnector(context.database.tenant(tenantId), tenantId, place.connectorId)
    if (connector === undefined || !isAt(connector, place)) return { kind: 'unknown' }
    const judged = await judge(context, tenantId, connector, minTtlMs)
    if (judged !== 'refresh') return judged
    versionAtFirst ??= connector.version
    // Refreshed since the first look, and still shorter-lived than asked: asking again would bring no better one.
    if (connector.version !== versionAtFirst) {
      return (await stillValid(context, connector)) ?? describeFailure(context, connector)
    }
    const outcome = await refresh(context, tenantId, connector)
    switch (outcome.kind) {
      case 'changed':
        // Somebody stored something; look at it.
        continue
      case 'failed':
        return (await stillValid(context, outcome.connector)) ?? describeFailure(context, outcome.connector)
    }
  }
  return { kind: 'unavailable', retryAfterSeconds: 5 }
}

/** Whether a connector is where its caller says. */
export function isAt(connector: ConnectorRow, place: AccessPlace): boolean {
  return connector.space_id === place.spaceId && connector.collection_id === place.collectionId
}

async function judge(
  context: AccessNeeds,
  tenant: TenantId,
  connector: ConnectorRow,
  minTtlMs: number,
): Promise<FreshAccess | 'refresh'> {
  if (connector.health === 'disconnected') return { kind: 'disconnected' }
  if (connector.paused) return { kind: 'paused' }
  if (connector.health === 'reauth_required') {
    // The operator may have put the provider app back that the grant belongs to.
    const mayBeBack = connector.status_reason === providerAppChanged && connector.refresh_token !== null
    const provider = mayBeBack ? await usableProvider(context, tenant, connector) : 'changed'
    return typeof provider === 'string' ? describeFailure(context, connector) : 'refresh'
  }
  const now = context.clock.now()
  const expiresAt = connector.access_token_expires_at
  if (expiresAt === null || expiresAt > plusMs(now, minTtlMs)) return ready(context, connector)
  // A token that cannot be refreshed is good until its end.
  if (connector.refresh_token === null && expiresAt > now) return ready(context, connector)
  if (connector.refresh_retry_at !== null && connector.refresh_retry_at > now) {
    return (await stillValid(context, connector)) ?? describeFailure(context, connector)
  }
  return 'refresh'
}

/** The token as it is, unless it has expired or may not be used. */
export async function stillValid(context: AccessNeeds, connector: ConnectorRow): Promise<ReadyAccess | undefined> {
  const expiresAt = connector.access_token_expires_at
  if (connector.health !== 'active' && connector.health !== 'degraded') return undefined
  if (connector.paused || (expiresAt !== null && expiresAt <= context.clock.now())) return undefined
  return ready(context, connector)
}

async function ready(context: AccessNeeds, connector: ConnectorRow): Promise<ReadyAccess> {
  if (connector.access_token === null) throw new Error('An active connector has no access token')
  return {
    kind: 'ready',
    accessToken: await context.vault.open(connectorPlace(connector, 'access_token'), connector.access_token),
    tokenType: connector.token_type ?? 'Bearer',
    expiresAt: connector.access_token_expires_at ?? undefined,
    scopes: connector.granted_scopes,
    connector,
  }
}

/** Why there is no token for this connector, and what may be done about it. */
export function describeFailure(context: AccessNeeds, connector: ConnectorRow): FreshAccess {
  if (connector.health === 'disconnected') return { kind: 'disconnected' }
  if (connector.health === 'reauth_required') {
    return { kind: 'reauth-required', reason: connector.status_reason ?? 'unknown' }
  }
  const waitMs = (connector.refresh_retry_at?.getTime() ?? 0) - context.clock.now().getTime()
  return { kind: 'unavailable', retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) }
}
