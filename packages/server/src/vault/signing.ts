import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import { Secret } from '../core/secret.ts'

/** An Ed25519 key pair (RFC 8032). */
export interface SigningKey {
  /** SubjectPublicKeyInfo in Base64. */
  readonly publicKey: string
  /** PKCS #8 in Base64, to be sealed. */
  readonly privateKey: Secret
}

export function createSigningKey(): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519', {
    publicKeyEncoding: { format: 'der', type: 'spki' },
    privateKeyEncoding: { format: 'der', type: 'pkcs8' },
  })
  const pair = { publicKey: publicKey.toString('base64'), privateKey: new Secret(privateKey.toString('base64')) }
  privateKey.fill(0)
  return pair
}

/** Signs with an opened private key; the signature is base64url. */
export function signWith(privateKey: Secret, bytes: Uint8Array): string {
  const key = createPrivateKey({ key: Buffer.from(privateKey.reveal(), 'base64'), format: 'der', type: 'pkcs8' })
  return sign(null, bytes, key).toString('base64url')
}
