import { providerSlug, tenantId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import type { Secret } from '../core/secret.ts'
import type { ProviderClient } from '../core/token.ts'
import type { RefreshFailure } from '../store/refresh-leases.ts'
import type { ConnectorRow } from '../store/rows.ts'
import { SealBroken } from '../vault/vault.ts'
import { keptValues } from './connection-values.ts'
import { connectorPlace } from './connector-places.ts'
import type { Context } from './context.ts'
import type { Rotation } from './lost-reply.ts'
import { providerInUse, type ProviderInUse } from './provider-client.ts'
import { later, lost } from './refresh-failure.ts'

/** `status_reason` of a connector whose provider app is no longer the one it was granted to. */
export const providerAppChanged = 'provider_app_changed'

/** All that a refresh sends, at hand before the right to send it is claimed. */
export interface PreparedRefresh {
  readonly kind: 'prepared'
  readonly client: ProviderClient
  readonly refreshToken: Secret
  readonly kept: Readonly<Record<string, string>>
  readonly rotation: Rotation
}

type Needs = Pick<Context, 'database' | 'vault' | 'catalog' | 'clock' | 'settings'>

/**
 * Finds the provider app and opens the refresh token; a failure where the connector cannot be refreshed as things are.
 *
 * Whatever takes time or may fail happens here: between the claim of a refresh and its request nothing is waited for, so
 * that a process which dies there leaves as little doubt as can be. Throws what is wrong with this service itself.
 */
export async function prepareRefresh(
  context: Needs,
  connector: ConnectorRow,
): Promise<PreparedRefresh | { readonly kind: 'impossible'; readonly failure: RefreshFailure }> {
  const now = context.clock.now()
  const tenant = tenantId(connector.tenant_id)
  if (connector.refresh_token === null) {
    const hasExpired = connector.access_token_expires_at !== null && connector.access_token_expires_at <= now
    return impossible(lost(hasExpired ? 'token_expired' : 'tokens_unreadable'))
  }
  const provider = await usableProvider(context, connector)
  if (provider === 'missing') return impossible(later(connector.refresh_failures, 'provider_app_missing', now))
  if (provider === 'changed') return impossible(lost(providerAppChanged))
  // What the provider grants is sealed at once, without a look at the database for the key.
  await context.vault.prepare(tenant)
  try {
    const refreshToken = await context.vault.open(connectorPlace(connector, 'refresh_token'), connector.refresh_token)
    const { client } = provider
    // Written from `Record<string, string>` by this service alone.
    const kept = connector.kept as Record<string, string>
    return { kind: 'prepared', client, refreshToken, kept, rotation: rotationOf(client, connector) }
  } catch (error) {
    // Only a new consent brings another.
    if (error instanceof SealBroken) return impossible(lost('tokens_unreadable'))
    throw error
  }
}

function impossible(failure: RefreshFailure) {
  return { kind: 'impossible', failure } as const
}

function rotationOf({ definition }: ProviderClient, connector: ConnectorRow): Rotation {
  return {
    documented: definition.refresh_rotates,
    observed: connector.refresh_rotated ?? undefined,
    graceSeconds: definition.refresh_reuse_grace_seconds,
  }
}

/** Credentials stay with the context they were granted in: a changed endpoint or client never sees them. */
export async function usableProvider(
  context: Pick<Context, 'database' | 'vault' | 'catalog' | 'settings'>,
  connector: Pick<ConnectorRow, 'tenant_id' | 'provider_slug' | 'context_id' | 'url_variables'>,
): Promise<ProviderInUse | 'changed' | 'missing'> {
  try {
    const tenant = tenantId(connector.tenant_id)
    const slug = providerSlug(connector.provider_slug)
    const provider = await providerInUse(context, tenant, slug, keptValues(connector))
    return provider.contextId === connector.context_id ? provider : 'changed'
  } catch (error) {
    // It was made when the app brought the value, or the value is no longer allowed: these addresses are gone.
    if (error instanceof Problem && error.code === 'url_variables_required') return 'changed'
    // An operator's slip, such as a restart without the variables, must not end connections.
    if (error instanceof Problem) return 'missing'
    throw error
  }
}
