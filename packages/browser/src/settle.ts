import { call, type ServiceAccess } from './api.ts'
import type { Begun } from './begin.ts'
import { ConnectError, endedWith } from './connect-error.ts'
import type { Outcome, Via } from './outcome.ts'

/** A connection that came about. */
export interface Connected {
  readonly connectorId: string
  readonly provider: string
  /** Whose account it is at the provider, where that is known. Show it: a wrong one is noticed only by its name. */
  readonly account: { readonly id: string | undefined; readonly name: string | undefined }
  readonly grantedScopes: readonly string[]
  /** What was asked for and not granted. To ask again, make the same request with this `connectorId`. */
  readonly missingScopes: readonly string[]
  /** Which rung of the ladder finished it. */
  readonly via: Via
}

/** How far a session has come, as the service says. */
export interface Status {
  readonly status: 'created' | 'started' | 'awaiting_completion' | 'connected' | 'failed' | 'expired'
  readonly error_code: string | null
  readonly connector_id: string | null
  readonly provider_slug?: string | null
  readonly account?: { readonly id: string | null; readonly name: string | null }
  readonly scopes?: { readonly granted: readonly string[]; readonly missing: readonly string[] }
}

/** An outcome, and how it came. */
export interface Heard {
  readonly outcome: Outcome
  readonly via: Via
}

export type Waited = Pick<Begun, 'id' | 'isHosted' | 'provider'>

/** How far it has come. Looking completes nothing. Throws `ConnectError`. */
export async function readStatus(access: ServiceAccess, { id, isHosted }: Waited): Promise<Status> {
  const path = isHosted ? '/v1/connect-sessions/' : '/v1/connectors/oauth/sessions/'
  return (await call<{ data: Status }>(access, 'GET', path + encodeURIComponent(id))).data
}

/**
 * Completes with the code of the browser that finished; only the user who started may. `false` when the code is of no use,
 * or no longer. What came about the status tells.
 *
 * Throws `ConnectError`; after `network` it may be tried again, since a reply may be lost and a code works once.
 */
export async function complete(access: ServiceAccess, waited: Waited, { outcome }: Heard): Promise<boolean> {
  const provider = waited.provider ?? outcome.provider
  if (provider === undefined || outcome.completionCode === undefined) return false
  try {
    const path = `/v1/connectors/oauth/${encodeURIComponent(provider)}/complete`
    const body = {
      session_id: outcome.sessionId,
      connect_session_id: outcome.connectSessionId,
      completion_code: outcome.completionCode,
    }
    await call(access, 'POST', path, body)
    return true
  } catch (error) {
    if (error instanceof ConnectError && isUseless(error.code)) return false
    throw error
  }
}

/** Somebody was first, or the code is none of this session's. */
function isUseless(code: string | undefined): boolean {
  return code === 'completion_code_invalid' || code === 'completion_not_expected' || code === 'invalid_state'
}

/** The connector, once the service says so; throws how it ended; `undefined` while it is under way. */
export function judge(
  status: Status,
  waited: Waited,
  { via, isGone }: { readonly via: Via; readonly isGone: boolean },
): Connected | undefined {
  switch (status.status) {
    case 'connected': {
      const { connector_id: connectorId, account, scopes } = status
      if (connectorId === null) return undefined
      return {
        connectorId,
        provider: waited.provider ?? status.provider_slug ?? '',
        account: { id: account?.id ?? undefined, name: account?.name ?? undefined },
        grantedScopes: scopes?.granted ?? [],
        missingScopes: scopes?.missing ?? [],
        via,
      }
    }
    case 'failed':
      throw endedWith(status.error_code)
    case 'expired':
      throw new ConnectError('expired', 'The connection took too long; start it again.')
    case 'awaiting_completion':
      return undefined
    case 'created':
    case 'started':
      if (!isGone) return undefined
      // On the Connect page an attempt had failed, and was not followed by another.
      if (status.error_code !== null) throw endedWith(status.error_code)
      throw new ConnectError('closed', 'The window was closed before the account was connected.')
  }
}
