import { createHash, randomBytes } from 'node:crypto'
import type { SpaceId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'
import { addAuditEntry } from '../store/audit.ts'
import { holdUpConnecting } from '../store/connecting.ts'
import { storeAnswer, takeIdempotencyKey } from '../store/idempotency-keys.ts'
import { addMassRevocation } from '../store/mass-revocations.ts'
import type { Context } from './context.ts'
import { viewMassRevocation, type MassRevocationView } from './mass-revocations.ts'
import { requireRight, type Principal } from './principal.ts'

/** What an order means: all parts must fit, and an absent one narrows nothing. */
export interface MassRevocationRequest {
  readonly providerSlug: string | undefined
  readonly spaceId: SpaceId | undefined
  readonly connectedBefore: Date | undefined
  readonly connectedAfter: Date | undefined
  readonly principalId: string | undefined
  readonly idempotencyKey: string | undefined
}

/**
 * Orders the disconnection of every connector of the tenant that fits and was connected before now; workers begin at
 * once. Authorizations under way that fit can no longer be completed.
 *
 * A token whose claims reach some spaces only must order for one of these; one that reaches some collections only cannot
 * order at all, since a filter names none. Throws 403 `space_forbidden` and 409 `idempotency_conflict`.
 */
export async function orderMassRevocation(
  context: Pick<Context, 'database' | 'clock' | 'wakeUp'>,
  principal: Principal,
  request: MassRevocationRequest,
): Promise<MassRevocationView> {
  requireRight(principal, 'connectors:admin')
  const { tenantId, spaces, collections } = principal
  const isReached = spaces === undefined || (request.spaceId !== undefined && spaces.has(request.spaceId))
  if (!isReached || collections !== undefined) throw new Problem('space_forbidden')
  return context.database.transaction(tenantId, async (db) => {
    const { issuer, subject } = principal
    const key = request.idempotencyKey
    const scope = key === undefined ? undefined : { tenantId, issuer, subject, key }
    const requestDigest = digestRequest(request)
    const earlier = scope && (await takeIdempotencyKey(db, scope))
    if (earlier !== undefined) {
      if (!earlier.requestDigest.equals(requestDigest)) throw new Problem('idempotency_conflict')
      // Stored below, so it is an order's view.
      return earlier.body as MassRevocationView
    }
    // What was begun before is visible now, and what comes later has a later time.
    await holdUpConnecting(db, tenantId)
    const now = context.clock.now()
    const order = await addMassRevocation(db, tenantId, {
      id: `mrev_${randomBytes(16).toString('base64url')}`,
      actorId: subject,
      provider_slug: request.providerSlug ?? null,
      space_id: request.spaceId ?? null,
      connected_before: request.connectedBefore ?? null,
      connected_after: request.connectedAfter ?? null,
      principal_id: request.principalId ?? null,
      created_at: now,
    })
    const view = viewMassRevocation(order, [])
    await addAuditEntry(
      db,
      tenantId,
      {
        action: 'mass_revocation.ordered',
        actorId: subject,
        resourceType: 'mass_revocation',
        resourceId: view.id,
        place: undefined,
        metadata: { filter: view.filter, matched: order.matched },
      },
      now,
    )
    if (scope !== undefined) await storeAnswer(db, scope, { requestDigest, status: 202, body: view }, now)
    await context.wakeUp.wake(db, 'mass-revoke')
    return view
  })
}

function digestRequest(request: MassRevocationRequest): Buffer {
  const { providerSlug, spaceId, connectedBefore, connectedAfter, principalId } = request
  const parts = ['mass-revocation', providerSlug, spaceId, connectedBefore, connectedAfter, principalId]
  return createHash('sha256')
    .update(JSON.stringify(parts.map((part) => part ?? null)))
    .digest()
}
