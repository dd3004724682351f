import { plusMs } from '../core/clock.ts'
import type { ConnectorId, TenantId } from '../core/ids.ts'
import type { Secret } from '../core/secret.ts'
import { findAccess, type AccessRow } from '../store/connector-access.ts'
import { findConnector } from '../store/connectors.ts'
import { SealBroken } from '../vault/vault.ts'
import { connectorPlace } from './connector-places.ts'
import { providerAppChanged, usableProvider } from './prepare-refresh.ts'
import { outcomeUnknown } from './refresh-failure.ts'
import { refresh, type RefreshNeeds } from './refresh.ts'

/** An access token that may be handed out or used now. */
export interface ReadyAccess {
  readonly kind: 'ready'
  readonly accessToken: Secret
  readonly tokenType: string
  readonly expiresAt: Date | undefined
  readonly scopes: readonly string[]
  /** The row it was read from. */
  readonly connector: AccessRow
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

/** Where a caller says that a connector is; anywhere else there is none. */
export interface AccessPlace {
  readonly spaceId: string
  readonly collectionId: string
  readonly connectorId: ConnectorId
}

/** How often the row is judged anew; a look that finds a refresh under way waits for it first. */
const rounds = 20
/** How long a caller is kept at most, whatever happens. */
const patienceMs = 30_000

/**
 * An access token good for at least `minTtlMs`, refreshed when it must be.
 *
 * A token that lives shorter than asked but is still valid is handed out when no refresh is possible.
 */
export async function freshAccess(
  context: RefreshNeeds,
  tenantId: TenantId,
  place: AccessPlace,
  minTtlMs: number,
): Promise<FreshAccess> {
  const endsAt = performance.now() + patienceMs
  let versionAtFirst: number | undefined
  for (let round = 0; round < rounds && performance.now() < endsAt; round += 1) {
    const db = context.database.tenant(tenantId)
    const access = await findAccess(db, tenantId, place.connectorId)
    if (access === undefined || !isAt(access, place)) return { kind: 'unknown' }
    const judged = await judge(context, access, minTtlMs)
    if (judged !== 'refresh') return judged
    versionAtFirst ??= access.version
    // Refreshed since the first look, and still shorter-lived than asked: asking again would bring no better one.
    if (access.version !== versionAtFirst) return asItIs(context, access)
    const connector = await findConnector(db, tenantId, place.connectorId)
    // Somebody was quicker; what is refreshed must be what was judged.
    if (connector?.version !== access.version) continue
    const outcome = await refresh(context, connector, 'read')
    switch (outcome.kind) {
      case 'changed':
        // Somebody stored something; look at it.
        continue
      case 'failed':
        return asItIs(context, outcome.connector)
      case 'deferred':
        return asItIs(context, connector, outcome.retryAfterSeconds)
    }
  }
  return { kind: 'unavailable', retryAfterSeconds: 5 }
}

/** Whether a connector is where its caller says. */
export function isAt(connector: AccessRow, place: AccessPlace): boolean {
  return connector.space_id === place.spaceId && connector.collection_id === place.collectionId
}

async function judge(context: RefreshNeeds, connector: AccessRow, minTtlMs: number): Promise<FreshAccess | 'refresh'> {
  if (connector.health === 'disconnected') return { kind: 'disconnected' }
  if (connector.paused) return { kind: 'paused' }
  if (connector.health === 'reauth_required') {
    // The operator may have put the provider app back that the grant belongs to.
    const mayBeBack = connector.status_reason === providerAppChanged && connector.refresh_token !== null
    const provider = mayBeBack ? await usableProvider(context, connector) : 'changed'
    return typeof provider === 'string' ? asItIs(context, connector) : 'refresh'
  }
  const now = context.clock.now()
  const expiresAt = connector.access_token_expires_at
  const isLongEnough = expiresAt === null || expiresAt > plusMs(now, minTtlMs)
  // A token that cannot be refreshed is good until its end.
  if (isLongEnough || (connector.refresh_token === null && expiresAt > now)) {
    const ready = await openAccess(context, connector)
    if (ready !== undefined) return ready
  }
  if (connector.refresh_retry_at !== null && connector.refresh_retry_at > now) return asItIs(context, connector)
  return 'refresh'
}

/** The token as it is, unless it has expired or may not be used; then why there is none. */
export async function asItIs(
  context: RefreshNeeds,
  connector: AccessRow,
  retryAfterSeconds?: number,
): Promise<FreshAccess> {
  const expiresAt = connector.access_token_expires_at
  const isValid = expiresAt === null || expiresAt > context.clock.now()
  const ready = isValid && isGood(connector) ? await openAccess(context, connector) : undefined
  return ready ?? describeFailure(context, connector, retryAfterSeconds)
}

/** Nobody knows what became of the refresh token after a lost reply, and nobody has said anything against this one. */
function isGood({ health, status_reason: reason, paused }: AccessRow): boolean {
  return !paused && (health === 'active' || health === 'degraded' || reason === outcomeUnknown)
}

/** `undefined` when the sealed token opens no more; a refresh brings another. */
async function openAccess(
  context: Pick<RefreshNeeds, 'vault'>,
  connector: AccessRow,
): Promise<ReadyAccess | undefined> {
  if (connector.access_token === null) throw new Error('An active connector has no access token')
  try {
    return {
      kind: 'ready',
      accessToken: await context.vault.open(connectorPlace(connector, 'access_token'), connector.access_token),
      tokenType: connector.token_type ?? 'Bearer',
      expiresAt: connector.access_token_expires_at ?? undefined,
      scopes: connector.granted_scopes,
      connector,
    }
  } catch (error) {
    if (error instanceof SealBroken) return undefined
    throw error
  }
}

function describeFailure(
  context: Pick<RefreshNeeds, 'clock'>,
  connector: AccessRow,
  retryAfterSeconds?: number,
): FreshAccess {
  if (connector.health === 'disconnected') return { kind: 'disconnected' }
  if (connector.paused) return { kind: 'paused' }
  if (connector.health === 'reauth_required') {
    return { kind: 'reauth-required', reason: connector.status_reason ?? 'unknown' }
  }
  const waitMs = (connector.refresh_retry_at?.getTime() ?? 0) - context.clock.now().getTime()
  return { kind: 'unavailable', retryAfterSeconds: retryAfterSeconds ?? Math.max(1, Math.ceil(waitMs / 1000)) }
}
