import assert from 'node:assert/strict'
import { createSecretKey, randomBytes, webcrypto } from 'node:crypto'
import { describe, it } from 'node:test'
import { decrypt, encrypt } from '../../src/vault/aead.ts'

/** Web Cryptography is another implementation's interface: text ‖ tag, and the nonce apart. */
async function importKey(bytes: Uint8Array) {
  return webcrypto.subtle.importKey('raw', Buffer.from(bytes), 'AES-GCM', false, ['encrypt', 'decrypt'])
}

function algorithm(nonce: Uint8Array, associated: Uint8Array) {
  return { name: 'AES-GCM', iv: Buffer.from(nonce), additionalData: Buffer.from(associated), tagLength: 128 }
}

const lengths = [0, 1, 15, 16, 17, 64, 1500]

describe('AES-256-GCM', () => {
  for (const length of lengths) {
    it(`opens what Web Cryptography sealed, and the other way round, at ${length} bytes`, async () => {
      const bytes = randomBytes(32)
      const key = createSecretKey(bytes)
      const other = await importKey(bytes)
      const plaintext = randomBytes(length)
      const associated = randomBytes(length % 40)
      const nonce = randomBytes(12)
      const theirs = await webcrypto.subtle.encrypt(algorithm(nonce, associated), other, plaintext)
      assert.deepEqual(decrypt(key, Buffer.concat([nonce, Buffer.from(theirs)]), associated), plaintext)
      const ours = encrypt(key, plaintext, associated)
      const opened = await webcrypto.subtle.decrypt(
        algorithm(ours.subarray(0, 12), associated),
        other,
        ours.subarray(12),
      )
      assert.deepEqual(Buffer.from(opened), plaintext)
    })
  }

  it('agrees with the published vectors for a key of zeros (GCM specification, test cases 13 and 14)', () => {
    const key = createSecretKey(Buffer.alloc(32))
    const none = Buffer.alloc(0)
    const nonce = Buffer.alloc(12)
    const tag13 = Buffer.from('530f8afbc74536b9a963b4f1c4cb738b', 'hex')
    assert.deepEqual(decrypt(key, Buffer.concat([nonce, tag13]), none), none)
    const text14 = Buffer.from('cea7403d4d606b6e074ec5d3baf39d18', 'hex')
    const tag14 = Buffer.from('d0d1c8a799996bf0265b98b5d48ab919', 'hex')
    assert.deepEqual(decrypt(key, Buffer.concat([nonce, text14, tag14]), none), Buffer.alloc(16))
  })

  it('never uses a nonce twice', () => {
    const key = createSecretKey(randomBytes(32))
    const nonces = Array.from({ length: 2_000 }, () =>
      encrypt(key, Buffer.alloc(1), Buffer.alloc(0)).subarray(0, 12).toString('hex'),
    )
    assert.equal(new Set(nonces).size, nonces.length)
  })

  it('refuses a tag that was cut short', () => {
    const key = createSecretKey(randomBytes(32))
    const sealed = encrypt(key, Buffer.from('plaintext'), Buffer.alloc(0))
    for (let bytes = 1; bytes <= sealed.length; bytes += 1) {
      assert.throws(() => decrypt(key, sealed.subarray(0, sealed.length - bytes), Buffer.alloc(0)))
    }
  })
})
