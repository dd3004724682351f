import type { Context } from './context.ts'

/** A change of a connector's state that an operator may want to see beside the requests around it. */
type Change =
  | 'connected'
  | 'reconnected'
  | 'recovered'
  | 'degraded'
  | 'reauth_required'
  | 'disconnected'
  | 'revoked'
  | 'revocation_failed'

/**
 * Writes the line of a change, to be called after its transaction: what was rolled back never happened. A refresh that
 * failed has its own line, which says the state it led to.
 */
export function logChange(
  context: Pick<Context, 'log'>,
  connector: { readonly tenant_id: string; readonly connector_id: string },
  change: Change,
  reason?: string,
): void {
  const { tenant_id, connector_id } = connector
  context.log.info({ tenant_id, connector_id, change, reason }, 'a connector changed')
}
