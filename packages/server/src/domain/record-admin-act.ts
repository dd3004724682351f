import { addAuditEntry, type NewAuditEntry } from '../store/audit.ts'
import type { Db } from '../store/database.ts'
import type { Context } from './context.ts'
import type { Principal } from './principal.ts'

type AdminAct = Pick<NewAuditEntry, 'action' | 'resourceType' | 'resourceId' | 'metadata'> &
  Partial<Pick<NewAuditEntry, 'place'>>

/** Records, in the act's transaction, what somebody changed that is no event. `metadata` says which fields, never a secret. */
export async function recordAdminAct(
  context: Pick<Context, 'clock'>,
  db: Db,
  principal: Principal,
  act: AdminAct,
): Promise<void> {
  const metadata = { ...act.metadata, issuer: principal.issuer }
  const entry = { ...act, place: act.place, actorId: principal.subject, metadata }
  await addAuditEntry(db, principal.tenantId, entry, context.clock.now())
}
