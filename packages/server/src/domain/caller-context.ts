import { Secret } from '../core/secret.ts'

/** What an event seals: the caller's context, and the issuer that tells its user from a namesake. */
interface CallerContext {
  readonly callerContext: string
  readonly issuer: string
}

/** The text to seal. */
export function writeCallerContext(callerContext: Secret, issuer: string): Secret {
  const content: CallerContext = { callerContext: callerContext.reveal(), issuer }
  return new Secret(JSON.stringify(content))
}

/** Reads what `writeCallerContext` wrote. */
export function readCallerContext(opened: Secret): CallerContext {
  // It was sealed, so it is what stands above.
  return JSON.parse(opened.reveal()) as CallerContext
}
