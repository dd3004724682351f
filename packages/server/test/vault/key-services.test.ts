import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { tenantId } from '../../src/core/ids.ts'
import { KeyUnavailable } from '../../src/core/key-unavailable.ts'
import { Secret } from '../../src/core/secret.ts'
import { createEgress } from '../../src/oauth/egress.ts'
import { awsKmsKey } from '../../src/vault/aws-kms.ts'
import { crc32c } from '../../src/vault/crc32c.ts'
import { googleKmsKey } from '../../src/vault/google-kms.ts'
import type { Binding, KeyEncryptionKey } from '../../src/vault/key-encryption-key.ts'
import { NotWrappedHere } from '../../src/vault/key-service-call.ts'
import { transitKey } from '../../src/vault/transit.ts'
import {
  startAwsKms,
  startGoogleKms,
  startTransit,
  type Failure,
  type KeyServiceStandIn,
} from '../support/key-services.ts'

const arn = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const googleName = 'projects/p/locations/global/keyRings/r/cryptoKeys/k'
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret-access-key' }
const binding: Binding = { keyId: 'k1', tenantId: tenantId('acme'), epoch: 3 }

interface Service {
  readonly standIn: KeyServiceStandIn
  readonly key: KeyEncryptionKey
  readonly absentKey: KeyEncryptionKey
  /** What an answer looks like that says the caller may not. */
  readonly forbidden: Failure
  /** What must never be told. */
  readonly secrets: readonly string[]
  close(): Promise<void>
}

async function aws(): Promise<Service> {
  const standIn = await startAwsKms([arn])
  const options = { endpoint: `http://127.0.0.1:${standIn.port}`, credentials }
  return {
    standIn,
    key: awsKmsKey({ id: 'k1', name: arn, region: undefined }, options),
    absentKey: awsKmsKey({ id: 'k1', name: 'absent', region: 'eu-central-1' }, options),
    forbidden: { kind: 'answer', status: 400, body: { __type: 'AccessDeniedException', message: 'secret words' } },
    secrets: [credentials.secretAccessKey, 'secret words'],
    async close() {
      await standIn[Symbol.asyncDispose]()
    },
  }
}

async function google(): Promise<Service> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const standIn = await startGoogleKms([googleName], publicKey)
  const privatePem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const account = { client_email: 'service@example.com', private_key: privatePem }
  const options = { apiEndpoint: '127.0.0.1', port: standIn.port, protocol: 'http', credentials: account }
  return {
    standIn,
    key: googleKmsKey({ id: 'k1', name: googleName }, options),
    absentKey: googleKmsKey({ id: 'k1', name: `${googleName}2` }, options),
    forbidden: {
      kind: 'answer',
      status: 403,
      body: { error: { code: 403, message: 'secret words', status: 'PERMISSION_DENIED' } },
    },
    secrets: [privatePem, 'eyJ', 'secret words'],
    async close() {
      await standIn[Symbol.asyncDispose]()
    },
  }
}

async function transit(): Promise<Service> {
  const standIn = await startTransit(['connectors'], () => 'hvs.a-vault-token')
  const egress = createEgress({ allowedPrivateHosts: [`127.0.0.1:${standIn.port}`] })
  const server = {
    address: `http://127.0.0.1:${standIn.port}`,
    namespace: 'team',
    token: async () => new Secret('hvs.a-vault-token'),
    send: (request: { url: string; headers: Readonly<Record<string, string>>; body: string; deadlineMs: number }) =>
      egress.request({ method: 'POST', ...request }),
  }
  return {
    standIn,
    key: transitKey({ id: 'k1', mount: 'secure/transit', name: 'connectors' }, server),
    absentKey: transitKey({ id: 'k1', mount: 'secure/transit', name: 'absent' }, server),
    forbidden: { kind: 'answer', status: 403, body: { errors: ['secret words'] } },
    secrets: ['hvs.a-vault-token', 'secret words'],
    async close() {
      await egress.close()
      await standIn[Symbol.asyncDispose]()
    },
  }
}

for (const [name, open] of Object.entries({ 'AWS KMS': aws, 'Google Cloud KMS': google, transit })) {
  describe(`a key in ${name}`, () => {
    const dataKey = randomBytes(32)
    let service: Service
    let wrapped: Buffer

    before(async () => {
      service = await open()
      wrapped = await service.key.wrap(dataKey, binding)
    })
    after(() => service.close())

    /** Fails as told for one operation, then serves again; answers what was thrown and how often it was asked. */
    async function failing(how: Failure, times?: number) {
      const asked = service.standIn.seen.length
      service.standIn.fail(how, times)
      const outcome = await service.key.unwrap(wrapped, binding).then(
        (opened) => opened,
        (error: unknown) => error,
      )
      service.standIn.fail(how, 0)
      return { outcome, asked: service.standIn.seen.length - asked }
    }

    it('unwraps what it wrapped', async () => {
      assert.deepEqual(await service.key.unwrap(wrapped, binding), dataKey)
      assert.ok(!wrapped.includes(dataKey))
    })

    it('unwraps for no other tenant, epoch or key id, and no altered bytes', async () => {
      const others: readonly Binding[] = [
        { ...binding, tenantId: tenantId('other') },
        { ...binding, epoch: 4 },
        { ...binding, keyId: 'k2' },
      ]
      for (const other of others) await assert.rejects(service.key.unwrap(wrapped, other), NotWrappedHere)
      const altered = Buffer.from(wrapped)
      const last = altered.length - 3
      altered.writeUInt8(altered.readUInt8(last) === 65 ? 66 : 65, last)
      await assert.rejects(service.key.unwrap(altered, binding), NotWrappedHere)
    })

    it('is tried again when the service fails for a moment', async () => {
      const moments: readonly Failure[] = [
        { kind: 'hang-up' },
        { kind: 'damage' },
        {
          kind: 'answer',
          status: 503,
          body: { errors: ['Vault is sealed'], error: { code: 503, status: 'UNAVAILABLE' } },
        },
      ]
      for (const how of moments) {
        const { outcome, asked } = await failing(how, 2)
        assert.deepEqual(outcome, dataKey, how.kind)
        assert.equal(asked, 3)
      }
    })

    it('is unavailable, and no more, while the service is down', async () => {
      const { outcome, asked } = await failing({ kind: 'answer', status: 503, body: {} })
      assert.ok(outcome instanceof KeyUnavailable)
      assert.match(outcome.message, /key-encryption key k1 cannot be used/)
      assert.equal(asked, 3)
      assert.deepEqual(await service.key.unwrap(wrapped, binding), dataKey)
    })

    it('is unavailable when it does not exist or may not be used, and is not asked for again', async () => {
      const { outcome, asked } = await failing(service.forbidden)
      assert.ok(outcome instanceof KeyUnavailable, inspect(outcome))
      assert.equal(asked, 1)
      await assert.rejects(service.absentKey.wrap(dataKey, binding), KeyUnavailable)
    })

    it('is given up after five seconds without an answer', async () => {
      const startedAt = performance.now()
      const { outcome } = await failing({ kind: 'silence' })
      assert.ok(outcome instanceof KeyUnavailable)
      const tookMs = performance.now() - startedAt
      assert.ok(tookMs > 4_500 && tookMs < 7_000, `${tookMs} ms`)
    })

    it('tells nothing secret when it fails', async () => {
      for (const how of [service.forbidden, { kind: 'hang-up' } as const]) {
        const { outcome } = await failing(how)
        const told = inspect(outcome, { depth: 10, showHidden: true })
        for (const secret of [...service.secrets, dataKey.toString('base64'), wrapped.toString('base64')]) {
          assert.ok(!told.includes(secret), told)
        }
      }
    })
  })
}

describe('CRC-32C', () => {
  it('agrees with RFC 3720 appendix B.4', () => {
    assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa)
    assert.equal(crc32c(Buffer.alloc(32, 0xff)), 0x62a8ab43)
    assert.equal(crc32c(Buffer.from(Array.from({ length: 32 }, (_, index) => index))), 0x46dd794e)
  })
})
