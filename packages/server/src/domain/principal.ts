import type { CollectionId, SpaceId, TenantId } from '../core/ids.ts'
import { Problem } from '../core/problem.ts'

/** What a bearer token may allow; see the contract's list of rights. */
export const rights = [
  'connectors:connect',
  'connectors:read',
  'connectors:use',
  'connectors:token',
  'connectors:manage',
  'connectors:admin',
] as const
export type Right = (typeof rights)[number]

/** The user or service behind a request: (`iss`, `sub`) in one tenant, and what it may do. */
export interface Principal {
  readonly tenantId: TenantId
  /** Empty when the token names no issuer. */
  readonly issuer: string
  readonly subject: string
  readonly rights: ReadonlySet<string>
  /** Absent: every space of the tenant. */
  readonly spaces: ReadonlySet<string> | undefined
  readonly collections: ReadonlySet<string> | undefined
  /** When the bearer token ends. */
  readonly expiresAt: Date
}

/** Throws 403 `missing_right`. */
export function requireRight(principal: Principal, right: Right): void {
  if (principal.rights.has(right)) return
  throw new Problem('missing_right', {
    detail: `The bearer token lacks the right ${right}; ask for a token whose scope carries it.`,
  })
}

/** Throws 403 `space_forbidden` when the token's `spaces` or `collections` claim leaves this place out. */
export function requireReach(principal: Principal, spaceId: SpaceId, collectionId: CollectionId): void {
  const reachesSpace = principal.spaces?.has(spaceId) ?? true
  const reachesCollection = principal.collections?.has(collectionId) ?? true
  if (!reachesSpace || !reachesCollection) throw new Problem('space_forbidden')
}

/** Users are told apart by issuer and subject together, never by an e-mail address (OIDC Core §5.7). */
export function isSamePrincipal(
  principal: Principal,
  other: { readonly tenant_id: string; readonly principal_issuer: string; readonly principal_subject: string },
): boolean {
  return (
    principal.tenantId === other.tenant_id &&
    principal.issuer === other.principal_issuer &&
    principal.subject === other.principal_subject
  )
}
