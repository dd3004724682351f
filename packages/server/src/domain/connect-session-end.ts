import { connectorId, connectSessionId, tenantId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import { endByConnecting, findConnectSession } from '../store/connect-sessions.ts'
import type { Db } from '../store/database.ts'
import type { Transaction } from '../store/find-transactions.ts'

type Attempt = Pick<Transaction, 'tenant_id' | 'connect_session_id' | 'connector_id'>

/**
 * Throws 409 `connect_session_ended` for an attempt whose connect session has ended, before its code is spent.
 *
 * One session brings one connector: of two windows that were left open, the second to consent would add another that nobody
 * asked for.
 */
export async function requireOpenForConnecting(db: Db, attempt: Attempt): Promise<void> {
  if (attempt.connect_session_id === null) return
  const session = await findConnectSession(
    db,
    tenantId(attempt.tenant_id),
    connectSessionId(attempt.connect_session_id),
  )
  const connected = session?.connected_connector_id ?? attempt.connector_id
  if (session?.cancelled_at === null && connected === attempt.connector_id) return
  throw new Problem('connect_session_ended')
}

/** Ends the connect session, if there is one, by its connector. Throws 409 `connect_session_ended` when another was first. */
export async function endConnectSession(db: Db, attempt: Attempt, now: Date): Promise<void> {
  if (attempt.connect_session_id === null) return
  const id = connectSessionId(attempt.connect_session_id)
  const end = { now, connectorId: connectorId(attempt.connector_id) }
  if (!(await endByConnecting(db, tenantId(attempt.tenant_id), id, end))) throw new Problem('connect_session_ended')
}
