import {
  collectionId,
  connectorId,
  connectSessionId,
  handleDigest,
  spaceId,
  tenantId,
  type ConnectorId,
  type ProviderSlug,
} from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import {
  cancelConnectSession,
  findConnectSessionByToken,
  takeConnectAttempt,
  type ConnectSession,
} from '../store/connect-sessions.ts'
import { findConnector } from '../store/connectors.ts'
import { findNewestAttempt } from '../store/find-transactions.ts'
import { attemptsAtMost } from './connect-session-status.ts'
import { connectTokenPrefix } from './connect-sessions.ts'
import type { Context } from './context.ts'
import type { Principal } from './principal.ts'
import { recordRefusedStart } from './refuse-session.ts'
import { startSession, type Session } from './start-session.ts'

type Needs = Pick<Context, 'database' | 'vault' | 'catalog' | 'clock' | 'settings'>

/**
 * The session that a connect token opens; using it uses nothing up.
 *
 * Throws 401 `connect_token_invalid` and, for a token that was good, 401 `connect_session_expired`.
 */
export async function openConnectSession(
  context: Pick<Context, 'database' | 'clock'>,
  token: string | undefined,
): Promise<ConnectSession> {
  // A bearer token proves nobody here, as a connect token does nowhere else.
  if (token?.startsWith(connectTokenPrefix) !== true) throw new Problem('connect_token_invalid')
  const session = await findConnectSessionByToken(context.database.system, handleDigest(token))
  if (session === undefined) throw new Problem('connect_token_invalid')
  if (session.expires_at <= context.clock.now()) throw new Problem('connect_session_expired')
  return session
}

/** Who made the session, with the rights of then that an attempt may need. */
export function principalOf(session: ConnectSession): Principal {
  return {
    tenantId: tenantId(session.tenant_id),
    issuer: session.principal_issuer,
    subject: session.principal_subject,
    rights: new Set(session.rights),
    spaces: session.spaces === null ? undefined : new Set(session.spaces),
    collections: session.collections === null ? undefined : new Set(session.collections),
    expiresAt: session.expires_at,
  }
}

/**
 * Makes an attempt: an ordinary session, under every rule of one, in the name of the principal who made the connect session.
 *
 * Throws 404 `provider_unknown` for a provider that the session does not offer, 409 `connect_session_ended`, and what
 * `startSession` throws.
 */
export async function startConnectAttempt(
  context: Needs,
  session: ConnectSession,
  asked: { readonly providerSlug: ProviderSlug; readonly urlVariables: Readonly<Record<string, string>> | undefined },
): Promise<Session> {
  const principal = principalOf(session)
  const id = connectSessionId(session.connect_session_id)
  const db = context.database.tenant(principal.tenantId)
  const place = { spaceId: spaceId(session.space_id), collectionId: collectionId(session.collection_id) }
  const refuse = async (code: 'provider_unknown' | 'connect_session_ended'): Promise<never> => {
    await recordRefusedStart(context, principal, { ...place, providerSlug: asked.providerSlug }, code)
    throw new Problem(code)
  }
  if (session.provider_slugs?.includes(asked.providerSlug) === false) return refuse('provider_unknown')
  const again = await connectorToAskAgain(context, session, asked.providerSlug)
  if (session.connected_connector_id !== null && again === undefined) return refuse('connect_session_ended')
  const limit = { now: context.clock.now(), attempts: attemptsAtMost }
  if (!(await takeConnectAttempt(db, principal.tenantId, id, limit))) return refuse('connect_session_ended')
  return startSession(context, principal, {
    ...place,
    providerSlug: asked.providerSlug,
    connectorId: again ?? (session.connector_id === null ? undefined : connectorId(session.connector_id)),
    redirectUri: session.redirect_uri ?? undefined,
    origin: session.origin ?? undefined,
    scopes: session.scopes ?? undefined,
    allowAccountChange: again === undefined && session.allow_account_change,
    connectSessionId: id,
    urlVariables: asked.urlVariables ?? {},
  })
}

/** The one connector of a session that lacks scopes; only it may be asked for again, with the same account. */
async function connectorToAskAgain(
  context: Needs,
  session: ConnectSession,
  slug: ProviderSlug,
): Promise<ConnectorId | undefined> {
  if (session.connected_connector_id === null) return undefined
  const tenant = tenantId(session.tenant_id)
  const id = connectorId(session.connected_connector_id)
  const connector = await findConnector(context.database.tenant(tenant), tenant, id)
  if (connector?.provider_slug !== slug || connector.health === 'disconnected') return undefined
  const granted = new Set(connector.granted_scopes)
  return connector.requested_scopes.every((scope) => granted.has(scope)) ? undefined : id
}

/** Ends a session that has connected nothing: the user gave it up. An attempt that is under way can be completed no more. */
export async function cancelConnect(
  context: Pick<Context, 'database' | 'clock'>,
  session: ConnectSession,
): Promise<void> {
  const tenant = tenantId(session.tenant_id)
  const id = connectSessionId(session.connect_session_id)
  await cancelConnectSession(context.database.tenant(tenant), tenant, id, context.clock.now())
}

/** The newest attempt, for the page. */
export function newestAttemptOf(context: Pick<Context, 'database'>, session: ConnectSession) {
  const tenant = tenantId(session.tenant_id)
  return findNewestAttempt(context.database.tenant(tenant), tenant, connectSessionId(session.connect_session_id))
}
