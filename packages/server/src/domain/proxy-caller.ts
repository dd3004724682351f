import type { TenantId } from '../core/ids.ts'
import type { ConnectorPlaceRequest } from './connectors.ts'
import type { Context } from './context.ts'
import { requireLeased, spendLease, type FoundLease, type LeasedCall } from './open-lease.ts'
import { requireReach, requireRight, type Principal } from './principal.ts'

/** Who calls through the proxy: somebody with rights of its own, or the holder of a lease with its limits. */
export type ProxyCaller =
  | { readonly kind: 'principal'; readonly principal: Principal }
  | { readonly kind: 'lease'; readonly found: FoundLease }

/** Whose call it is on the record. */
export interface ProxyActor {
  readonly tenantId: TenantId
  readonly actorId: string
  /** Anybody else gets the provider's answers with the token blotted out, and none in which it could not be found. */
  readonly mayReadToken: boolean
  readonly leaseId: string | undefined
  /** When the bearer or the lease ends. */
  readonly endsAt: Date
}

/** Throws 401 and 403 before anything is looked up or asked of a provider. */
export async function admitCaller(
  context: Pick<Context, 'meter' | 'activity'>,
  caller: ProxyCaller,
  place: ConnectorPlaceRequest,
  call: LeasedCall,
): Promise<ProxyActor> {
  if (caller.kind === 'lease') {
    const { found } = caller
    await requireLeased(context, found, place, call)
    const { lease_id: leaseId, expires_at: endsAt } = found.lease
    return { tenantId: found.tenantId, actorId: leaseId, mayReadToken: false, leaseId, endsAt }
  }
  const { principal } = caller
  requireRight(principal, 'connectors:use')
  requireReach(principal, place.spaceId, place.collectionId)
  return {
    tenantId: principal.tenantId,
    actorId: principal.subject,
    mayReadToken: principal.rights.has('connectors:token'),
    leaseId: undefined,
    endsAt: principal.expiresAt,
  }
}

/** The last step before a call is sent: a lease pays for it. */
export async function chargeCaller(
  context: Pick<Context, 'database' | 'clock' | 'meter'>,
  caller: ProxyCaller,
): Promise<void> {
  if (caller.kind === 'lease') await spendLease(context, caller.found)
}
