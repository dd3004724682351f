import type { Transaction } from '../store/find-transactions.ts'
import { tenantId } from '../core/ids.ts'
import type { Place } from '../vault/place.ts'

/** The place of a transaction's sealed field. */
export function transactionPlace(
  transaction: Pick<Transaction, 'tenant_id' | 'space_id' | 'collection_id' | 'transaction_id'>,
  field: 'verifier' | 'nonce' | 'code' | 'caller_context',
): Place {
  return {
    purpose: 'transaction',
    tenantId: tenantId(transaction.tenant_id),
    spaceId: transaction.space_id,
    collectionId: transaction.collection_id,
    subjectId: transaction.transaction_id,
    field,
  }
}
