import { call, type Completed, type ServiceAccess, type Session, type SessionStatus } from './api.ts'
import { ConnectError, failureOf } from './connect-error.ts'
import type { Outcome } from './relay.ts'

/** What to connect, and for whom. */
export interface ConnectRequest extends ServiceAccess {
  /** The provider's slug: `google`, `github`, `slack`. */
  readonly provider: string
  /** UUID of the space. */
  readonly spaceId: string
  /** UUID of the collection. */
  readonly collectionId: string
  /** Names the connector: a known one is connected again in place. */
  readonly connectorId?: string
  readonly scopes?: readonly string[]
  /** Whom the provider should expect, such as an e-mail address. */
  readonly loginHint?: string
  /** Lets a reconnect end at another account of the provider. */
  readonly allowAccountChange?: boolean
  /**
   * A registered landing page of your own origin that calls `finishConnect`. With it a connection is finished even
   * where the provider's pages cut the window off from yours; without it that provider cannot be told from a closed window.
   */
  readonly landingPage?: string
  readonly signal?: AbortSignal
}

/** A connection that came about. */
export interface Connected {
  readonly connectorId: string
  readonly provider: string
}

/** Asks for a session whose outcome may be told to this page's origin. */
export async function startSession(request: ConnectRequest): Promise<Session> {
  const { data } = await call<{ data: Session }>(request, 'POST', `/${encodeURIComponent(request.provider)}/sessions`, {
    space_id: request.spaceId,
    collection_id: request.collectionId,
    ...(request.connectorId !== undefined && { connector_id: request.connectorId }),
    ...(request.scopes !== undefined && { scopes: request.scopes }),
    ...(request.loginHint !== undefined && { login_hint: request.loginHint }),
    ...(request.allowAccountChange === true && { allow_account_change: true }),
    ...(request.landingPage === undefined ? { origin: location.origin } : { redirect_uri: request.landingPage }),
  })
  return data
}

type Begun = ServiceAccess & { readonly provider: string }

/**
 * Turns an outcome into a connector. Only the user who started may, and only with the code of the browser that finished.
 *
 * Throws `ConnectError`.
 */
export async function finish(begun: Begun, sessionId: string, outcome: Outcome): Promise<Connected> {
  if (outcome.status === 'awaiting_completion' && outcome.completionCode !== undefined) {
    const path = `/${encodeURIComponent(begun.provider)}/complete`
    const body = { session_id: sessionId, completion_code: outcome.completionCode }
    const completed = await call<Completed>(begun, 'POST', path, body)
    return { connectorId: completed.connector_id, provider: completed.provider }
  }
  const status = await statusOf(begun, sessionId)
  if (status.status === 'connected' && status.connector_id !== null) {
    return { connectorId: status.connector_id, provider: begun.provider }
  }
  throw describe(status)
}

/** How far a session has come. Looking completes nothing. */
export async function statusOf(access: ServiceAccess, sessionId: string): Promise<SessionStatus> {
  return (await call<{ data: SessionStatus }>(access, 'GET', `/sessions/${encodeURIComponent(sessionId)}`)).data
}

function describe({ status, error_code: code }: SessionStatus): ConnectError {
  if (status !== 'failed') return new ConnectError('expired', 'The connection took too long; start it again.')
  if (code === 'access_denied') return failureOf(code, 'Access was not granted.')
  return failureOf(code ?? 'provider_error', 'The account was not connected.')
}
