import type { TransactionId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import { findTransaction, type Transaction } from '../store/find-transactions.ts'
import { factsOfConnected, type ConnectedFacts } from './connected-facts.ts'
import type { Context } from './context.ts'
import { isSamePrincipal, requireRight, type Principal } from './principal.ts'

export interface SessionStatus {
  readonly status: 'created' | 'started' | 'awaiting_completion' | 'connected' | 'failed' | 'expired'
  readonly errorCode: string | undefined
  readonly connectorId: string | undefined
}

/** How far a session has come. Reading never completes anything; others' sessions are unknown (404). */
export async function readSession(
  context: Pick<Context, 'database' | 'clock'>,
  principal: Principal,
  id: TransactionId,
): Promise<SessionStatus & { readonly facts: ConnectedFacts | undefined }> {
  requireRight(principal, 'connectors:connect')
  const db = context.database.tenant(principal.tenantId)
  const transaction = await findTransaction(db, principal.tenantId, id)
  if (transaction === undefined || !isSamePrincipal(principal, transaction)) throw new Problem('session_unknown')
  const status = statusOf(transaction, context.clock.now())
  const connectorId = status === 'connected' ? transaction.connector_id : undefined
  return {
    status,
    errorCode: status === 'failed' ? (transaction.error_code ?? undefined) : undefined,
    connectorId,
    facts: await factsOfConnected(db, principal, connectorId),
  }
}

/** The status that callers see of a transaction. */
export function statusOf(transaction: Transaction, now: Date): SessionStatus['status'] {
  const isOver = transaction.expires_at <= now
  switch (transaction.status) {
    case 'connected':
    case 'failed':
      return transaction.status
    case 'parked': {
      const waits = transaction.completion_expires_at !== null && transaction.completion_expires_at > now
      return waits && !isOver ? 'awaiting_completion' : 'expired'
    }
    case 'exchanging':
      return isOver ? 'expired' : 'awaiting_completion'
    default:
      return isOver ? 'expired' : transaction.status === 'created' ? 'created' : 'started'
  }
}
