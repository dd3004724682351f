import type { TransactionId } from '../core/ids.ts'
import { findAudience } from '../store/find-transactions.ts'
import type { Audience } from './callback.ts'
import type { Context } from './context.ts'

/** Whom the closing page may tell; `undefined` when the session is unknown. Says nothing of who or what is connected. */
export async function readFinishedPage(
  context: Pick<Context, 'database'>,
  id: TransactionId,
): Promise<Audience | undefined> {
  const found = await findAudience(context.database.system, id)
  return found && { sessionId: id, origin: found.origin ?? undefined }
}
