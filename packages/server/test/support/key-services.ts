import { createHash, createSecretKey, randomBytes, verify, type KeyObject } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { crc32c } from '../../src/vault/crc32c.ts'
import { decrypt, encrypt } from '../../src/vault/aead.ts'

/** What came in, as far as tests ask. */
export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: Readonly<Record<string, unknown>>
}

/** A key service on this machine, which speaks one service's wire protocol. */
export interface KeyServiceStandIn extends AsyncDisposable {
  readonly port: number
  readonly seen: readonly SeenRequest[]
  /** What it answers instead, for as many requests as given. */
  fail(how: Failure, times?: number): void
}

export type Failure =
  | { readonly kind: 'answer'; readonly status: number; readonly body: unknown }
  /** Takes the request and never answers. */
  | { readonly kind: 'silence' }
  | { readonly kind: 'hang-up' }
  /** Answers rightly, but with bytes changed on the way. */
  | { readonly kind: 'damage' }

interface Reply {
  readonly status: number
  readonly body: unknown
}

async function start(
  contentType: string,
  answer: (request: SeenRequest) => Reply,
  damage: (reply: Reply) => Reply,
): Promise<KeyServiceStandIn> {
  const seen: SeenRequest[] = []
  let failure: Failure | undefined
  let left = 0
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = JSON.parse((await text(request)) || '{}') as Record<string, unknown>
    const known = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body }
    seen.push(known)
    const now = left > 0 ? failure : undefined
    left -= 1
    if (now?.kind === 'silence') return
    if (now?.kind === 'hang-up') {
      request.socket.destroy()
      return
    }
    const good = answer(known)
    const reply = now?.kind === 'answer' ? now : now?.kind === 'damage' ? damage(good) : good
    response.writeHead(reply.status, { 'content-type': contentType }).end(JSON.stringify(reply.body))
  }
  const server: Server = createServer((request, response) => void handle(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    seen,
    fail(how, times = 1_000) {
      failure = how
      left = times
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const masterKey = () => createSecretKey(randomBytes(32))

/** AWS KMS: JSON 1.1 with `x-amz-target`, SigV4 headers, errors by `__type`; ciphertext bound to key and context. */
export function startAwsKms(keys: readonly string[]): Promise<KeyServiceStandIn> {
  const masters = new Map(keys.map((name) => [name, masterKey()]))
  const refuse = (type: string, status = 400): Reply => ({ status, body: { __type: type, message: 'refused' } })
  return start(
    'application/x-amz-json-1.1',
    ({ method, path, headers, body }) => {
      if (method !== 'POST' || path !== '/') return refuse('UnknownOperationException', 404)
      const authorization = headers.authorization ?? ''
      const isSigned =
        /^AWS4-HMAC-SHA256 Credential=[^/]+\/\d{8}\/[a-z0-9-]+\/kms\/aws4_request, SignedHeaders=[^,]*host[^,]*, Signature=[0-9a-f]{64}$/
      if (!isSigned.test(authorization) || headers['x-amz-date'] === undefined)
        return refuse('MissingAuthenticationTokenException')
      if (headers['content-type'] !== 'application/x-amz-json-1.1') return refuse('SerializationException')
      const name = String(body['KeyId'])
      const master = masters.get(name)
      if (master === undefined) return refuse('NotFoundException')
      const context = Object.entries((body['EncryptionContext'] ?? {}) as Record<string, string>)
      const associated = Buffer.from(JSON.stringify(context.toSorted(([one], [other]) => (one < other ? -1 : 1))))
      // The blob names its key, as the real one does.
      const digest = createHash('sha256').update(name).digest().subarray(0, 8)
      switch (headers['x-amz-target']) {
        case 'TrentService.Encrypt': {
          const plaintext = Buffer.from(String(body['Plaintext']), 'base64')
          if (plaintext.length === 0 || plaintext.length > 4_096) return refuse('ValidationException')
          const blob = Buffer.concat([digest, encrypt(master, plaintext, associated)])
          return {
            status: 200,
            body: { CiphertextBlob: blob.toString('base64'), KeyId: name, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' },
          }
        }
        case 'TrentService.Decrypt': {
          const blob = Buffer.from(String(body['CiphertextBlob']), 'base64')
          if (!blob.subarray(0, 8).equals(digest)) return refuse('IncorrectKeyException')
          try {
            const plaintext = decrypt(master, blob.subarray(8), associated)
            return { status: 200, body: { Plaintext: plaintext.toString('base64'), KeyId: name } }
          } catch {
            return refuse('InvalidCiphertextException')
          }
        }
        default:
          return refuse('UnknownOperationException')
      }
    },
    (reply) => ({ ...reply, body: {} }),
  )
}

/** Whether the bearer is a service account's own JWT with the scope of key management or of everything. */
function isServiceAccount(authorization: string | undefined, publicKey: KeyObject): boolean {
  const [head = '', claims = '', signature = ''] = (authorization ?? '').replace(/^Bearer /, '').split('.')
  if (!verify('RSA-SHA256', Buffer.from(`${head}.${claims}`), publicKey, Buffer.from(signature, 'base64url')))
    return false
  const { iss, scope, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>
  const scopes = String(scope).split(' ')
  const mayUse = scopes.some((one) => /^https:\/\/www\.googleapis\.com\/auth\/(cloudkms|cloud-platform)$/.test(one))
  return iss === 'service@example.com' && mayUse && Number(exp) > Date.now() / 1000
}

/** Google Cloud KMS over REST: `:encrypt` and `:decrypt` with CRC-32C of everything both ways. */
export function startGoogleKms(keys: readonly string[], publicKey: KeyObject): Promise<KeyServiceStandIn> {
  const masters = new Map(keys.map((name) => [name, masterKey()]))
  const refuse = (code: number, status: string): Reply => ({
    status: code,
    body: { error: { code, message: 'refused', status } },
  })
  const isSum = (sum: unknown, bytes: Buffer): boolean => Number(sum) === crc32c(bytes)
  return start(
    'application/json',
    ({ method, path, headers, body }) => {
      const [, name = '', verb] =
        /^\/v1\/(projects\/[^?:]+):(encrypt|decrypt)(?:\?|$)/.exec(decodeURIComponent(path)) ?? []
      if (method !== 'POST' || verb === undefined) return refuse(404, 'NOT_FOUND')
      if (!isServiceAccount(headers.authorization, publicKey)) return refuse(401, 'UNAUTHENTICATED')
      const master = masters.get(name)
      if (master === undefined) return refuse(404, 'NOT_FOUND')
      const bytes = Buffer.from(String(body[verb === 'encrypt' ? 'plaintext' : 'ciphertext']), 'base64')
      const associated = Buffer.from(String(body['additionalAuthenticatedData']), 'base64')
      const areWhole =
        isSum(body[verb === 'encrypt' ? 'plaintextCrc32c' : 'ciphertextCrc32c'], bytes) &&
        isSum(body['additionalAuthenticatedDataCrc32c'], associated)
      if (!areWhole) return refuse(400, 'INVALID_ARGUMENT')
      if (verb === 'encrypt') {
        const ciphertext = encrypt(master, bytes, associated)
        return {
          status: 200,
          body: {
            name: `${name}/cryptoKeyVersions/1`,
            ciphertext: ciphertext.toString('base64'),
            ciphertextCrc32c: String(crc32c(ciphertext)),
            verifiedPlaintextCrc32c: true,
            verifiedAdditionalAuthenticatedDataCrc32c: true,
            protectionLevel: 'SOFTWARE',
          },
        }
      }
      try {
        const plaintext = decrypt(master, bytes, associated)
        const sum = String(crc32c(plaintext))
        return {
          status: 200,
          body: { plaintext: plaintext.toString('base64'), plaintextCrc32c: sum, usedPrimary: true },
        }
      } catch {
        return refuse(400, 'INVALID_ARGUMENT')
      }
    },
    (reply) => {
      const body = reply.body as Record<string, unknown>
      return { ...reply, body: { ...body, ciphertextCrc32c: '1', plaintextCrc32c: '1' } }
    },
  )
}

/** The transit engine of Vault and OpenBao. */
export function startTransit(keys: readonly string[], token: () => string): Promise<KeyServiceStandIn> {
  const masters = new Map(keys.map((name) => [name, masterKey()]))
  const refuse = (status: number, ...errors: readonly string[]): Reply => ({ status, body: { errors } })
  return start(
    'application/json',
    ({ method, path, headers, body }) => {
      const [, verb, name = ''] = /^\/v1\/secure\/transit\/(encrypt|decrypt)\/([^/?]+)$/.exec(path) ?? []
      if (headers['x-vault-token'] !== token()) return refuse(403, 'permission denied')
      if (headers['x-vault-namespace'] !== 'team' || headers['x-vault-request'] !== 'true') return refuse(404)
      const master = masters.get(name)
      if (method !== 'POST' || verb === undefined) return refuse(404)
      if (master === undefined) return refuse(400, 'encryption key not found')
      const associated = Buffer.from(String(body['associated_data']), 'base64')
      if (verb === 'encrypt') {
        const sealed = encrypt(master, Buffer.from(String(body['plaintext']), 'base64'), associated)
        return { status: 200, body: { data: { ciphertext: `vault:v1:${sealed.toString('base64')}`, key_version: 1 } } }
      }
      const ciphertext = String(body['ciphertext'])
      if (!ciphertext.startsWith('vault:v1:')) return refuse(400, 'invalid ciphertext: no prefix')
      try {
        const plaintext = decrypt(master, Buffer.from(ciphertext.slice(9), 'base64'), associated)
        return { status: 200, body: { data: { plaintext: plaintext.toString('base64') } } }
      } catch {
        return refuse(400, 'cipher: message authentication failed')
      }
    },
    (reply) => ({ ...reply, body: { data: {} } }),
  )
}
