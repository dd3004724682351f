import { connectorId, tenantId } from '../core/ids.ts'
import { findAppearance } from '../store/appearance.ts'
import { findProvidersConnectedBy, type ConnectSession } from '../store/connect-sessions.ts'
import { findConnector } from '../store/connectors.ts'
import { newestAttemptOf, principalOf } from './connect-page.ts'
import { attemptsAtMost, connectSessionStatus } from './connect-session-status.ts'
import type { Context } from './context.ts'
import { viewProvidersOf } from './list-providers.ts'
import { statusOf } from './session-status.ts'
import type { ProviderView } from './provider-view.ts'

/** Everything that the page shows; field names are the page's. It tells no account and nobody's connectors but the starter's. */
export interface ConnectPageView {
  readonly connect_session_id: string
  readonly mode: ConnectSession['mode']
  readonly status: string
  readonly error_code: string | null
  readonly attempts_left: number
  readonly expires_at: string
  /** The one page that may be told the outcome. */
  readonly origin: string | null
  readonly redirect_uri: string | null
  readonly display: {
    readonly tenant_name: string | null
    readonly space_name: string | null
    readonly collection_name: string | null
    readonly started_by: string
  }
  readonly providers: readonly (ProviderView & { readonly connected: boolean })[]
  readonly attempt: {
    readonly session_id: string
    readonly provider_slug: string
    readonly status: string
    readonly error_code: string | null
  } | null
  /** After `connected`: what the provider did not grant. */
  readonly missing_scopes: readonly { readonly name: string; readonly description: string }[]
}

type Needs = Pick<Context, 'catalog' | 'clock' | 'database' | 'settings'>

export async function viewConnectPage(context: Needs, session: ConnectSession): Promise<ConnectPageView> {
  const tenant = tenantId(session.tenant_id)
  const db = context.database.tenant(tenant)
  const [attempt, appearance, listed, connected] = await Promise.all([
    newestAttemptOf(context, session),
    findAppearance(db, tenant),
    viewProvidersOf(context, tenant),
    findProvidersConnectedBy(db, session),
  ])
  const offered = listed.filter(
    (provider) => session.provider_slugs?.includes(provider.provider_slug) ?? provider.setup_complete,
  )
  const now = context.clock.now()
  const { status, errorCode } = connectSessionStatus(session, attempt, now)
  const display: Readonly<Record<string, string | undefined>> = session.display as Record<string, string>
  const providers = offered.map((provider) => ({
    ...provider,
    scopes: session.scopes === null ? provider.scopes : describe(session.scopes, provider),
    connected: session.connector_id === null && connected.has(provider.provider_slug),
  }))
  return {
    connect_session_id: session.connect_session_id,
    mode: session.mode,
    status,
    error_code: errorCode ?? null,
    attempts_left: Math.max(0, attemptsAtMost - session.attempts),
    expires_at: session.expires_at.toISOString(),
    origin: session.origin,
    redirect_uri: session.redirect_uri,
    display: {
      // What an administrator has set cannot be passed off as something else by whoever makes a session.
      tenant_name: appearance?.display_name ?? display['tenant_name'] ?? null,
      space_name: display['space_name'] ?? null,
      collection_name: display['collection_name'] ?? null,
      started_by: display['started_by'] ?? principalOf(session).subject,
    },
    providers,
    attempt:
      attempt === undefined
        ? null
        : {
            session_id: attempt.transaction_id,
            provider_slug: attempt.provider_slug,
            status: statusOf(attempt, now),
            error_code: attempt.error_code,
          },
    missing_scopes: await missingScopes(context, session, providers),
  }
}

async function missingScopes(context: Needs, session: ConnectSession, providers: readonly ProviderView[]) {
  if (session.connected_connector_id === null) return []
  const tenant = tenantId(session.tenant_id)
  const connector = await findConnector(
    context.database.tenant(tenant),
    tenant,
    connectorId(session.connected_connector_id),
  )
  if (connector === undefined) return []
  const granted = new Set(connector.granted_scopes)
  const missing = connector.requested_scopes.filter((scope) => !granted.has(scope))
  return describe(
    missing,
    providers.find((provider) => provider.provider_slug === connector.provider_slug),
  )
}

function describe(names: readonly string[], provider: ProviderView | undefined) {
  const known = new Map(provider?.scopes.map((scope) => [scope.name, scope.description]))
  return names.map((name) => ({ name, description: known.get(name) ?? '' }))
}
