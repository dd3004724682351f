import { compactVerify, decodeProtectedHeader, errors, type CryptoKey } from 'jose'
import type { Secret } from '../core/secret.ts'
import type { ProviderClient } from '../core/token.ts'
import { type IdTokenExpectation, faultOf } from './id-token-claims.ts'
import { jsonObject } from './json-path.ts'
import { createKeySets } from './key-sets.ts'
import type { ProtocolContext } from './protocol-context.ts'

/** What came of verifying an ID token; `fault` names the claim or part, never its value. */
export type IdTokenVerdict =
  | { readonly kind: 'verified'; readonly claims: Readonly<Record<string, unknown>> }
  /** Not a JWT at all, from a provider of which nothing says that it speaks OpenID Connect. */
  | { readonly kind: 'ignored' }
  | { readonly kind: 'refused'; readonly fault: string }
  /** The claims are right; the signature could not be checked. */
  | { readonly kind: 'keys-unavailable' }

// Asymmetric only: a symmetric one would make every provider app's secret a signing key, and `none` is no signature.
const signingAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]
const maxCandidateKeys = 10
/** For the metadata and the keys together, which may take several requests. */
const keysDeadlineMs = 5_000

/**
 * Verifies an ID token from the token endpoint (OIDC Core §3.1.3.7, RFC 8725).
 *
 * The signature is checked whenever the provider's issuer or keys are known. Only where neither is known do the claims rest on
 * TLS to the token endpoint alone, which §3.1.3.7 (6) allows; `alg: none` is refused even then. Keys that take longer than
 * 5 seconds count as out of reach.
 */
export async function verifyIdToken(
  context: ProtocolContext,
  client: ProviderClient,
  idToken: Secret,
  expected: IdTokenExpectation,
): Promise<IdTokenVerdict> {
  const { issuer, jwksUri } = client.endpoints
  const hasKeys = jwksUri !== undefined || issuer !== undefined
  const parts = readParts(idToken)
  if (parts === undefined) return hasKeys ? { kind: 'refused', fault: 'malformed' } : { kind: 'ignored' }
  if (parts.alg.toLowerCase() === 'none') return { kind: 'refused', fault: 'alg' }
  const fault = faultOf(client, parts.claims, expected, context.clock.now())
  if (fault !== undefined) return { kind: 'refused', fault }
  if (!hasKeys) return { kind: 'verified', claims: parts.claims }

  const promised = client.definition.id_token_signing_alg_values_supported
  const algorithms = signingAlgorithms.filter((alg) => promised === undefined || promised.includes(alg))
  if (!algorithms.includes(parts.alg)) return { kind: 'refused', fault: 'alg' }
  const keySets = context.keySets ?? createKeySets(context)
  const late = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => late.resolve(undefined), keysDeadlineMs)
  try {
    for (const which of ['known', 'unknownKey'] as const) {
      const keys = await Promise.race([keySets.read({ jwksUri, issuer }, which), late.promise])
      if (keys === undefined) return { kind: 'keys-unavailable' }
      const finding = await checkSignature(idToken, keys, algorithms)
      if (finding === 'good') return { kind: 'verified', claims: parts.claims }
      if (finding === 'bad') break
    }
    return { kind: 'refused', fault: 'signature' }
  } finally {
    clearTimeout(timer)
  }
}

function readParts(idToken: Secret): { alg: string; claims: Readonly<Record<string, unknown>> } | undefined {
  const text = idToken.reveal()
  const payload = /^[\w-]+\.([\w-]+)\.[\w-]*$/.exec(text)?.[1]
  if (payload === undefined) return undefined
  try {
    const { alg } = decodeProtectedHeader(text)
    const claims = jsonObject(Buffer.from(payload, 'base64url'))
    return typeof alg === 'string' && claims !== undefined ? { alg, claims } : undefined
  } catch {
    return undefined
  }
}

/** `no-key`: none in the set fits, so a newer set may have it. */
async function checkSignature(
  idToken: Secret,
  keys: Parameters<typeof compactVerify>[1] & object,
  algorithms: string[],
): Promise<'good' | 'bad' | 'no-key'> {
  if (typeof keys !== 'function') return 'bad'
  try {
    await compactVerify(idToken.reveal(), keys, { algorithms })
    return 'good'
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return 'no-key'
    // Without a `kid` a failed check may mean that the one key was replaced.
    if (error instanceof errors.JWSSignatureVerificationFailed) return hasKeyId(idToken) ? 'bad' : 'no-key'
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) return 'bad'
    return (await anyKeyFits(idToken, error, algorithms)) ? 'good' : 'no-key'
  }
}

function hasKeyId(idToken: Secret): boolean {
  return decodeProtectedHeader(idToken.reveal()).kid !== undefined
}

/** A token without `kid` may be signed by any of the keys that suit its algorithm. */
async function anyKeyFits(idToken: Secret, keys: AsyncIterable<CryptoKey>, algorithms: string[]): Promise<boolean> {
  let tried = 0
  for await (const key of keys) {
    if (++tried > maxCandidateKeys) return false
    const isGood = await compactVerify(idToken.reveal(), key, { algorithms }).then(
      () => true,
      () => false,
    )
    if (isGood) return true
  }
  return false
}
