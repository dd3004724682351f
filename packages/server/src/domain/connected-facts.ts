import { connectorId } from '../core/ids.ts'
import { findConnector } from '../store/connectors.ts'
import type { Db } from '../store/database.ts'
import { viewConnector, type ConnectorView } from './connector-view.ts'
import { isSamePrincipal, type Principal } from './principal.ts'

/** Which account a session has connected, and with what access, for the page that shows it to the user. */
export type ConnectedFacts = Pick<ConnectorView, 'account' | 'scopes'>

/**
 * The facts as they are now, for whoever connected the connector last; `undefined` to everybody else. The right to connect
 * is not the right to read what others have connected since.
 */
export async function factsOfConnected(
  db: Db,
  principal: Principal,
  id: string | undefined,
): Promise<ConnectedFacts | undefined> {
  if (id === undefined) return undefined
  const row = await findConnector(db, principal.tenantId, connectorId(id))
  if (row === undefined || !isSamePrincipal(principal, row)) return undefined
  const { account, scopes } = viewConnector(row)
  return { account, scopes }
}
