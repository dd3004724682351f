import type { Secret } from '../core/secret.ts'
import { asBytes, type Binding, type KeyEncryptionKey } from './key-encryption-key.ts'
import { callKeyService, plainWord, type KeyServiceFailure } from './key-service-call.ts'

/** A key of the transit engine of HashiCorp Vault or OpenBao. */
export interface TransitKey {
  readonly id: string
  /** Where the engine is mounted; may have several segments. */
  readonly mount: string
  readonly name: string
}

/** The server, and how to reach it. */
export interface TransitServer {
  /** Without a trailing slash. */
  readonly address: string
  readonly namespace: string | undefined
  /** Asked for each call: an agent may renew the token meanwhile. */
  token(): Promise<Secret>
  /** Throws when there is no answer. */
  send(request: TransitRequest): Promise<{ readonly status: number; readonly body: Buffer }>
}

export interface TransitRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly deadlineMs: number
}

/** An answer that is no success. */
class Refused extends Error {
  readonly status: number
  readonly isAltered: boolean

  constructor(status: number, isAltered: boolean) {
    super('refused')
    this.status = status
    this.isAltered = isAltered
  }
}

/**
 * Wraps and unwraps by `/v1/<mount>/encrypt|decrypt/<name>` with the binding as `associated_data`, so the key must be of
 * an AEAD type such as aes256-gcm96. The token needs `update` on both paths, and should not have `create` on the first:
 * with it a misspelt name makes a new key.
 */
export function transitKey(key: TransitKey, server: TransitServer): KeyEncryptionKey {
  const call = async (verb: 'encrypt' | 'decrypt', fields: Readonly<Record<string, string>>, leftMs: number) => {
    const reply = await server.send({
      url: `${server.address}/v1/${key.mount}/${verb}/${encodeURIComponent(key.name)}`,
      headers: {
        'content-type': 'application/json',
        'x-vault-request': 'true',
        'x-vault-token': (await server.token()).reveal(),
        ...(server.namespace !== undefined && { 'x-vault-namespace': server.namespace }),
      },
      body: JSON.stringify(fields),
      deadlineMs: Math.ceil(leftMs),
    })
    if (reply.status !== 200) throw new Refused(reply.status, saysAltered(reply.status, reply.body))
    return reply.body
  }
  return {
    id: key.id,
    wrap: (dataKey, binding) =>
      callKeyService(
        key.id,
        async (_signal, leftMs) => {
          const fields = { plaintext: Buffer.from(dataKey).toString('base64'), associated_data: associated(binding) }
          const ciphertext = field(await call('encrypt', fields, leftMs), 'ciphertext')
          if (!/^vault:v\d+:[A-Za-z0-9+/=]+$/.test(ciphertext)) throw new Error('The reply holds no ciphertext')
          return Buffer.from(ciphertext, 'utf8')
        },
        judge,
      ),
    unwrap: (wrapped, binding) =>
      callKeyService(
        key.id,
        async (_signal, leftMs) => {
          const fields = { ciphertext: Buffer.from(wrapped).toString('utf8'), associated_data: associated(binding) }
          return Buffer.from(field(await call('decrypt', fields, leftMs), 'plaintext'), 'base64')
        },
        judge,
      ),
  }
}

function associated(binding: Binding): string {
  return asBytes(binding).toString('base64')
}

function field(body: Buffer, name: string): string {
  const reply: unknown = JSON.parse(body.toString('utf8'))
  const data = typeof reply === 'object' && reply !== null && 'data' in reply ? reply.data : undefined
  const value: unknown =
    typeof data === 'object' && data !== null ? Object.entries(data).find(([key]) => key === name)?.[1] : undefined
  if (typeof value !== 'string' || value === '') throw new Error('The reply lacks a field')
  return value
}

/** The engine answers 400 for altered bytes and for much else; only its words tell them apart. */
function saysAltered(status: number, body: Buffer): boolean {
  return status === 400 && /message authentication failed|invalid ciphertext/.test(body.toString('utf8', 0, 4_096))
}

function judge(error: unknown): KeyServiceFailure {
  if (!(error instanceof Refused)) return { kind: 'again', reason: 'no usable answer' }
  if (error.isAltered) return { kind: 'altered' }
  // 503: sealed or in standby. 412: a replica that is behind. 429: quota.
  const mayPass = error.status >= 500 || [412, 429].includes(error.status)
  return { kind: mayPass ? 'again' : 'refused', reason: plainWord(`status-${error.status}`) }
}
