import type { KMSClient, KMSClientConfig } from '@aws-sdk/client-kms'
import type { Binding, KeyEncryptionKey } from './key-encryption-key.ts'
import { callKeyService, plainWord, type KeyServiceFailure } from './key-service-call.ts'

/** A symmetric key in AWS KMS. */
export interface AwsKmsKey {
  readonly id: string
  /** ARN, key id or alias. */
  readonly name: string
  /** Otherwise taken from the ARN, or the library's own sources. */
  readonly region: string | undefined
}

/** Another try may help with these; what else the service names, an operator must look at. */
const passing = new Set([
  'DependencyTimeoutException',
  'KMSInternalException',
  'KeyUnavailableException',
  'LimitExceededException',
  'ThrottlingException',
  'TimeoutError',
])
const altered = new Set(['InvalidCiphertextException', 'IncorrectKeyException'])

/**
 * Wraps with `Encrypt` and unwraps with `Decrypt`. The encryption context, which AWS logs, holds tenant, epoch and the
 * key's id here. `options` go to the library, whose credentials come from its usual sources.
 */
export function awsKmsKey(key: AwsKmsKey, options: KMSClientConfig = {}): KeyEncryptionKey {
  let client: Promise<KMSClient> | undefined
  const open = async (): Promise<KMSClient> => {
    const { KMSClient } = await import('@aws-sdk/client-kms')
    const region = key.region ?? /^arn:[^:]*:kms:([^:]+):/.exec(key.name)?.[1]
    // One attempt each: the bounded retries are `callKeyService`'s.
    return new KMSClient({ maxAttempts: 1, ...(region !== undefined && { region }), ...options })
  }
  const opened = (): Promise<KMSClient> => (client ??= open())

  return {
    id: key.id,
    wrap: (dataKey, binding) =>
      callKeyService(
        key.id,
        async (abortSignal) => {
          const { EncryptCommand } = await import('@aws-sdk/client-kms')
          const command = new EncryptCommand({
            KeyId: key.name,
            Plaintext: dataKey,
            EncryptionContext: contextOf(binding),
          })
          const { CiphertextBlob } = await (await opened()).send(command, { abortSignal })
          return whole(CiphertextBlob)
        },
        judge,
      ),
    unwrap: (wrapped, binding) =>
      callKeyService(
        key.id,
        async (abortSignal) => {
          const { DecryptCommand } = await import('@aws-sdk/client-kms')
          // The key is named, so that bytes wrapped by another key of the account are refused.
          const command = new DecryptCommand({
            KeyId: key.name,
            CiphertextBlob: wrapped,
            EncryptionContext: contextOf(binding),
          })
          const { Plaintext } = await (await opened()).send(command, { abortSignal })
          return whole(Plaintext)
        },
        judge,
      ),
  }
}

function contextOf({ keyId, tenantId, epoch }: Binding): Record<string, string> {
  return { use: 'connector-oauth data key', key: keyId, tenant: tenantId, epoch: String(epoch) }
}

function whole(bytes: Uint8Array | undefined): Buffer {
  if (bytes === undefined || bytes.length === 0) throw new Error('The reply holds no bytes')
  return Buffer.from(bytes)
}

function judge(error: unknown): KeyServiceFailure {
  const name = error instanceof Error ? error.name : ''
  if (altered.has(name)) return { kind: 'altered' }
  const status = statusOf(error)
  const mayPass = passing.has(name) || status === undefined || status >= 500
  return { kind: mayPass && name !== 'CredentialsProviderError' ? 'again' : 'refused', reason: plainWord(name) }
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined
  const metadata = error.$metadata
  const isObject = typeof metadata === 'object' && metadata !== null
  return isObject && 'httpStatusCode' in metadata && typeof metadata.httpStatusCode === 'number'
    ? metadata.httpStatusCode
    : undefined
}
