import { signToken } from '@connector-oauth/node'
import type { Tenant, User } from './people.ts'

/** Signs what the connector service takes for this platform's users and for its own backend. */
export interface Tokens {
  /** For the user's browser: it may connect, in the user's own place, and see how far that is. */
  forBrowser(user: User): string
  /** For this backend, on the user's behalf. */
  forUser(user: User): string
  /** For setting up a tenant. */
  forSetUp(tenant: Tenant): string
}

/** `secret` is the service's `AUTH_JWT_SECRET`; with `AUTH_JWKS_URL` this would be a private key instead. */
export function createTokens(secret: string): Tokens {
  const forPerson = ({ id, tenant, collectionId }: User, scope: readonly string[]) =>
    signToken({
      secret,
      subject: id,
      tenantId: tenant.id,
      scope,
      spaces: [tenant.spaceId],
      collections: [collectionId],
    })
  return {
    forBrowser: (user) => forPerson(user, ['connectors:connect', 'connectors:read']),
    forUser: (user) => forPerson(user, ['connectors:read', 'connectors:use', 'connectors:manage']),
    forSetUp: ({ id }) => signToken({ secret, subject: 'example-backend', tenantId: id, scope: ['connectors:admin'] }),
  }
}
