import { Secret } from '../core/secret.ts'
import type { Principal } from './principal.ts'

/** What an event keeps sealed: the caller's context, and the issuer that tells its user from a namesake. */
export function writeCallerContext(callerContext: Secret, issuer: string): Secret {
  return new Secret(JSON.stringify({ callerContext: callerContext.reveal(), issuer }))
}

/**
 * The caller's context for the user it came from and for administrators; others of the tenant have no business with it,
 * nor has a user of the same name at another issuer.
 */
export function readCallerContext(
  opened: Secret,
  actorId: string | null,
  principal: Pick<Principal, 'issuer' | 'subject' | 'rights'>,
): string | undefined {
  // Sealed, so it is what was written above.
  const { callerContext, issuer } = JSON.parse(opened.reveal()) as { callerContext: string; issuer: string }
  const isActor = actorId === principal.subject && issuer === principal.issuer
  return isActor || principal.rights.has('connectors:admin') ? callerContext : undefined
}
