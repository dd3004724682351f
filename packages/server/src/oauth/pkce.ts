import { createHash, randomBytes } from 'node:crypto'
import { Secret } from '../core/secret.ts'

/** A fresh code verifier: 256 random bits as 43 unreserved characters (RFC 7636 §4.1). */
export function createVerifier(): Secret {
  return new Secret(randomBytes(32).toString('base64url'))
}

/** The `S256` code challenge of a verifier (RFC 7636 §4.2). `plain` is not offered (RFC 9700 §2.1.1). */
export function s256Challenge(verifier: Secret): string {
  return createHash('sha256').update(verifier.reveal(), 'ascii').digest('base64url')
}
