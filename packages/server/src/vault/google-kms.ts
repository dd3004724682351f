import type { KeyManagementServiceClient } from '@google-cloud/kms'
import { crc32c } from './crc32c.ts'
import { asBytes, type KeyEncryptionKey } from './key-encryption-key.ts'
import { callKeyService, type KeyServiceFailure } from './key-service-call.ts'

/** A symmetric key in Google Cloud KMS. */
export interface GoogleKmsKey {
  readonly id: string
  /** `projects/…/locations/…/keyRings/…/cryptoKeys/…`. */
  readonly name: string
}

type ClientOptions = ConstructorParameters<typeof KeyManagementServiceClient>[0]

/** Canonical status codes of Google's APIs. */
const codes = {
  invalidArgument: 3,
  deadlineExceeded: 4,
  resourceExhausted: 8,
  aborted: 10,
  internal: 13,
  unavailable: 14,
}
const passing: readonly number[] = [
  codes.deadlineExceeded,
  codes.resourceExhausted,
  codes.aborted,
  codes.internal,
  codes.unavailable,
]

/** Bytes changed on the way; worth another try. */
class Damaged extends Error {}

/**
 * Wraps and unwraps with the binding as additional authenticated data, and checks every transfer by CRC-32C as Google
 * asks of its callers. Speaks REST, which is the smaller half of the library. `options` go to the library, whose
 * credentials come from its usual sources.
 */
export function googleKmsKey(key: GoogleKmsKey, options: ClientOptions = {}): KeyEncryptionKey {
  let client: Promise<KeyManagementServiceClient> | undefined
  const open = async (): Promise<KeyManagementServiceClient> => {
    const { KeyManagementServiceClient } = await import('@google-cloud/kms')
    return new KeyManagementServiceClient({ fallback: true, ...options })
  }
  const opened = (): Promise<KeyManagementServiceClient> => (client ??= open())
  // The bounded retries are `callKeyService`'s.
  const limits = (timeout: number) => ({ timeout, retry: { retryCodes: [] } })

  return {
    id: key.id,
    wrap: (dataKey, binding) =>
      callKeyService(
        key.id,
        async (_signal, leftMs) => {
          const associated = asBytes(binding)
          const request = {
            name: key.name,
            plaintext: dataKey,
            plaintextCrc32c: { value: crc32c(dataKey) },
            additionalAuthenticatedData: associated,
            additionalAuthenticatedDataCrc32c: { value: crc32c(associated) },
          }
          const [reply] = await (await opened()).encrypt(request, limits(leftMs))
          const wasWhole =
            reply.verifiedPlaintextCrc32c === true && reply.verifiedAdditionalAuthenticatedDataCrc32c === true
          if (!wasWhole) throw new Damaged()
          return checked(reply.ciphertext, reply.ciphertextCrc32c?.value)
        },
        judge,
      ),
    unwrap: (wrapped, binding) =>
      callKeyService(
        key.id,
        async (_signal, leftMs) => {
          const associated = asBytes(binding)
          const request = {
            name: key.name,
            ciphertext: wrapped,
            ciphertextCrc32c: { value: crc32c(wrapped) },
            additionalAuthenticatedData: associated,
            additionalAuthenticatedDataCrc32c: { value: crc32c(associated) },
          }
          const [reply] = await (await opened()).decrypt(request, limits(leftMs))
          return checked(reply.plaintext, reply.plaintextCrc32c?.value)
        },
        judge,
      ),
  }
}

/** The library gives bytes as such or in Base64, and 64-bit numbers in three forms. */
function checked(
  given: Uint8Array | string | null | undefined,
  sum: { toString(): string } | string | number | null | undefined,
): Buffer {
  const bytes = typeof given === 'string' ? Buffer.from(given, 'base64') : Buffer.from(given ?? [])
  if (bytes.length === 0 || Number(String(sum ?? '')) !== crc32c(bytes)) throw new Damaged()
  return bytes
}

function judge(error: unknown): KeyServiceFailure {
  if (error instanceof Damaged) return { kind: 'again', reason: 'bytes were damaged on the way' }
  const code = error instanceof Error && 'code' in error ? Number(error.code) : Number.NaN
  if (code === codes.invalidArgument) return { kind: 'altered' }
  if (Number.isNaN(code)) return { kind: 'again', reason: 'no answer' }
  return { kind: passing.includes(code) ? 'again' : 'refused', reason: `status code ${code}` }
}
